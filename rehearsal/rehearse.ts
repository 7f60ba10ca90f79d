import { createKeyspace } from '../lambda/cache/keyspace.ts';
import { environmentName } from '../lambda/cache/phase.ts';
import { type RehearsalOptions, UsageError } from './options.ts';
import { type PerformanceContext, perform } from './performance.ts';
import { populate } from './population.ts';
import { createPrinter } from './printer.ts';
import { seededRandom } from './random.ts';
import type { Report } from './report.ts';
import { redacted } from './servers/given-or-own.ts';
import type { Workspace } from './servers/workspace.ts';
import { setUp } from './set-up.ts';
import { warningsOf } from './warmth.ts';

/** NODE_ENV of both backends, unless the environment names another. */
const DEFAULT_ENV = 'development';
export interface RehearsalContext {
  readonly workspace: Workspace;
  /** Ends the rehearsal early; it then rejects, with nothing of it left in servers that were there before. */
  readonly signal: AbortSignal;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly out: { write(text: string): unknown };
  /** Whether `out` is a terminal to draw on, and how wide it is. */
  readonly live: boolean;
  readonly columns?: number | undefined;
  /** The file that is the legacy backend, for tests of what a bad one does. */
  readonly legacyMain?: string;
  /** Told, before there are users, where all is that a console shows; what it serves is closed at the end. */
  readonly onSource?: PerformanceContext['onSource'];
}

/**
 * Rehearses a cutover: two backends, one Redis, one PostgreSQL, and users who move from the first to the second.
 * @throws UsageError before anything is changed; what a backend said when it did not start, or ended.
 */
export async function rehearse(options: RehearsalOptions, context: RehearsalContext): Promise<Report> {
  const { seed, users, mode, seconds, migration = 'v2' } = options;
  refuseWhatCannotBe(options, context);
  const env = environmentName(context.environment['NODE_ENV'] || DEFAULT_ENV);
  const printer = createPrinter(context);
  const population = populate({ users, random: seededRandom(seed) });
  printer.line(`rehearsing a cutover: ${migration}, ${mode}, ${users} users, ${seconds} s, seed ${seed}`);

  const ground = await setUp({
    ...context,
    users,
    keyspace: createKeyspace({ phase: migration === 'v2' ? 'isolated' : 'legacy', env }),
    asDeployedUsers: mode !== 'naive',
    cachedKeys: population.targets.map(({ key }) => key),
  });
  try {
    printer.line(`servers  ${redacted(ground.redisUrl)}  ${redacted(ground.databaseUrl)}`);
    for (const warning of warningsOf(options, population)) printer.line(`warning  ${warning}`);
    return await perform(options, { ...context, ground, env, population, printer });
  } finally {
    await ground.close();
  }
}

function refuseWhatCannotBe({ migration, mode }: RehearsalOptions, { environment }: RehearsalContext): void {
  if (migration !== 'cw') return;
  if (mode === 'naive') {
    throw new UsageError(
      'rehearse: --naive has no phases: it goes with --migration v2, and --migration cw without it',
    );
  }
  if (environment['REDIS_URL']) {
    throw new UsageError(
      "rehearse: --migration cw carries all keys of state to another home, others' too, and REDIS_URL is set; unset it, and a Redis is started",
    );
  }
}
