/** A deployed stage as CloudFormation, Route 53, Lambda and CodeDeploy tell of it, over HTTP; what is changed is recorded in its order. */
import { stackNameOf } from '../../lambda/contract/outputs.ts';
import { type Aws, type AwsOptions, type ServiceAnswer, type ServiceRequest, startAws } from './aws.ts';
import { describeStacks } from './stacks.ts';

export interface Deployed {
  /** By the name of the stack; a stack that is not there is not deployed. */
  stacks: Record<string, Record<string, string>>;
  /** By set identifier. */
  weights: Record<string, number>;
  /** How often Route 53 answers PENDING before INSYNC. */
  pending: number;
  versions: number[];
  alias: { version: number; shared: Record<string, number>; revision: number };
  /** Those under way. */
  deployments: { id: string; creator: string; versionBefore: number }[];
}

export interface AwsStage extends Aws {
  readonly deployed: Deployed;
  /** What was changed, in words, in its order. */
  readonly changes: string[];
  /** The weights as they were after each change. */
  readonly history: Record<string, number>[];
  /** The next requests for this are refused. */
  refuse(action: string): void;
  allow(): void;
}

const FUNCTION = 'api-function';
export const OPERATOR = 'operator-function';
const ZONE = 'Z0123456789ABC';
const NAME = 'api.example.com';

/** Version 7 has all of the traffic of the alias and of the domain. */
export const deployedStage = (stage: string, phase = 'isolated'): Deployed => ({
  stacks: {
    [stackNameOf(stage, 'Service')]: {
      OperatorFunctionName: OPERATOR,
      ApiFunctionName: FUNCTION,
      ApiAliasName: 'live',
      ApiVersion: '7',
      DeploymentApplicationName: 'application',
      DeploymentGroupName: 'group',
      MigrationPhase: phase,
      NodeEnvironment: 'test',
    },
    [stackNameOf(stage, 'Operations')]: { HostedZoneId: ZONE, RecordName: NAME },
  },
  weights: { legacy: 0, serverless: 100 },
  pending: 1,
  versions: [5, 6, 7],
  alias: { version: 7, shared: {}, revision: 1 },
  deployments: [],
});

/** Listens until the test file has ended. */
export async function startAwsStage(
  deployed: Deployed,
  functions: NonNullable<AwsOptions['functions']> = {},
): Promise<AwsStage> {
  const changes: string[] = [];
  const history: Record<string, number>[] = [{ ...deployed.weights }];
  const refused = new Set<string>();
  const requests: string[] = [];

  const asked = (service: string, action: string): boolean => {
    requests.push(`${service} ${action}`);
    return !refused.has(action);
  };

  const cloudformation = (request: ServiceRequest): ServiceAnswer => {
    const parameters = new URLSearchParams(request.body);
    const stack = parameters.get('StackName') ?? '';
    if (!asked('cloudformation', `${parameters.get('Action')} ${stack}`) || refused.has('DescribeStacks')) {
      return queryError(403, 'AccessDenied', 'may not cloudformation:DescribeStacks');
    }
    if (!deployed.stacks[stack])
      return queryError(400, 'ValidationError', `Stack with id ${stack} does not exist`);
    return describeStacks(() => deployed.stacks)(request);
  };

  const recordXml = ([id, weight]: [string, number]): string =>
    `<ResourceRecordSet><Name>${NAME}.</Name><Type>CNAME</Type><SetIdentifier>${id}</SetIdentifier><Weight>${weight}</Weight><TTL>60</TTL><ResourceRecords><ResourceRecord><Value>${id}.example.net</Value></ResourceRecord></ResourceRecords></ResourceRecordSet>`;
  const NAMESPACE = 'xmlns="https://route53.amazonaws.com/doc/2013-04-01/"';
  const changeXml = (status: string): string =>
    `<ChangeInfo><Id>/change/C1</Id><Status>${status}</Status><SubmittedAt>2026-11-27T00:00:00Z</SubmittedAt></ChangeInfo>`;

  const route53 = ({ method, path, body }: ServiceRequest): ServiceAnswer => {
    const action = path.includes('/change/')
      ? 'GetChange'
      : method === 'POST'
        ? 'ChangeResourceRecordSets'
        : 'ListResourceRecordSets';
    if (!asked('route53', action)) {
      return {
        status: 403,
        body: `<ErrorResponse ${NAMESPACE}><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>may not route53:${action}</Message></Error><RequestId>1</RequestId></ErrorResponse>`,
      };
    }
    if (action === 'GetChange') {
      const isPending = deployed.pending > 0;
      if (isPending) deployed.pending -= 1;
      else changes.push('in sync');
      return xml(
        `<GetChangeResponse ${NAMESPACE}>${changeXml(isPending ? 'PENDING' : 'INSYNC')}</GetChangeResponse>`,
      );
    }
    if (action === 'ListResourceRecordSets') {
      const records = Object.entries(deployed.weights).map(recordXml);
      // What comes after the name on the page is somebody else's.
      const other = `<ResourceRecordSet><Name>other.example.com.</Name><Type>CNAME</Type><SetIdentifier>legacy</SetIdentifier><Weight>0</Weight><TTL>60</TTL><ResourceRecords><ResourceRecord><Value>x.example.net</Value></ResourceRecord></ResourceRecords></ResourceRecordSet>`;
      return xml(
        `<ListResourceRecordSetsResponse ${NAMESPACE}><ResourceRecordSets>${records.join('')}${other}</ResourceRecordSets><IsTruncated>false</IsTruncated><MaxItems>100</MaxItems></ListResourceRecordSetsResponse>`,
      );
    }
    const [, id = ''] = /<SetIdentifier>(\w+)</.exec(body) ?? [];
    const [, weight = ''] = /<Weight>(\d+)</.exec(body) ?? [];
    const isWhole = body.includes(`<Value>${id}.example.net</Value>`) && body.includes('<TTL>60</TTL>');
    if (!path.includes(ZONE) || !isWhole) return { status: 400, body: `not the whole record: ${body}` };
    deployed.weights[id] = Number(weight);
    changes.push(`${id} ${weight}`);
    history.push({ ...deployed.weights });
    return xml(
      `<ChangeResourceRecordSetsResponse ${NAMESPACE}>${changeXml('PENDING')}</ChangeResourceRecordSetsResponse>`,
    );
  };

  const aliasBody = (): string => {
    const { version, shared, revision } = deployed.alias;
    return JSON.stringify({
      ...{ Name: 'live', FunctionVersion: String(version), RevisionId: String(revision) },
      ...(Object.keys(shared).length > 0 && { RoutingConfig: { AdditionalVersionWeights: shared } }),
    });
  };
  const lambda = ({ method, path, body }: ServiceRequest): ServiceAnswer | undefined => {
    const { pathname, searchParams } = new URL(path, 'http://lambda');
    if (pathname.endsWith('/invocations')) {
      const [, name = ''] = /functions\/([^/]+)/.exec(pathname) ?? [];
      changes.push(`invoke ${name} ${body}`);
      return asked('lambda', 'Invoke') ? undefined : jsonError(403, 'AccessDeniedException');
    }
    const action = pathname.endsWith('/versions')
      ? 'ListVersionsByFunction'
      : method === 'PUT'
        ? 'UpdateAlias'
        : 'GetAlias';
    if (!asked('lambda', action)) return jsonError(403, 'AccessDeniedException');
    if (action === 'ListVersionsByFunction') {
      // Two pages: $LATEST and the first ones, then the rest.
      const all = ['$LATEST', ...deployed.versions.map(String)];
      const second = searchParams.has('Marker');
      return json({
        Versions: (second ? all.slice(2) : all.slice(0, 2)).map((Version) => ({ Version })),
        ...(!second && { NextMarker: '2' }),
      });
    }
    if (action === 'UpdateAlias') {
      const { FunctionVersion, RoutingConfig, RevisionId } = JSON.parse(body);
      if (RevisionId !== String(deployed.alias.revision))
        return jsonError(412, 'PreconditionFailedException');
      const { AdditionalVersionWeights: shared = deployed.alias.shared } = RoutingConfig ?? {};
      deployed.alias = { version: Number(FunctionVersion), shared, revision: deployed.alias.revision + 1 };
      changes.push(`alias ${FunctionVersion} ${JSON.stringify(shared)}`);
    }
    return json(JSON.parse(aliasBody()));
  };

  const codedeploy = ({ headers, body }: ServiceRequest): ServiceAnswer => {
    const [, action = ''] = String(headers['x-amz-target']).split('.');
    if (!asked('codedeploy', action)) return jsonError(400, 'AccessDeniedException');
    const input = JSON.parse(body);
    if (action === 'ListDeployments') return json({ deployments: deployed.deployments.map(({ id }) => id) });
    const found = deployed.deployments.find(({ id }) => id === input.deploymentId);
    if (action === 'GetDeployment') {
      // A way back is over by the time that somebody has asked for it twice.
      if (found?.creator === 'codeDeployRollback') {
        deployed.deployments = [];
        deployed.alias = { version: found.versionBefore, shared: {}, revision: deployed.alias.revision + 1 };
      }
      return json({
        deploymentInfo: { deploymentId: input.deploymentId, creator: found?.creator ?? 'user' },
      });
    }
    if (!found) return jsonError(400, 'DeploymentAlreadyCompletedException');
    changes.push(`stop ${found.id} autoRollback ${input.autoRollbackEnabled}`);
    deployed.deployments = [{ ...found, id: 'd-BACK', creator: 'codeDeployRollback' }];
    return json({ status: 'Pending' });
  };

  const aws = await startAws({ functions, services: { cloudformation, route53, lambda, codedeploy } });
  return {
    ...aws,
    ...{ deployed, changes, history, requests },
    refuse: (action) => void refused.add(action),
    allow: () => refused.clear(),
  };
}

const xml = (body: string): ServiceAnswer => ({ headers: { 'content-type': 'text/xml' }, body });
const json = (body: unknown): ServiceAnswer => ({
  headers: { 'content-type': 'application/x-amz-json-1.1' },
  body: JSON.stringify(body),
});
const jsonError = (status: number, type: string): ServiceAnswer => ({
  status,
  headers: { 'x-amzn-errortype': type, 'content-type': 'application/x-amz-json-1.1' },
  body: JSON.stringify({ __type: type, message: `${type} of the test`, Type: 'User', Message: type }),
});
const queryError = (status: number, code: string, message: string): ServiceAnswer => ({
  status,
  headers: { 'content-type': 'text/xml' },
  body: `<ErrorResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"><Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error><RequestId>1</RequestId></ErrorResponse>`,
});
