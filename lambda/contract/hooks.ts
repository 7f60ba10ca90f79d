/** How long a hook of a deployment may take: two thirds of it to prove the new version, and the last one to tell CodeDeploy. */
export const HOOK_TIMEOUT_SECONDS = 180;

/** Where the API tells which of its servers answer. */
export const READY_PATH = '/ready';

/** Where it tells that it runs. */
export const HEALTH_PATH = '/health';
