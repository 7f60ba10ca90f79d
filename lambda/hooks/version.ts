import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import * as v from 'valibot';
import { ConfigurationError } from '../contract/errors.ts';
import { HookError } from './error.ts';

/** What a version of the API has answered to a request. */
export interface VersionAnswer {
  readonly status: number;
  /** By their names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/**
 * Sends a GET to the version as API Gateway would.
 * @throws HookError for a version that fails or answers something else; the errors of the AWS SDK.
 */
export type AskVersion = (path: string, signal: AbortSignal) => Promise<VersionAnswer>;

/** A version of the API. */
export interface Version {
  readonly functionName: string;
  /** As Lambda numbers it. */
  readonly number: string;
  readonly ask: AskVersion;
}

const CONNECT_TIMEOUT_MS = 2000;
/** A cold start and the API's own timeout, each of 10 s at the most. */
const REQUEST_TIMEOUT_MS = 20_000;

const Result = v.object({
  statusCode: v.number(),
  headers: v.optional(v.record(v.string(), v.union([v.string(), v.number(), v.boolean()])), {}),
  body: v.optional(v.string(), ''),
});
const Failure = v.object({
  errorType: v.optional(v.string(), 'Error'),
  errorMessage: v.optional(v.string(), ''),
});

/**
 * The version with this ARN: its number stands at the end, since what calls the function or its alias gets any version.
 * @throws ConfigurationError for anything else.
 */
export function versionAt(arn: string | undefined): Version {
  const [, functionName, number] = /:function:([^:]+):(\d+)$/.exec(arn ?? '') ?? [];
  if (!functionName || !number) {
    throw new ConfigurationError(
      `hooks: NEW_VERSION is ${JSON.stringify(arn)}; it must be the ARN of a version of the API, which ends in :function:NAME:NUMBER`,
    );
  }
  // Who asks tries again.
  const client = new LambdaClient({
    maxAttempts: 1,
    requestHandler: {
      connectionTimeout: CONNECT_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      throwOnRequestTimeout: true,
    },
  });
  const ask: AskVersion = async (path, signal) => {
    const { FunctionError, Payload } = await client.send(
      new InvokeCommand({ FunctionName: arn, Payload: JSON.stringify(requestOf(path)) }),
      { abortSignal: signal },
    );
    const payload = Payload?.transformToString() ?? '';
    if (FunctionError !== undefined) throw failed(path, payload);
    return answerOf(path, payload);
  };
  return { functionName, number, ask };
}

function failed(path: string, payload: string): HookError {
  const { errorType, errorMessage } = v.parse(
    v.fallback(Failure, { errorType: 'Error', errorMessage: '' }),
    jsonOf(payload),
  );
  return new HookError(`hooks: GET ${path}: the version failed: ${errorType}: ${errorMessage}`);
}

function answerOf(path: string, payload: string): VersionAnswer {
  const { success, output } = v.safeParse(Result, jsonOf(payload));
  if (!success) {
    throw new HookError(
      `hooks: GET ${path}: the version answered ${payload.slice(0, 200)}, which is no HTTP answer`,
    );
  }
  const headers = Object.entries(output.headers).map(([name, value]) => [name.toLowerCase(), String(value)]);
  return { status: output.statusCode, headers: Object.fromEntries(headers), body: output.body };
}

/** Undefined for what is no JSON. */
export function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** An event of an HTTP API, payload 2.0. */
function requestOf(path: string): APIGatewayProxyEventV2 {
  const now = new Date();
  return {
    version: '2.0',
    routeKey: '$default',
    rawPath: path,
    rawQueryString: '',
    headers: { accept: 'application/json', host: 'hook.invalid' },
    isBase64Encoded: false,
    requestContext: {
      accountId: 'anonymous',
      apiId: 'hook',
      domainName: 'hook.invalid',
      domainPrefix: 'hook',
      http: { method: 'GET', path, protocol: 'HTTP/1.1', sourceIp: '127.0.0.1', userAgent: 'cutover-hook' },
      requestId: `hook-${now.getTime()}`,
      routeKey: '$default',
      stage: '$default',
      time: now.toUTCString(),
      timeEpoch: now.getTime(),
    },
  };
}
