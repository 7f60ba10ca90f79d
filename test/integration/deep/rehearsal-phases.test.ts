/** `npm start -- --migration cw`, short: every step with both phases at once, on the deployed bundle and a Redis with the deployed users. */
import path from 'node:path';
import { describe, expect, jest, test } from '@jest/globals';
import type { RehearsalOptions } from '../../../rehearsal/options.ts';
import type { RehearsalContext } from '../../../rehearsal/rehearse.ts';
import { freshDatabase, ownRedis, ownWorkspace } from '../../support/servers.ts';

// The other tests that run now leave it less than a gate asks for, which is no fault of the rehearsal.
jest.mock('../../../lambda/rollout/gates.ts', () => ({
  GATE: { minHitRate: 0, minReads: 1 },
  judge: () => [],
}));
jest.mock('../../../rehearsal/phase-conductor.ts', () => {
  const actual = jest.requireActual<typeof import('../../../rehearsal/phase-conductor.ts')>(
    '../../../rehearsal/phase-conductor.ts',
  );
  const conductPhases: typeof actual.conductPhases = async (options) => {
    const watchFallbacks = async () => ({
      ...(await options.watchFallbacks()),
      take: () => ({ reads: 1, fallbacks: 0 }),
    });
    return actual.conductPhases({ ...options, leastSeconds: 0.5, watchFallbacks });
  };
  return { ...actual, conductPhases };
});

const OPTIONS: RehearsalOptions = {
  ...{ seconds: 6, stages: [50], users: 20, seed: 7, mode: 'coherent' },
};

async function run(options: Partial<RehearsalOptions>, more: Partial<RehearsalContext> = {}) {
  const [workspace, { url: DATABASE_URL }] = await Promise.all([ownWorkspace(), freshDatabase()]);
  // Behind the mocks.
  const { rehearse } = await import('../../../rehearsal/rehearse.ts');
  let printed = '';
  const report = await rehearse(
    { ...OPTIONS, ...options },
    {
      ...{ workspace, signal: new AbortController().signal, live: false },
      environment: { DATABASE_URL, NODE_ENV: 'test' },
      out: { write: (text) => (printed += text) },
      ...more,
    },
  );
  return { report, printed };
}

test('a migration of keys, there and back: no read is stale, no session is lost or back, nothing is refused', async () => {
  const { report, printed } = await run({ migration: 'cw' });
  expect(report.steps.map(({ step, phases, gate }) => [step, ...phases, gate])).toEqual([
    ['legacy', 'legacy', 'legacy', 'pass'],
    ['dual', 'legacy', 'dual', 'pass'],
    ['backfill', 'dual', 'dual', 'pass'],
    ['prefixed', 'dual', 'prefixed', 'pass'],
    ['back to dual', 'prefixed', 'dual', 'pass'],
    ['back to legacy', 'dual', 'legacy', 'pass'],
  ]);
  // Too short for a verdict, and nothing else against it.
  expect(report.reasons).toEqual(report.reasons.filter((reason) => reason.endsWith('; run longer')));
  expect(report).toMatchObject({
    migration: 'cw',
    totals: { staleReads: 0, lostSessions: 0, resurrectedSessions: 0, errors5xx: 0 },
    refusals: [],
    preserved: { lost: 0 },
    stages: [],
  });
  const { logins, logouts, checkedSessions } = report.totals;
  expect([logins >= 20, logouts > 5, checkedSessions >= 50]).toEqual([true, true, true]);
  for (const { together } of report.steps) {
    if (together) expect(together.requests).toBeGreaterThan(10);
  }
  // The seeded state, and sessions that began before both homes were written.
  const carried = report.steps.map((step) => step.carried?.keys ?? 0);
  expect(carried[2]).toBeGreaterThan(300);
  expect(report.steps[2]?.state).toEqual({ checked: 600, lost: 0 });
  expect(printed).toContain('step back to legacy');
}, 90_000);

describe('a rehearsal fails', () => {
  test('for a legacy backend without the mirror, which keeps its sessions for itself, and does not end them', async () => {
    const { url: REDIS_URL } = await ownRedis();
    const { url: DATABASE_URL } = await freshDatabase();
    const { report } = await run(
      { seconds: 5 },
      {
        legacyMain: path.resolve(import.meta.dirname, '../../support/forgetful-legacy.ts'),
        environment: { REDIS_URL, DATABASE_URL, NODE_ENV: 'test' },
      },
    );
    const { staleReads, lostSessions, resurrectedSessions } = report.totals;
    expect([staleReads, lostSessions, resurrectedSessions].map((count) => count > 0)).toEqual([
      ...[true, true, true],
    ]);
    expect(report.verdict).toBe('fail');
    expect(report.reasons).toEqual(
      expect.arrayContaining([
        `${staleReads} stale reads`,
        `${lostSessions} answers denied a user who was logged in`,
        `${resurrectedSessions} answers were for a session that had ended`,
      ]),
    );
  }, 60_000);

  test('before it begins, where others’ sessions would be carried, too', async () => {
    const environment = { REDIS_URL: 'redis://127.0.0.1:1', NODE_ENV: 'test' };
    await expect(run({ migration: 'cw' }, { environment })).rejects.toMatchObject({
      name: 'UsageError',
      message: expect.stringMatching(/carries all keys of state .* unset it/),
    });
  });
});
