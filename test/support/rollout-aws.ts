/** What a rollout asks of AWS, over HTTP: Route 53, Systems Manager, Step Functions and, by `startAws`, CloudWatch and Lambda. */
import { type Aws, type AwsOptions, type ServiceAnswer, type ServiceRequest, startAws } from './aws.ts';

export interface RolloutAws extends Aws {
  /** By set identifier; a record that is not there has none. */
  weights: Record<string, number>;
  /** The weights after each change, the first ones included. */
  readonly history: Record<string, number>[];
  /** Where records lead to. */
  readonly targets: Record<string, string>;
  /** How often Route 53 answers PENDING before INSYNC. */
  pending: number;
  /** The text of the parameter. */
  stop: string;
  /** The executions, newest first, as Step Functions has them. */
  executions: { name: string; status: string; input?: string; error?: string; cause?: string }[];
  /** The history of the newest one, newest first. */
  events: Record<string, unknown>[];
  /** What was sent with tokens: `success TOKEN OUTPUT` or `failure TOKEN ERROR CAUSE`. */
  readonly sent: string[];
  /** What was asked of the services of this file, as `route53 GetChange`. */
  readonly record: string[];
  /** The same with what it was asked of, as IAM decides it. */
  readonly calls: IamCall[];
  /** The next requests for this are answered with this error. */
  refuse(action: string, error?: string): void;
  allow(): void;
}

export interface IamCall {
  readonly action: string;
  readonly resource: string;
  /** What conditions are about. */
  readonly context: Readonly<Record<string, readonly string[]>>;
}

export const ZONE = 'Z0123456789ABCDEFGHIJ';
export const NAME = 'api.shop.example';
export const MACHINE = 'arn:aws:states:eu-central-1:111122223333:stateMachine:cutover-dev-rollout';
export const STOP = '/cutover/dev/rollout/stop';
export const executionOf = (name: string): string =>
  `${MACHINE.replace(':stateMachine:', ':execution:')}:${name}`;

const NAMESPACE = 'xmlns="https://route53.amazonaws.com/doc/2013-04-01/"';

/** Listens until the test file has ended; all of the traffic is with the legacy backend. */
export async function startRolloutAws(options: AwsOptions = {}): Promise<RolloutAws> {
  const refused = new Map<string, string>();
  const record: string[] = [];
  const calls: IamCall[] = [];
  const asked = (
    service: string,
    action: string,
    { resource, context = {} }: { resource: string; context?: IamCall['context'] },
  ): string | undefined => {
    record.push(`${service} ${action}`);
    calls.push({ action: `${service}:${action}`, resource, context });
    return refused.get(action);
  };
  const state = {
    ...{ weights: { legacy: 100, serverless: 0 } as Record<string, number>, pending: 1, stop: 'none' },
    targets: { legacy: 'legacy.example.net', serverless: 'serverless.example.net' } as Record<string, string>,
    executions: [] as RolloutAws['executions'],
    ...{ events: [] as RolloutAws['events'], sent: [] as string[] },
    history: [{ legacy: 100, serverless: 0 }] as Record<string, number>[],
  };

  const route53 = ({ method, path, body }: ServiceRequest): ServiceAnswer => {
    const action = path.includes('/change/')
      ? 'GetChange'
      : method === 'POST'
        ? 'ChangeResourceRecordSets'
        : 'ListResourceRecordSets';
    const [, of = ''] = /2013-04-01\/((?:hostedzone|change)\/[^/?]+)/.exec(path) ?? [];
    const changed = (name: string) =>
      Array.from(body.matchAll(new RegExp(`<${name}>([^<]+)<`, 'g')), ([, value = '']) => value);
    const error = asked('route53', action, {
      resource: `arn:aws:route53:::${of}`,
      context: {
        'route53:ChangeResourceRecordSetsNormalizedRecordNames': changed('Name').map((name) =>
          name.toLowerCase().replace(/\.$/, ''),
        ),
        'route53:ChangeResourceRecordSetsRecordTypes': changed('Type'),
        'route53:ChangeResourceRecordSetsActions': changed('Action'),
      },
    });
    if (error) return route53Error(error);
    if (action === 'GetChange') {
      const isPending = state.pending > 0;
      if (isPending) state.pending -= 1;
      return xml(`<GetChangeResponse ${NAMESPACE}>${changeXml(isPending)}</GetChangeResponse>`);
    }
    if (!path.includes(ZONE)) return route53Error('NoSuchHostedZone');
    if (action === 'ListResourceRecordSets') {
      const records = Object.entries(state.weights).map(([id, weight]) =>
        recordXml(id, weight, state.targets[id] ?? ''),
      );
      const listed = `<ResourceRecordSets>${records.join('')}</ResourceRecordSets><IsTruncated>false</IsTruncated><MaxItems>100</MaxItems>`;
      return xml(`<ListResourceRecordSetsResponse ${NAMESPACE}>${listed}</ListResourceRecordSetsResponse>`);
    }
    for (const [, change = ''] of body.matchAll(/<Change>(.*?)<\/Change>/gs)) {
      const field = (name: string) => new RegExp(`<${name}>([^<]+)<`).exec(change)?.[1] ?? '';
      const isWhole = ['Name', 'TTL', 'Value'].every(field) && field('Action') === 'UPSERT';
      if (!isWhole) return { status: 400, body: `not the whole record: ${change}` };
      state.weights[field('SetIdentifier')] = Number(field('Weight'));
      state.targets[field('SetIdentifier')] = field('Value');
    }
    state.history.push({ ...state.weights });
    return xml(
      `<ChangeResourceRecordSetsResponse ${NAMESPACE}>${changeXml(state.pending > 0)}</ChangeResourceRecordSetsResponse>`,
    );
  };

  const ssm = ({ headers, body }: ServiceRequest): ServiceAnswer => {
    const [, action = ''] = String(headers['x-amz-target']).split('.');
    const { Name, Value } = JSON.parse(body);
    const error = asked('ssm', action, {
      resource: `arn:aws:ssm:eu-central-1:111122223333:parameter${Name}`,
    });
    if (error) return jsonError(error);
    if (Name !== STOP) return jsonError('ParameterNotFound');
    if (action === 'GetParameter') return json({ Parameter: { Name, Value: state.stop } });
    state.stop = Value;
    return json({ Version: 2 });
  };

  const states = ({ headers, body }: ServiceRequest): ServiceAnswer => {
    const [, action = ''] = String(headers['x-amz-target']).split('.');
    const input = JSON.parse(body);
    // A token is of the machine.
    const error = asked('states', action, {
      resource: input.executionArn ?? input.stateMachineArn ?? MACHINE,
    });
    if (error) return jsonError(error);
    if (action === 'ListExecutions') {
      const found = state.executions.filter(({ status }) => status === (input.statusFilter ?? status));
      return json({ executions: found.map(describe) });
    }
    if (action === 'DescribeExecution') {
      const found = state.executions.find(({ name }) => executionOf(name) === input.executionArn);
      return found ? json({ ...describe(found), ...found }) : jsonError('ExecutionDoesNotExist');
    }
    if (action === 'StartExecution') {
      if (state.executions.some(({ name }) => name === input.name))
        return jsonError('ExecutionAlreadyExists');
      state.executions.unshift({ name: input.name, status: 'RUNNING', input: input.input });
      return json({ executionArn: executionOf(input.name), startDate: 1_800_000_000 });
    }
    if (action === 'GetExecutionHistory') return json({ events: state.events });
    if (action === 'SendTaskSuccess') state.sent.push(`success ${input.taskToken} ${input.output}`);
    if (action === 'SendTaskFailure')
      state.sent.push(`failure ${input.taskToken} ${input.error} ${input.cause}`);
    return json({});
  };
  const describe = ({ name, status }: RolloutAws['executions'][number]) => ({
    ...{ executionArn: executionOf(name), stateMachineArn: MACHINE, name, status, startDate: 1_800_000_000 },
  });

  const others = options.services ?? {};
  const aws = await startAws({ ...options, services: { ...others, route53, ssm, states } });
  return Object.assign(state, aws, {
    ...{ record, calls },
    refuse: (action: string, error = 'AccessDenied') => void refused.set(action, error),
    allow: () => refused.clear(),
  });
}

const recordXml = (id: string, weight: number, target: string): string =>
  `<ResourceRecordSet><Name>${NAME}.</Name><Type>CNAME</Type><SetIdentifier>${id}</SetIdentifier><Weight>${weight}</Weight><TTL>60</TTL><ResourceRecords><ResourceRecord><Value>${target}</Value></ResourceRecord></ResourceRecords></ResourceRecordSet>`;
const changeXml = (isPending: boolean): string =>
  `<ChangeInfo><Id>/change/C1</Id><Status>${isPending ? 'PENDING' : 'INSYNC'}</Status><SubmittedAt>2026-11-27T00:00:00Z</SubmittedAt></ChangeInfo>`;
const xml = (body: string): ServiceAnswer => ({ headers: { 'content-type': 'text/xml' }, body });
const json = (body: unknown): ServiceAnswer => ({
  headers: { 'content-type': 'application/x-amz-json-1.1' },
  body: JSON.stringify(body),
});
const jsonError = (type: string): ServiceAnswer => ({
  ...{ status: 400, headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amzn-errortype': type } },
  body: JSON.stringify({ __type: type, message: `${type} of the test` }),
});
const route53Error = (code: string): ServiceAnswer => ({
  ...{ status: code === 'NoSuchHostedZone' ? 404 : 400, headers: { 'content-type': 'text/xml' } },
  body: `<ErrorResponse ${NAMESPACE}><Error><Type>Sender</Type><Code>${code}</Code><Message>${code} of the test</Message></Error><RequestId>1</RequestId></ErrorResponse>`,
});
