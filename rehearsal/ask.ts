import { Agent, request } from 'undici';
import type { Backend } from './checker.ts';
import type { Observation, Recorder } from './recorder.ts';

/** A request of a user's device. */
export interface Question {
  readonly device: string;
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE';
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
}

export interface Answer {
  readonly status: number;
  readonly backend: Backend;
  readonly cache: Observation['cache'];
  readonly text: string;
  /** A header, the first where there are several. */
  header(name: string): string | undefined;
}

export interface Asking {
  /** Sends a request, and records its answer. */
  ask(question: Question): Promise<Answer>;
  close(): Promise<void>;
}

export interface AskOptions {
  readonly url: string;
  readonly recorder: Pick<Recorder, 'record' | 'errors5xx'>;
  /** Told of the first answers that were 5xx. */
  readonly onError: (message: string) => void;
}

const MAX_TOLD_ERRORS = 3;
/** As many as users wait at the most: who hangs must not hold up the others. */
const CONNECTIONS = 400;

/** The users' way to the router. */
export function createAsking({ url, recorder, onError }: AskOptions): Asking {
  const dispatcher = new Agent({ connections: CONNECTIONS });
  return {
    async ask({ device, method, path, headers, body }) {
      const start = performance.now();
      const answer = await request(url + path, {
        dispatcher,
        method,
        headers: {
          'x-device': device,
          ...(body !== undefined && { 'content-type': 'application/json' }),
          ...headers,
        },
        body: body ?? null,
      });
      const text = await answer.body.text();
      const status = answer.statusCode;
      const header = (name: string) => [answer.headers[name]].flat()[0];
      const backend = header('x-backend') as Backend;
      const cache = header('x-cache') as Observation['cache'];
      recorder.record({ backend, status, latencyMs: performance.now() - start, cache });
      if (status >= 500 && recorder.errors5xx <= MAX_TOLD_ERRORS) {
        onError(`${method} ${path}: ${status} by ${backend}: ${text}`);
      }
      return { status, backend, cache, text, header };
    },
    close: () => dispatcher.destroy(),
  };
}

/** What nobody should be answered; it ends the rehearsal. */
export const unexpected = ({ method, path }: Question, { status, backend, text }: Answer, what = '') =>
  new Error(`rehearse: ${method} ${path} was answered ${status} by ${backend}${what}: ${text}`);
