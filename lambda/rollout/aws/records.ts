import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Change,
  ChangeResourceRecordSetsCommand,
  GetChangeCommand,
  ListResourceRecordSetsCommand,
  type ResourceRecordSet,
  Route53Client,
} from '@aws-sdk/client-route-53';
import { type Backend, SET_IDENTIFIERS } from '../../contract/outputs.ts';
import { RECORD_TTL_SECONDS, type Weights } from '../../contract/rollout.ts';
import { RolloutRefusedError, RolloutWeightsError } from '../errors.ts';
import type { TrafficRecords } from '../traffic.ts';
import { CLIENT_OPTIONS } from './client.ts';

export interface RecordsOptions {
  readonly hostedZoneId: string;
  /** The name of both. */
  readonly recordName: string;
  /** How long to wait for INSYNC, and how often to ask, in milliseconds. */
  readonly patienceMs?: number;
  readonly everyMs?: number;
}

const PATIENCE_MS = 150_000;
const EVERY_MS = 3000;
const BACKENDS = Object.keys(SET_IDENTIFIERS) as Backend[];

type Found = Partial<Record<Backend, ResourceRecordSet>>;

/** The weighted records of a name in Route 53, to be read, moved, and made. */
export interface AwsRecords extends TrafficRecords {
  /** Makes those that are missing, and gives those that are there another target; a weight that is there stays as it is. */
  ensure(targets: Readonly<Record<Backend, string>>, initial: Weights): Promise<readonly string[]>;
}

/** @throws on use, RolloutRefusedError for a zone that is not ours; RolloutWeightsError; the errors of the AWS SDK. */
export function awsRecords(options: RecordsOptions): AwsRecords {
  const { hostedZoneId, recordName, patienceMs = PATIENCE_MS, everyMs = EVERY_MS } = options;
  const client = new Route53Client(CLIENT_OPTIONS);

  async function find(): Promise<Found> {
    // A name has as many records as backends: they are on the page that begins with it.
    const page = await client
      .send(
        new ListResourceRecordSetsCommand({
          ...{ HostedZoneId: hostedZoneId, StartRecordName: recordName, StartRecordType: 'CNAME' },
          MaxItems: 100,
        }),
      )
      .catch((error: Error) => {
        if (!['NoSuchHostedZone', 'AccessDenied', 'AccessDeniedException'].includes(error.name)) throw error;
        throw new RolloutRefusedError(
          `rollout: the hosted zone ${hostedZoneId} is not ours: ${error.message}; set rollout.hostedZoneId to the zone of ${recordName}`,
          { cause: error },
        );
      });
    const own = (page.ResourceRecordSets ?? []).filter(
      ({ Name = '', Type, Weight }) =>
        comparable(Name) === comparable(recordName) && Type === 'CNAME' && Weight !== undefined,
    );
    return Object.fromEntries(
      BACKENDS.flatMap((backend) => {
        const found = own.find(({ SetIdentifier }) => SetIdentifier === SET_IDENTIFIERS[backend]);
        return found ? [[backend, found]] : [];
      }),
    );
  }

  async function change(records: readonly ResourceRecordSet[]): Promise<void> {
    const told = records.map(({ SetIdentifier, Weight }) => `${SetIdentifier} ${Weight}`).join(', ');
    const { ChangeInfo } = await client.send(
      new ChangeResourceRecordSetsCommand({
        HostedZoneId: hostedZoneId,
        ChangeBatch: {
          Comment: `cutover: ${told}`,
          Changes: records.map((record): Change => ({ Action: 'UPSERT', ResourceRecordSet: record })),
        },
      }),
    );
    const endsAt = performance.now() + patienceMs;
    for (let status = ChangeInfo?.Status; status !== 'INSYNC'; ) {
      if (performance.now() > endsAt) {
        throw new RolloutWeightsError(
          `rollout: the change ${ChangeInfo?.Id} (${told}) is still ${status} after ${patienceMs / 1000} s`,
        );
      }
      await sleep(everyMs);
      const asked = await client.send(new GetChangeCommand({ Id: ChangeInfo?.Id }));
      status = asked.ChangeInfo?.Status;
    }
  }

  return {
    async read() {
      const found = await find();
      return Object.fromEntries(
        BACKENDS.flatMap((backend) => {
          const weight = found[backend]?.Weight;
          return weight === undefined ? [] : [[backend, weight]];
        }),
      );
    },
    async set(weights) {
      const found = await find();
      await change(
        BACKENDS.flatMap((backend) => {
          const [record, weight] = [found[backend], weights[backend]];
          if (weight === undefined) return [];
          if (record) return [{ ...record, Weight: weight }];
          throw new RolloutWeightsError(
            `rollout: the record ${backend} of ${recordName} is gone; deploy the stage`,
          );
        }),
      );
    },
    async ensure(targets, initial) {
      const found = await find();
      const wanted = BACKENDS.flatMap((backend): ResourceRecordSet[] => {
        const [record, target] = [found[backend], targets[backend]];
        const isRight = record?.TTL === RECORD_TTL_SECONDS && record.ResourceRecords?.[0]?.Value === target;
        if (record && isRight) return [];
        const weight = record?.Weight ?? initial[backend];
        return [
          {
            ...{
              Name: recordName,
              Type: 'CNAME',
              SetIdentifier: SET_IDENTIFIERS[backend],
              TTL: RECORD_TTL_SECONDS,
            },
            ...{ Weight: weight, ResourceRecords: [{ Value: target }] },
          },
        ];
      });
      if (wanted.length > 0) await change(wanted);
      return wanted.map(({ SetIdentifier, Weight }) => `${SetIdentifier} ${Weight}`);
    },
  };
}

/** As DNS compares names: Route 53 answers them with a dot at the end. */
const comparable = (name: string): string => name.toLowerCase().replace(/\.$/, '');
