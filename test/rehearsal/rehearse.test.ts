/** A whole rehearsal, broken through the actions of its console; what reads and writes meanwhile are real users of real backends. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { ActionName, ConsoleSource } from '../../rehearsal/console/contract.ts';
import { rehearse } from '../../rehearsal/rehearse.ts';
import type { Report } from '../../rehearsal/report.ts';
import { freshDatabase, ownWorkspace } from '../support/servers.ts';

const abort = new AbortController();
let source: ConsoleSource;
let rehearsal: Promise<Report>;
let printed = '';
let closed = 0;

/** Fails by the test's timeout. */
async function until(isTrue: () => boolean) {
  while (!isTrue()) await sleep(20);
}

const act = (action: ActionName) => source.act?.(action);
const totals = () => source.state().totals;

/** Hits of both backends: they read Redis. */
function hits(): Record<'legacy' | 'serverless', number> {
  const sum = (backend: 'legacy' | 'serverless') =>
    source.samples().reduce((total, { backends }) => total + backends[backend].hits, 0);
  return { legacy: sum('legacy'), serverless: sum('serverless') };
}
async function untilBothHit(more: number) {
  const before = hits();
  await until(() => {
    const now = hits();
    return Math.min(now.legacy - before.legacy, now.serverless - before.serverless) > more;
  });
}

beforeAll(async () => {
  const [workspace, { url }] = await Promise.all([ownWorkspace(), freshDatabase()]);
  await new Promise<void>((resolve, reject) => {
    rehearsal = rehearse(
      { seconds: 10, stages: [50], users: 20, seed: 7, mode: 'coherent' },
      {
        ...{ workspace, signal: abort.signal, live: false },
        environment: { DATABASE_URL: url },
        out: { write: (text) => (printed += text) },
        async onSource(given) {
          source = given;
          resolve();
          return {
            url: 'http://127.0.0.1:1',
            async close() {
              closed += 1;
            },
          };
        },
      },
    );
    rehearsal.catch(reject);
  });
  await until(() => source.state().weights?.serverless === 50);
  // The gate would end it at the first fault, as it should.
  await act('pause');
  await untilBothHit(100);
}, 60_000);

afterAll(async () => {
  abort.abort();
  await rehearsal.catch(() => {});
});

const FAULTS = ['freeze-redis', 'slow-redis', 'kill-redis'] as const;

test.each(FAULTS)('%s: no answer is a 5xx and none is stale, during it and after', async (fault) => {
  const before = totals();
  const text = await act(fault);
  expect(printed).toContain('fault    Redis is');
  expect(source.state().safety).toEqual({
    level: 'wait',
    text: expect.stringMatching(/on purpose, \d s left/),
  });
  expect(source.state().actions).toEqual(['resume', 'flush', 'mirror-off', 'roll-back']);
  await expect(act(fault)).rejects.toThrow('another fault is in');
  await until(() => source.state().actions.includes(fault));
  const during = totals().requests - before.requests;
  await untilBothHit(300);
  // Users go on meanwhile, and what was written then is read by both.
  expect(during).toBeGreaterThan(300);
  expect(totals()).toMatchObject({ errors5xx: 0, staleReads: 0, lostSessions: 0 });
  expect(totals().writes).toBeGreaterThan((before.writes ?? 0) + 20);
  const { marks, log } = source.state();
  expect(marks.filter(({ kind }) => kind === 'fault').slice(-2)).toEqual([
    expect.objectContaining({ text: text?.split(',')[0] }),
    expect.anything(),
  ]);
  expect(log.filter(({ text: line }) => line === text?.split(',')[0])).toHaveLength(1);
});

describe('then', () => {
  test('a flush while users are there deletes what is cached, and keeps the rest', async () => {
    expect(await act('flush')).toMatch(/^[1-9]\d* cache entries flushed, [1-9]\d* keys preserved$/);
    await untilBothHit(100);
    expect(totals()).toMatchObject({ errors5xx: 0, staleReads: 0, lostSessions: 0 });
  });

  test('without the mirror reads are stale, and are explained', async () => {
    await act('mirror-off');
    const explained = () => {
      const { stale } = source.state();
      return stale.find(({ readBy, writtenBy }) => readBy === 'serverless' && writtenBy === 'legacy');
    };
    await until(() => explained() !== undefined);
    const { versionRead, versionWritten } = explained() ?? { versionRead: 0, versionWritten: 0 };
    expect(versionRead).toBeLessThan(versionWritten);
    const { safety } = source.state();
    expect(safety).toEqual({
      level: 'unsafe',
      text: expect.stringMatching(
        /^\d+ stale reads?; the legacy backend writes without the mirror; do not go on$/,
      ),
    });
  });

  test('it goes back when it is asked to, and its last state is what the report says', async () => {
    await act('roll-back');
    const report = await rehearsal;
    const { requests, errors5xx, writes, lostSessions, staleReads } = report.totals;
    const state = source.state();
    expect(state.totals).toEqual({ requests, errors5xx, writes, lostSessions, staleReads });
    expect(state.stale).toEqual(report.staleReads);
    expect([state.status, state.weights, state.actions]).toEqual([
      'failed',
      { legacy: 100, serverless: 0 },
      [],
    ]);
    expect(state.safety.text).toContain('all traffic is back at the legacy backend');
    expect(state.stages).toEqual([{ name: '50 %', status: 'failed', reasons: report.stages[0]?.reasons }]);
    expect(state.machine?.state).toBe('Failed');
    const counted = source
      .samples()
      .reduce(
        (sum, { backends }) => sum + (backends.legacy.requests ?? 0) + (backends.serverless.requests ?? 0),
        0,
      );
    expect([counted, closed]).toEqual([requests, 1]);
    expect(report.preserved.lost).toBe(0);
    // A restart with other users than before would be refused commands.
    expect(report.refusals).toEqual([]);
    expect(printed).toContain('console  http://127.0.0.1:1\n');
  });
});
