import { PHASE_SWITCHES, type Phase } from '../../../lambda/contract/environment.ts';
import { FAMILIES } from '../../../lambda/contract/families.ts';
import { sumOfFlush } from '../../flush-turns.ts';
import { countText } from '../../text.ts';
import { AwsError } from '../errors.ts';
import { takeTurns } from '../operator.ts';
import type { RollbackContext, StepResult } from './step.ts';

/** The namespace that a phase reads and fills, by its name on the command line; `legacy` has none. */
const NAMESPACE_OF: Readonly<Record<Phase, 'v2' | 'cw' | undefined>> = {
  legacy: undefined,
  isolated: 'v2',
  dual: 'cw',
  prefixed: 'cw',
};

/** Far more than a flush takes, and not for ever. */
const LIMIT_SECONDS = 300;

/**
 * Flushes what the serverless backend has cached for itself. The un-prefixed keys stay: the legacy backend carries the load, and
 * needs its cache.
 */
export async function flushNamespaces(context: RollbackContext): Promise<StepResult> {
  const { stage, dryRun, signal } = context;
  const { operator, phase } = context.service();
  const namespaces = namespacesOf(phase);
  if (namespaces.length === 0) {
    return {
      outcome: 'skipped',
      text: `in the phase ${phase} the serverless backend has no keys of its own; the un-prefixed ones are the legacy backend’s, too`,
    };
  }
  let flushed = 0;
  for (const namespace of namespaces) {
    const turns = await takeTurns<'flush'>({
      ...{ functionName: operator, limitSeconds: LIMIT_SECONDS, signal },
      event: { command: 'flush', namespace, dryRun },
    });
    const report = sumOfFlush(turns);
    flushed += report.flushed;
    if (!report.complete) {
      return {
        outcome: 'failed',
        text: `${countText(flushed)} keys flushed, and not all of ${namespace}: seen in ${report.seconds} s`,
        byHand: byHandFlush(stage, namespaces),
      };
    }
  }
  const where = `keys under ${namespaces.map((each) => `${each}:`).join(' and ')}`;
  if (dryRun) return { outcome: 'would', text: `would flush ${countText(flushed)} ${where}` };
  return { outcome: 'done', text: `flushed ${countText(flushed)} ${where}` };
}

/** What to do where a flush has failed. */
export const byHandFlush = (stage: string, namespaces: readonly string[] = ['v2', 'cw']): string =>
  namespaces.map((each) => `npm run cutover -- flush --stage ${stage} --namespace ${each}`).join('; ');

function namespacesOf(phase: string): ('v2' | 'cw')[] {
  if (!isPhase(phase)) {
    throw new AwsError(`cloudformation: the phase of the stage is ${phase}; deploy it with this version`);
  }
  const cached = FAMILIES.filter(({ kind }) => kind === 'cache');
  return [...new Set(cached.flatMap((family) => NAMESPACE_OF[family.phase ?? phase] ?? []))];
}

const isPhase = (phase: string): phase is Phase => phase in PHASE_SWITCHES;
