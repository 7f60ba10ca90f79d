/** How long a hook of a deployment may take: two thirds of it to prove the new version, and the last one to tell CodeDeploy. */
export const HOOK_TIMEOUT_SECONDS = 180;

/**
 * What has the traffic. Alarms name it by text: CodeDeploy's group refers to them and the alias to the group, so that a reference back
 * would be a cycle.
 */
export const ALIAS_NAME = 'live';

/** Where the API tells which of its servers answer. */
export const READY_PATH = '/ready';

/** Where it tells that it runs. */
export const HEALTH_PATH = '/health';
