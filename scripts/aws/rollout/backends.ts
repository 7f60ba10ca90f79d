import { AwsError } from '../errors.ts';
import { recordsOf } from '../records.ts';
import { readRollout } from '../stacks.ts';

/** Where the weighted records of a stage lead to, and the name of both. @throws AwsError. */
export async function backendsOfStage(
  stage: string,
): Promise<{ readonly legacy: string; readonly serverless: string; readonly host: string }> {
  const rollout = await readRollout(stage);
  const records = rollout && (await recordsOf(rollout, { everyMs: 0, patienceMs: 0 }).read());
  const [legacy, serverless] = [records?.legacy, records?.serverless].map(
    (record) => record?.ResourceRecords?.[0]?.Value,
  );
  if (rollout && legacy && serverless) {
    return { legacy: `https://${legacy}`, serverless: `https://${serverless}`, host: rollout.recordName };
  }
  throw new AwsError(
    `compare: ${stage} has no weighted records of both backends; name them: --legacy https://... --serverless https://...`,
  );
}
