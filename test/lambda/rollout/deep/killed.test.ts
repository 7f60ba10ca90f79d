import { randomInt } from 'node:crypto';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { seededRandom } from '../../../../rehearsal/random.ts';
import { synthesizeRollout } from '../../../support/rollout-definition.ts';
import { openWorld, type World } from '../../../support/rollout-run.ts';

const KILLS = Number(process.env['KILLS'] ?? 100);
const HOUR_MS = 3_600_000;
const seed = Number(process.env['SEED'] ?? randomInt(2 ** 31));
const STAGES = [5, 25, 50, 100].map((percent) => ({ percent, minutes: 15 }));

let world: World;
const { definition } = synthesizeRollout((stage) => ({
  ...stage,
  ...(stage.rollout && { rollout: { ...stage.rollout, stages: STAGES } }),
}));

beforeAll(async () => {
  world = await openWorld();
}, 60_000);
afterAll(async () => {
  jest.useRealTimers();
  await world.database.end();
});

test(
  `a rollout that is killed anywhere and started again finishes, and advances once a stage, SEED=${seed}`,
  async () => {
    const random = seededRandom(seed);
    const killedAt = new Map<string, number>();
    let [kills, rollouts] = [0, 0];
    while (kills < KILLS) {
      rollouts += 1;
      await world.reset();
      for (let start = 1; ; start += 1) {
        const killer = new AbortController();
        // Near enough that most are killed, some of them in the first state.
        let states = Math.floor(random() * 40);
        const run = await world.run({
          definition,
          name: `rollout-${start}`,
          signal: killer.signal,
          onEvent: ({ type, state = '' }) => {
            if (!type.endsWith('StateEntered') || killer.signal.aborted || kills >= KILLS) return;
            states -= 1;
            if (states >= 0) return;
            killedAt.set(state, (killedAt.get(state) ?? 0) + 1);
            killer.abort();
          },
        });
        if (run.status === 'ABORTED') {
          kills += 1;
          continue;
        }
        expect(run).toMatchObject({ status: 'SUCCEEDED' });
        break;
      }
      expect(world.aws.history).toEqual(
        STAGES.map(({ percent }) => ({ legacy: 100 - percent, serverless: percent })),
      );
    }
    console.log(`${kills} kills in ${rollouts} rollouts, at ${JSON.stringify(Object.fromEntries(killedAt))}`);
    expect(killedAt.size).toBeGreaterThan(KILLS / 20);
  },
  HOUR_MS,
);
