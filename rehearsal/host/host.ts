import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { ProblemError } from '../../lambda/contract/problem.ts';
import { problemResult } from '../../lambda/http/event.ts';

/** A Lambda handler behind an HTTP API. */
export type Handler = (event: APIGatewayProxyEventV2) => Promise<APIGatewayProxyStructuredResultV2>;

/** API Gateway refuses larger bodies. */
const MAX_BODY_BYTES = 10 * 1024 * 1024;
const TEXT = /^(text\/|application\/(json|javascript|xml)|[^;]*\+(json|xml))/i;

/** What API Gateway does before it invokes the function: lets an event pass, adds to it, or refuses it with a ProblemError. */
export type Gate = (event: APIGatewayProxyEventV2) => Promise<APIGatewayProxyEventV2>;

export interface HostOptions {
  /** Asked one after the other. Default: every request reaches the handler. */
  readonly gates?: readonly Gate[];
}

/** Turns HTTP requests into events of an HTTP API (payload 2.0), as API Gateway does, and results into answers. */
export function createHost(handler: Handler, { gates = [] }: HostOptions = {}): Server {
  return createServer(async (request, response) => {
    try {
      let event = eventOf(request, await readBody(request));
      for (const pass of gates) event = await pass(event);
      answer(response, await handler(event));
    } catch (error) {
      if (error instanceof ProblemError) return answer(response, problemResult(error));
      // What API Gateway says of a function that threw.
      console.error(error);
      answer(response, { statusCode: 502, body: '{"message":"Internal Server Error"}' });
    }
  });
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += chunk.length;
    // Read to the end all the same: an answer to a request that is still being sent gets lost.
    if (bytes <= MAX_BODY_BYTES) chunks.push(chunk);
  }
  if (bytes > MAX_BODY_BYTES) throw new ProblemError(413, `the body is larger than ${MAX_BODY_BYTES} bytes`);
  return Buffer.concat(chunks);
}

function eventOf(request: IncomingMessage, body: Buffer): APIGatewayProxyEventV2 {
  const [rawPath = '/', rawQueryString = ''] = splitOnce(request.url ?? '/', '?');
  const { cookie, ...others } = request.headers;
  const headers = Object.fromEntries(
    Object.entries(others).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join(',') : (value ?? ''),
    ]),
  );
  const isBase64Encoded = body.length > 0 && !TEXT.test(headers['content-type'] ?? '');
  const now = new Date();
  const path = decoded(rawPath.startsWith('/') ? rawPath : `/${rawPath}`);
  return {
    version: '2.0',
    routeKey: '$default',
    rawPath: path,
    rawQueryString,
    headers,
    isBase64Encoded,
    ...(cookie && { cookies: cookie.split('; ') }),
    ...(body.length > 0 && { body: body.toString(isBase64Encoded ? 'base64' : 'utf8') }),
    requestContext: {
      accountId: '000000000000',
      apiId: 'local',
      domainName: 'localhost',
      domainPrefix: 'localhost',
      http: {
        method: request.method ?? 'GET',
        path,
        protocol: `HTTP/${request.httpVersion}`,
        sourceIp: request.socket.remoteAddress ?? '127.0.0.1',
        userAgent: headers['user-agent'] ?? '',
      },
      requestId: randomUUID(),
      routeKey: '$default',
      stage: '$default',
      time: now.toUTCString(),
      timeEpoch: now.getTime(),
    },
  };
}

/** As an HTTP API does, whatever the name `rawPath` says. */
function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    throw new ProblemError(400, `the path ${JSON.stringify(path.slice(0, 80))} has a broken %-encoding`);
  }
}

function splitOnce(text: string, separator: string): [string, string?] {
  const at = text.indexOf(separator);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}

function answer(response: ServerResponse, result: APIGatewayProxyStructuredResultV2): void {
  const { statusCode = 200, headers = {}, cookies, body = '', isBase64Encoded } = result;
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, String(value));
  if (cookies) response.setHeader('set-cookie', cookies);
  response.statusCode = statusCode;
  response.end(isBase64Encoded ? Buffer.from(body, 'base64') : body);
}
