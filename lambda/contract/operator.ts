/** How long the operator may take: above the 60 s that a turn gives itself, so that it is the turn that reports, not the sandbox. */
export const OPERATOR_TIMEOUT_SECONDS = 90;

/** How long the scheduled flush may take: some ten turns of the operator, or as long as Lambda lets a function run. */
export const FLUSH_TIMEOUT_SECONDS = 900;
