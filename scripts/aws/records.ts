import { setTimeout as sleep } from 'node:timers/promises';
import {
  ChangeResourceRecordSetsCommand,
  GetChangeCommand,
  ListResourceRecordSetsCommand,
  type ResourceRecordSet,
  Route53Client,
} from '@aws-sdk/client-route-53';
import { type Backend, SET_IDENTIFIERS } from '../../lambda/contract/outputs.ts';
import { AwsError, asking } from './errors.ts';
import type { RolloutOutputs } from './stacks.ts';

/** A weighted record as Route 53 has it. */
export type WeightedRecord = ResourceRecordSet & { readonly Weight: number };

export interface Records {
  /** Those that are there, by backend. @throws AwsError. */
  read(): Promise<Readonly<Partial<Record<Backend, WeightedRecord>>>>;
  /** Gives a record another weight, and leaves the rest of it as it is. @returns the id of the change. @throws AwsError. */
  setWeight(record: WeightedRecord, weight: number): Promise<string>;
  /** Waits until all name servers of Route 53 know the change. @throws AwsError when they do not in time, or the signal is aborted. */
  inSync(changeId: string, signal: AbortSignal): Promise<void>;
}

/** How long to wait for what AWS does by itself, and how often to look. */
export interface Patience {
  readonly everyMs: number;
  readonly patienceMs: number;
}

/** The two weighted records of a stage. */
export function recordsOf({ hostedZoneId, recordName }: RolloutOutputs, patience: Patience): Records {
  const client = new Route53Client({});
  const wanted = comparable(recordName);
  const backends = Object.keys(SET_IDENTIFIERS) as Backend[];
  return {
    async read() {
      const { ResourceRecordSets = [] } = await asking(
        `route53:ListResourceRecordSets of ${hostedZoneId}`,
        () =>
          client.send(
            // A name has as many records as backends: they are on the page that begins with it.
            new ListResourceRecordSetsCommand({
              ...{ HostedZoneId: hostedZoneId, StartRecordName: recordName, StartRecordType: 'CNAME' },
              MaxItems: 100,
            }),
          ),
      );
      const own = ResourceRecordSets.filter(
        (record): record is WeightedRecord =>
          comparable(record.Name ?? '') === wanted && record.Type === 'CNAME' && record.Weight !== undefined,
      );
      return Object.fromEntries(
        backends.flatMap((backend) => {
          const found = own.find(({ SetIdentifier }) => SetIdentifier === SET_IDENTIFIERS[backend]);
          return found ? [[backend, found]] : [];
        }),
      );
    },
    async setWeight(record, weight) {
      const { ChangeInfo } = await asking(`route53:ChangeResourceRecordSets of ${hostedZoneId}`, () =>
        client.send(
          new ChangeResourceRecordSetsCommand({
            HostedZoneId: hostedZoneId,
            ChangeBatch: {
              Comment: `cutover: weight of ${record.SetIdentifier} from ${record.Weight} to ${weight}`,
              Changes: [{ Action: 'UPSERT', ResourceRecordSet: { ...record, Weight: weight } }],
            },
          }),
        ),
      );
      return ChangeInfo?.Id ?? '';
    },
    async inSync(changeId, signal) {
      const endsAt = performance.now() + patience.patienceMs;
      for (;;) {
        const { ChangeInfo } = await asking(`route53:GetChange of ${changeId}`, () =>
          client.send(new GetChangeCommand({ Id: changeId })),
        );
        if (ChangeInfo?.Status === 'INSYNC') return;
        if (performance.now() > endsAt) {
          throw new AwsError(
            `route53: the change ${changeId} is still ${ChangeInfo?.Status ?? 'unknown'} after ${patience.patienceMs / 1000} s`,
          );
        }
        await sleep(patience.everyMs, undefined, { signal }).catch(() => {
          throw new AwsError(`route53: nobody waits any longer for the change ${changeId}`);
        });
      }
    },
  };
}

/** As DNS compares names: Route 53 answers them with a dot at the end. */
const comparable = (name: string): string => name.toLowerCase().replace(/\.$/, '');
