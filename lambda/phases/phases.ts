import { FALLBACK } from '../cache/fallback-mark.ts';
import { readInstances } from '../cache/instances.ts';
import { environmentName, familiesIn, phaseOf } from '../cache/phase.ts';
import type { Instance } from '../cache/presence.ts';
import type { Phase } from '../contract/environment.ts';
import { ConfigurationError } from '../contract/errors.ts';
import { NEIGHBOURS } from '../contract/namespaces.ts';
import type { Environment } from '../contract/switches.ts';
import { databaseOptionsOf } from '../database/options.ts';
import { openDatabase } from '../doctor/database.ts';
import { openScanner } from '../doctor/doctor.ts';
import {
  type Coverage,
  type Facts,
  judgeStep,
  type StepReport,
  type Uncovered,
  type Unknown,
} from './conditions.ts';
import { surveyKeys } from './survey.ts';

/** Processes of one service in one phase. */
export interface ServiceReport {
  readonly service: string;
  /** Null for one that neither reads nor fills. */
  readonly phase: Phase | null;
  readonly env: string;
  readonly mirror: boolean;
  readonly instances: number;
  /** The first of them began. */
  readonly since: string;
}

export interface PhaseReport {
  /** That of the variables. */
  readonly phase: Phase;
  readonly services: readonly ServiceReport[];
  /** One for each neighbour of the phase. */
  readonly steps: readonly StepReport[];
}

export interface PhaseOptions {
  /** How long the pass over the keys may take, in seconds. Default: 60. */
  readonly limitSeconds?: number;
}

const LIMIT_SECONDS = 60;

/**
 * Says in which phase each service is, and whether the next one and the one before are safe. Reads only. The keys of who is there are read
 * as RUNTIME_REDIS_URL's user where it is set, and looked through as CENSUS_REDIS_URL's.
 * @throws ConfigurationError for the variables; RedisUnavailableError.
 */
export async function reportPhases(
  environment: Environment,
  { limitSeconds = LIMIT_SECONDS }: PhaseOptions = {},
): Promise<PhaseReport> {
  const { REDIS_URL, RUNTIME_REDIS_URL, CENSUS_REDIS_URL } = environment;
  const phase = phaseOf(environment);
  const env = environmentName(environment['NODE_ENV']);
  const families = familiesIn(environment);
  if (!REDIS_URL) throw new ConfigurationError('phase: REDIS_URL is not set; it is redis://host:6379');
  const reader = openScanner({ ...environment, REDIS_URL: RUNTIME_REDIS_URL || REDIS_URL });
  const scanner = openScanner({ ...environment, REDIS_URL: CENSUS_REDIS_URL || REDIS_URL });
  const endsAt = performance.now() + limitSeconds * 1000;
  try {
    await Promise.all([reader.ready(PATIENCE_MS), scanner.ready(PATIENCE_MS)]);
    const instances = await known(() => readInstances({ scanner, reader }));
    const facts: Facts = {
      ...{ now: Date.now(), env, instances },
      // Only where a step asks for it: it passes over all keys.
      survey:
        phase === 'dual'
          ? await known(() => surveyKeys({ scanner, env, families, endsAt }))
          : { unknown: 'not asked' },
      coverage: phase === 'legacy' ? await known(() => coverageIn(environment)) : { unknown: 'not asked' },
      quietSince: await known(async () => {
        const told = await reader.send(['GET', FALLBACK]);
        return told === null ? null : Number(told);
      }),
    };
    return {
      phase,
      services: 'unknown' in instances ? [] : servicesOf(instances),
      steps: NEIGHBOURS[phase].map((to) => judgeStep(phase, to, facts)),
    };
  } finally {
    reader.close();
    scanner.close();
  }
}

const PATIENCE_MS = 5000;

async function known<T>(ask: () => Promise<T>): Promise<T | Unknown> {
  try {
    return await ask();
  } catch (error) {
    return { unknown: (error as Error).message };
  }
}

/** What the dispatchers have judged of the last day. @throws what the database throws. */
async function coverageIn(environment: Environment): Promise<Coverage> {
  const database = openDatabase(databaseOptionsOf(environment, 'phase'));
  if (!database) throw new Error('DATABASE_URL is not set');
  try {
    const { rows } = await database.query<{
      table: string;
      writer: string;
      writes: number;
      uncovered: number;
      last: Date | null;
      isRecent: boolean | null;
    }>(
      `SELECT table_name AS "table", writer, writes::int, uncovered_writes::int AS uncovered, last_uncovered AS last,
         last_uncovered > now() - interval '1 day' AS "isRecent"
       FROM cutover_coverage WHERE last_seen > now() - interval '1 day' ORDER BY table_name, writer`,
    );
    const uncovered = rows.flatMap(({ table, writer, uncovered: writes, last, isRecent }): Uncovered[] =>
      isRecent ? [{ table, writer, writes, lastAt: last?.toISOString() ?? '' }] : [],
    );
    return { writes: rows.reduce((sum, { writes }) => sum + writes, 0), uncovered };
  } finally {
    await database.end();
  }
}

function servicesOf(instances: readonly Instance[]): ServiceReport[] {
  const services = new Map<string, ServiceReport>();
  for (const { service, phase, env, mirror, startedAt } of instances) {
    const name = JSON.stringify([service, phase, env, mirror]);
    const before = services.get(name);
    services.set(name, {
      ...{ service, phase, env, mirror },
      instances: (before?.instances ?? 0) + 1,
      since: before && before.since < startedAt ? before.since : startedAt,
    });
  }
  return [...services.values()].sort((one, other) => (one.service < other.service ? -1 : 1));
}

/** The steps forward, or where there are none those back; or the one to a phase that is asked for. */
export function stepsAsked({ steps }: PhaseReport, to?: string): readonly StepReport[] {
  if (to !== undefined) return steps.filter((step) => step.to === to);
  const next = steps.filter(({ direction }) => direction === 'next');
  return next.length > 0 ? next : steps;
}
