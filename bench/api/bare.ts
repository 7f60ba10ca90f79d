import type { Handler } from '../../rehearsal/host/host.ts';

const ANSWER = {
  statusCode: 200,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({
    key: 'bench-0',
    description: 'Measured by the bench',
    enabled: true,
    value: { color: 'blue', percent: 25 },
    version: 1,
    updatedAt: '2026-01-01T00:00:00.000Z',
    updatedBy: 'bench',
  }),
};

/** As little as a handler can do: what is measured with it is Node, the host and the client. */
export const handler: Handler = async () => ANSWER;
