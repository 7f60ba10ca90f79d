import http from 'node:http';
import https from 'node:https';
import { text } from 'node:stream/consumers';
import { ConfigurationError } from '../../contract/errors.ts';
import type { Get } from './compare.ts';

export interface BackendOptions {
  /** Where it is: `https://` with the name of its load balancer, or of the API's domain at AWS. */
  readonly url: string;
  /** The name that clients know, in the header and in TLS; undefined where it is the URL's. */
  readonly host: string | undefined;
  /** For the message. */
  readonly variable: string;
}

const PATIENCE_MS = 10_000;

/** Asks a backend by its own address as clients ask it by the name of both. @throws ConfigurationError for the URL. */
export function backendAt({ url, host, variable }: BackendOptions): Get {
  const base = parsed(url, variable);
  const { request } = base.protocol === 'https:' ? https : http;
  return (path) =>
    new Promise((resolve, reject) => {
      const failed = (error: Error) =>
        reject(
          new Error(`rollout: ${base.host} does not answer GET ${path}: ${error.message}`, { cause: error }),
        );
      const asked = request(
        new URL(path, base),
        {
          signal: AbortSignal.timeout(PATIENCE_MS),
          headers: { accept: 'application/json', ...(host && { host }) },
          ...(host && base.protocol === 'https:' && { servername: host }),
        },
        (answer) => {
          text(answer).then((body) => resolve({ status: answer.statusCode ?? 0, body }), failed);
        },
      );
      asked.on('error', failed);
      asked.end();
    });
}

function parsed(url: string, variable: string): URL {
  if (URL.canParse(url) && /^https?:/.test(url)) return new URL(url);
  throw new ConfigurationError(
    `compare: ${variable} is ${JSON.stringify(url)}; it must be a URL such as https://legacy.example.com`,
  );
}
