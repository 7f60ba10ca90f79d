/** CloudWatch and Lambda as their clients see them: over HTTP, in JSON 1.0 and REST JSON. */
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { createGunzip } from 'node:zlib';
import { listen } from './http.ts';

export interface MetricDatum {
  readonly namespace: string;
  readonly name: string;
  /** As `environment=test, service=cutover-api`, in the order of their names. */
  readonly dimensions: string;
  /** In milliseconds since 1970. */
  readonly at: number;
  readonly value: number;
  readonly unit?: string;
}

/** A request to a service that this file knows nothing of, and its answer. */
export interface ServiceRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}
export interface ServiceAnswer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface AwsOptions {
  /** On a page of GetMetricData. Default: 7, so that there are pages. */
  readonly pagePoints?: number;
  /** Other services, by the name that requests are signed for; undefined leaves a request to this file. */
  readonly services?: Readonly<Record<string, (request: ServiceRequest) => ServiceAnswer | undefined>>;
  /** What a function does, by its name or ARN. What it throws is its error; without one there is no such function. */
  readonly functions?: Readonly<Record<string, (payload: unknown) => Promise<unknown>>>;
}

export interface Aws {
  readonly url: string;
  /** All that was ever put, and what a test puts itself. */
  readonly data: MetricDatum[];
  /** By name, each OK or ALARM; two on a page of DescribeAlarms. */
  readonly alarms: Record<string, 'OK' | 'ALARM'>;
  /** What was asked for, as `cloudwatch GetMetricData` or `lambda worker`. */
  readonly requests: string[];
  /** The next requests for this are refused, as AWS refuses who may not. */
  deny(action: string): void;
}

const PAGE_POINTS = 7;
const PAGE_ALARMS = 2;
const STATISTICS: Readonly<Record<string, (values: readonly number[]) => number>> = {
  Sum: (values) => values.reduce((sum, value) => sum + value, 0),
  SampleCount: (values) => values.length,
  p50: (values) => values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? 0,
  p95: (values) => values.toSorted((one, other) => one - other)[Math.floor(values.length * 0.95)] ?? 0,
};

interface Metric {
  readonly Namespace: string;
  readonly MetricName: string;
  readonly Dimensions?: readonly { readonly Name: string; readonly Value: string }[];
}
interface Query {
  readonly Id: string;
  readonly MetricStat: { readonly Metric: Metric; readonly Period: number; readonly Stat: string };
}
interface GetMetricData {
  readonly MetricDataQueries: readonly Query[];
  readonly StartTime: number;
  readonly EndTime: number;
  readonly NextToken?: string;
}
interface DescribeAlarms {
  readonly AlarmNamePrefix?: string;
  readonly StateValue?: string;
  readonly NextToken?: string;
}
interface PutMetricData {
  readonly Namespace: string;
  readonly MetricData: readonly (Metric & { Timestamp: number; Value: number; Unit: string })[];
}

const dimensionsOf = ({ Dimensions = [] }: Pick<Metric, 'Dimensions'>) =>
  Dimensions.map(({ Name, Value }) => `${Name}=${Value}`)
    .sort()
    .join(', ');

/** Listens until the test file has ended. */
export async function startAws({
  functions = {},
  services = {},
  pagePoints = PAGE_POINTS,
}: AwsOptions = {}): Promise<Aws> {
  const data: MetricDatum[] = [];
  const alarms: Record<string, 'OK' | 'ALARM'> = {};
  const requests: string[] = [];
  const denied = new Set<string>();

  const putMetricData = ({ Namespace, MetricData }: PutMetricData) => {
    for (const datum of MetricData) {
      const { MetricName: name, Timestamp, Value: value, Unit: unit } = datum;
      data.push({
        namespace: Namespace,
        name,
        dimensions: dimensionsOf(datum),
        at: Timestamp * 1000,
        value,
        unit,
      });
    }
    return {};
  };

  /** One point for each period that has any; all points of all queries are paged together. */
  const getMetricData = ({ MetricDataQueries, StartTime, EndTime, NextToken }: GetMetricData) => {
    const points = MetricDataQueries.flatMap(({ Id, MetricStat: { Metric, Period, Stat } }) => {
      const periods = new Map<number, number[]>();
      for (const { namespace, name, dimensions, at, value } of data) {
        const isAsked = namespace === Metric.Namespace && name === Metric.MetricName;
        const time = Math.floor(at / 1000 / Period) * Period;
        if (!isAsked || dimensions !== dimensionsOf(Metric) || time < StartTime || time >= EndTime) continue;
        periods.set(time, [...(periods.get(time) ?? []), value]);
      }
      const statistic = STATISTICS[Stat];
      if (!statistic) throw new Error(`no statistic ${Stat}`);
      return Array.from(periods, ([time, values]) => ({ Id, time, value: statistic(values) }));
    });
    const from = Number(NextToken ?? 0);
    const page = points.slice(from, from + pagePoints);
    return {
      MetricDataResults: MetricDataQueries.map(({ Id }) => {
        const own = page.filter((point) => point.Id === Id);
        return {
          Id,
          Label: Id,
          StatusCode: 'Complete',
          Timestamps: own.map(({ time }) => time),
          Values: own.map(({ value }) => value),
        };
      }),
      ...(from + pagePoints < points.length && { NextToken: String(from + pagePoints) }),
    };
  };

  const describeAlarms = ({ AlarmNamePrefix = '', StateValue, NextToken }: DescribeAlarms) => {
    const found = Object.entries(alarms).filter(
      ([name, state]) => name.startsWith(AlarmNamePrefix) && state === (StateValue ?? state),
    );
    const from = Number(NextToken ?? 0);
    const page = found.slice(from, from + PAGE_ALARMS);
    return {
      MetricAlarms: page.map(([AlarmName, value]) => ({ AlarmName, StateValue: value })),
      CompositeAlarms: [],
      ...(from + PAGE_ALARMS < found.length && { NextToken: String(from + PAGE_ALARMS) }),
    };
  };

  const ofCloudWatch = (request: IncomingMessage, body: string, response: ServerResponse) => {
    const [, action = ''] = String(request.headers['x-amz-target']).split('GraniteServiceVersion20100801.');
    requests.push(`cloudwatch ${action}`);
    response.setHeader('content-type', 'application/x-amz-json-1.0');
    if (denied.has(action)) {
      response.writeHead(400, { 'x-amzn-query-error': 'AccessDenied;Sender' });
      const refusal = {
        __type: 'com.amazonaws.cloudwatch#AccessDeniedException',
        message: `may not ${action}`,
      };
      return JSON.stringify(refusal);
    }
    const actions: Readonly<Record<string, (input: never) => unknown>> = {
      PutMetricData: putMetricData,
      GetMetricData: getMetricData,
      DescribeAlarms: describeAlarms,
    };
    return JSON.stringify(actions[action]?.(JSON.parse(body) as never));
  };

  const ofLambda = async (name: string, body: string, response: ServerResponse) => {
    requests.push(`lambda ${name}`);
    response.setHeader('content-type', 'application/json');
    const called = functions[name];
    if (!called) {
      response.writeHead(404, { 'x-amzn-errortype': 'ResourceNotFoundException' });
      return JSON.stringify({ Type: 'User', Message: `Function not found: ${name}` });
    }
    try {
      return JSON.stringify((await called(JSON.parse(body))) ?? null);
    } catch (error) {
      response.setHeader('x-amz-function-error', 'Unhandled');
      const { name: errorType, message: errorMessage } = error as Error;
      return JSON.stringify({ errorType, errorMessage, trace: [] });
    }
  };

  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const gzipped = request.headers['content-encoding'] === 'gzip';
    const body = await text(gzipped ? request.pipe(createGunzip()) : request);
    const [, service = ''] =
      /Credential=[^/]+\/\d+\/[^/]+\/(\w+)\//.exec(request.headers.authorization ?? '') ?? [];
    const [, name] = /^\/2015-03-31\/functions\/([^/]+)\/invocations$/.exec(request.url ?? '') ?? [];
    const { method = '', url: path = '', headers } = request;
    const other = services[service]?.({ method, path, headers, body });
    if (other) response.writeHead(other.status ?? 200, other.headers).end(other.body);
    else if (service === 'monitoring') response.end(ofCloudWatch(request, body, response));
    else if (service === 'lambda' && name)
      response.end(await ofLambda(decodeURIComponent(name), body, response));
    else response.writeHead(403).end();
  };

  const server = createServer((request, response) => {
    answer(request, response).catch((error: Error) => response.writeHead(500).end(error.message));
  });
  return { url: await listen(server), data, alarms, requests, deny: (action) => void denied.add(action) };
}

/** What the SDK needs to come here and nowhere else. */
export const awsEnvironment = ({ url }: Pick<Aws, 'url'>): Record<string, string> => ({
  AWS_ENDPOINT_URL: url,
  AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
  AWS_REGION: 'eu-central-1',
  AWS_ACCESS_KEY_ID: 'AKIAEXAMPLE',
  AWS_SECRET_ACCESS_KEY: 'secret',
  AWS_CONFIG_FILE: '/dev/null',
  AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
});
