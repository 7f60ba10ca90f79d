import { type Records, recordsOf, type WeightedRecord } from '../records.ts';
import type { RolloutOutputs } from '../stacks.ts';
import type { RollbackContext, StepResult } from './step.ts';

/** What the legacy backend gets when it has nothing. */
const WHOLE = 100;

/**
 * The two steps that bring the traffic back. The second is not begun before the legacy backend is known to have a weight: if all
 * weights are 0, Route 53 gives every record the same share.
 */
export function weightSteps({ dryRun, signal, patience, rollout }: RollbackContext): {
  legacy(): Promise<StepResult>;
  serverless(): Promise<StepResult>;
} {
  let legacyCarries = false;
  const weightless: StepResult = {
    outcome: 'skipped',
    text: 'the stage has no rollout, so no record has a weight; who sends it traffic sends it elsewhere',
  };

  const change = async (records: Records, record: WeightedRecord, weight: number) => {
    const changeId = await records.setWeight(record, weight);
    return {
      changeId,
      text: `${record.SetIdentifier} of ${nameOf(record)} from ${record.Weight} to ${weight}`,
    };
  };

  return {
    async legacy() {
      const configured = rollout();
      if (!configured) return weightless;
      const records = recordsOf(configured, patience);
      const { legacy, serverless } = await records.read();
      if (!legacy && !serverless) return { outcome: 'skipped', text: noRecords(configured) };
      if (!legacy) {
        return {
          outcome: 'failed',
          text: `${configured.recordName} has a record for serverless and none for legacy, so all traffic is there whatever its weight`,
          byHand: `add the record legacy of ${configured.recordName} in the hosted zone ${configured.hostedZoneId}, with a weight above 0, or deploy the stage, which does`,
        };
      }
      if (legacy.Weight > 0) {
        legacyCarries = true;
        return { outcome: 'already', text: `legacy of ${nameOf(legacy)} has the weight ${legacy.Weight}` };
      }
      if (dryRun) {
        legacyCarries = true;
        return { outcome: 'would', text: `would set legacy of ${nameOf(legacy)} from 0 to ${WHOLE}` };
      }
      const { changeId, text } = await change(records, legacy, WHOLE);
      try {
        await records.inSync(changeId, signal);
      } catch (error) {
        return {
          outcome: 'failed',
          text: `${text}, but Route 53 has not said INSYNC: ${(error as Error).message}`,
          byHand: `wait until aws route53 get-change --id ${changeId} says INSYNC, then run this again`,
        };
      }
      legacyCarries = true;
      return { outcome: 'done', text: `${text}, in sync` };
    },

    async serverless() {
      const configured = rollout();
      if (!configured) return weightless;
      const records = recordsOf(configured, patience);
      // Read again: what is written back is the whole record, and the other weight has to be above 0 now.
      const { legacy, serverless } = await records.read();
      if (!legacy && !serverless) return { outcome: 'skipped', text: noRecords(configured) };
      if (!serverless)
        return { outcome: 'already', text: `${configured.recordName} has no record serverless` };
      if (serverless.Weight === 0) {
        return { outcome: 'already', text: `serverless of ${nameOf(serverless)} has the weight 0` };
      }
      if (!legacyCarries || (!dryRun && !(legacy && legacy.Weight > 0))) {
        return {
          outcome: 'failed',
          text: `not begun, since it is not certain that legacy has a weight above 0 everywhere, and where both are 0 each gets half; serverless still has ${serverless.Weight}`,
          byHand: `give legacy a weight above 0, then set serverless of ${nameOf(serverless)} in the hosted zone ${configured.hostedZoneId} to 0`,
        };
      }
      if (dryRun) {
        return {
          outcome: 'would',
          text: `would set serverless of ${nameOf(serverless)} from ${serverless.Weight} to 0`,
        };
      }
      const { text } = await change(records, serverless, 0);
      return {
        outcome: 'done',
        text: `${text}; clients follow within ${serverless.TTL ?? 60} s of Route 53`,
      };
    },
  };
}

const noRecords = ({ recordName, hostedZoneId }: RolloutOutputs): string =>
  `there are no weighted records of ${recordName} in the hosted zone ${hostedZoneId}`;

/** Without the dot at the end that Route 53 answers. */
const nameOf = ({ Name = '' }: WeightedRecord): string => Name.replace(/\.$/, '');
