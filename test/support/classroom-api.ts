/** The routes of sessions and of the classroom, asked as API Gateway would ask them, by users with their cookies. */
import { createKeyspace } from '../../lambda/cache/keyspace.ts';
import type { Phase } from '../../lambda/cache/phase.ts';
import type { Send } from '../../lambda/cache/redis-store.ts';
import { wireClassroom } from '../../lambda/classroom/wire.ts';
import type { Database } from '../../lambda/database/pool.ts';
import { createApi } from '../../lambda/http/app.ts';
import type { Claims } from './flags-api.ts';
import { ENV, type StateServers } from './state.ts';

export interface Question {
  readonly method?: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly claims?: Claims;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Readonly<Record<string, unknown>>;
}

/** A browser of a user. */
export interface Browser {
  readonly cookie: string;
  readonly token: string;
  ask(path: string, question?: Question): Promise<Answer>;
}

export interface ClassroomApiOptions extends StateServers {
  readonly phase: Phase;
  /** Null: there is no Redis. Default: that of the servers. */
  readonly send?: Send | null;
  readonly database: Database;
}

export function classroomApi({ redis, database, phase, send = redis.send }: ClassroomApiOptions) {
  const log: string[] = [];
  const note = (message: string, fields = {}) => void log.push(JSON.stringify([message, fields]));
  const app = createApi({
    routes: wireClassroom({
      keyspace: createKeyspace({ phase, env: ENV }),
      connections: send ? { reads: send, send } : undefined,
      database,
      logger: { info: note, warn: note, error: note },
    }),
    probes: {},
    onError: (error) => note('unexpected', { error: String(error) }),
  });

  const ask = async (
    path: string,
    { method = 'GET', body, headers = {}, claims }: Question = {},
  ): Promise<Answer> => {
    const init = {
      method,
      headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    };
    const env = { event: { requestContext: { ...(claims && { authorizer: { jwt: { claims } } }) } } };
    const answer = await app.request(path, init, env);
    const text = await answer.text();
    return { status: answer.status, headers: answer.headers, body: text === '' ? {} : JSON.parse(text) };
  };

  const logIn = async (sub: string, role: string, headers = {}): Promise<Browser> => {
    const answer = await ask('/api/sessions/login', { method: 'POST', claims: { sub, role }, headers });
    if (answer.status !== 200) throw new Error(`login: ${answer.status} ${JSON.stringify(answer.body)}`);
    return browserOf(answer);
  };
  /** The browser that an answer has given a session to. */
  const browserOf = ({ headers: given, body }: Answer): Browser => {
    const cookie = (given.get('set-cookie') ?? '').split(';')[0] ?? '';
    const token = String(body['csrfToken']);
    return {
      cookie,
      token,
      ask: (path, { headers = {}, ...more } = {}) =>
        ask(path, { ...more, headers: { cookie, 'x-csrf-token': token, ...headers } }),
    };
  };
  return { ask, logIn, browserOf, log };
}

export type ClassroomApi = ReturnType<typeof classroomApi>;
