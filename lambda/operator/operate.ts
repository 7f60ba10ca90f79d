import { environmentName, familiesIn, phaseOf } from '../cache/phase.ts';
import { ConfigurationError } from '../contract/errors.ts';
import { type Environment, readSwitch } from '../contract/switches.ts';
import { type CensusTurn, censusInTurn } from '../flush/census/turn.ts';
import { NAMESPACES } from '../flush/event.ts';
import type { Target } from '../flush/pass/servers.ts';
import { planCleanup } from '../flush/plan/cleanup.ts';
import { planFlush } from '../flush/plan/plan.ts';
import { targetOf } from '../flush/target.ts';
import { type FlushTurn, flushInTurn } from '../flush/turn.ts';
import type { TurnEvent } from './event.ts';

/** What a turn has done, by its command. */
export type TurnReport =
  | ({ readonly command: 'flush' } & FlushTurn)
  | ({ readonly command: 'census'; readonly env: string } & CensusTurn)
  /** `inUse`: cache families whose own phase still reads there, so that their keys stay. */
  | ({ readonly command: 'cleanup'; readonly inUse: readonly string[] } & FlushTurn);

export interface OperateOptions {
  readonly event: TurnEvent;
  /** How long the function has left, in milliseconds. */
  readonly remainingMs: () => number;
}

/**
 * Does one turn of a command, on the Redis and in the phase that the environment names.
 * @throws ConfigurationError for the environment, the patterns, or a cleanup of what is still read; what a pass throws.
 */
export async function operate(
  environment: Environment,
  { event, remainingMs }: OperateOptions,
): Promise<TurnReport> {
  const { command } = event;
  const env = environmentName(environment['NODE_ENV']);
  if (command === 'census') {
    const target = censusTargetOf(environment);
    return { command, env, ...(await censusInTurn({ target, env, event, remainingMs })) };
  }
  const common = {
    target: targetOf(environment, command),
    dryRun: event.dryRun ?? readSwitch(environment, 'DRY_RUN'),
    ...{ event, remainingMs },
  };
  if (command === 'flush') {
    const { patterns, preserve, namespace } = event;
    const onlyNamespace = namespace && NAMESPACES[namespace](env);
    const plan = planFlush({
      ...{ env, patterns, preserve },
      ...(onlyNamespace !== undefined && { onlyNamespace }),
    });
    return { command, ...(await flushInTurn({ ...common, plan })) };
  }
  const { plan, inUse } = planCleanup({
    ...{ target: event.target, env, phase: phaseOf(environment), families: familiesIn(environment) },
    legacyStopped: event.legacyStopped === true,
  });
  return { command, inUse, ...(await flushInTurn({ ...common, plan })) };
}

/** The same Redis by the user who only reads. */
function censusTargetOf(environment: Environment): Target {
  const { CENSUS_REDIS_URL } = environment;
  if (!CENSUS_REDIS_URL) {
    throw new ConfigurationError(
      'census: CENSUS_REDIS_URL is not set; it is REDIS_URL with a user who may scan, memory|usage, pttl and info',
    );
  }
  return targetOf({ ...environment, REDIS_URL: CENSUS_REDIS_URL }, 'census');
}
