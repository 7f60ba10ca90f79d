/** How long the worker may take: above the 60 s that a flush gives itself, so that it is the flush that reports, not the sandbox. */
export const FLUSH_WORKER_TIMEOUT_SECONDS = 90;

/** How long the scheduled flush may take: some ten turns of the worker, or as long as Lambda lets a function run. */
export const FLUSH_TIMEOUT_SECONDS = 900;
