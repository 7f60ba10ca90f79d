/** Of every client of a task: what does not answer is tried again by the SDK, and then by the state. */
export const CLIENT_OPTIONS = {
  requestHandler: { connectionTimeout: 2000, requestTimeout: 5000, throwOnRequestTimeout: true },
} as const;
