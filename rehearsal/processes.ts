import { PHASE_SWITCHES, type Phase } from '../lambda/contract/environment.ts';
import { bundle, bundleFunction } from '../lib/bundle.ts';
import { type RunningBackend, startBackend } from './backends.ts';
import type { Backend } from './checker.ts';
import { connectionFailuresIn } from './documents.ts';
import type { Mode } from './options.ts';
import type { RedisUrls } from './redis-users.ts';
import type { Workspace } from './servers/workspace.ts';

/** The processes of both backends, of which a change of phase starts new ones. */
export interface Processes {
  /** Starts one more of a backend; the legacy one with the mirror, unless told. @throws with its last words when it does not come up. */
  start(backend: Backend, phase: Phase, mirror?: 'off'): Promise<RunningBackend>;
  /** Ends a process that gets no more requests. */
  end(running: RunningBackend): Promise<void>;
  /** Rejects when a process ends that was not told to; never resolves. */
  readonly failure: Promise<never>;
  /** The last words of each that runs. */
  lastLines(): string;
  /** How often the serverless backend has lost Redis so far, as its metrics say, which are some seconds late. */
  connectionFailures(): number;
  /** Ends what runs of the serverless backend. @returns all lines that any of its processes has ever written. */
  endServerless(): Promise<readonly string[]>;
}

export interface ProcessesOptions {
  readonly workspace: Workspace;
  readonly ground: { readonly redisUrls: RedisUrls; readonly databaseUrl: string };
  readonly env: string;
  readonly mode: Mode;
  /** The file that is the legacy backend, for tests of what a bad one does. */
  readonly legacyMain?: string | undefined;
}

export function createProcesses(options: ProcessesOptions): Processes {
  const { workspace, mode } = options;
  const running = new Map<RunningBackend, string>();
  const lines: string[] = [];
  let failures = 0;
  const started = { express: 0, serverless: 0 };
  let fail: (error: unknown) => void = () => {};
  const failure = new Promise<never>((_, reject) => {
    fail = reject;
  });
  // Before the first stage, and after the last one, nobody waits for it.
  failure.catch(() => {});

  const mains = {
    express: [options.legacyMain ?? 'legacy/main.ts'],
    get serverless() {
      return [
        'host/main.ts',
        mode === 'naive' ? bundle('rehearsal/naive/api.ts', 'rehearsal/naive-api') : bundleFunction('api'),
      ];
    },
  };

  const end = async (process: RunningBackend) => {
    const name = running.get(process) ?? '';
    running.delete(process);
    const written = await process.end();
    if (name.startsWith('serverless')) lines.push(...written);
  };

  return {
    failure,
    end,
    async start(backend, phase, mirror) {
      started[backend] += 1;
      const name = started[backend] === 1 ? backend : `${backend}-${started[backend]}`;
      const [main = '', ...args] = mains[backend];
      const environment = { ...environmentOf(backend, phase, options), ...(mirror && { MIRROR: mirror }) };
      const process = await startBackend(workspace, { name, main: [main, ...args], environment });
      running.set(process, name);
      process.failure.catch((error: unknown) => running.has(process) && fail(error));
      return process;
    },
    lastLines: () => [...running].map(([process, name]) => `${name}\n${process.lastLines()}`).join('\n'),
    connectionFailures() {
      for (const [process, name] of running) {
        if (name.startsWith('serverless')) failures += connectionFailuresIn(process.newLines());
      }
      return failures;
    },
    async endServerless() {
      const left = [...running].filter(([, name]) => name.startsWith('serverless'));
      await Promise.all(left.map(([process]) => end(process)));
      return lines;
    },
  };
}

function environmentOf(backend: Backend, phase: Phase, { ground, env, mode }: ProcessesOptions) {
  const { redisUrls: urls, databaseUrl } = ground;
  const common = { NODE_ENV: env, DATABASE_URL: databaseUrl, ...PHASE_SWITCHES[phase] };
  if (backend === 'express') {
    return {
      ...common,
      REDIS_URL: urls.legacy,
      REDIS_TWINS_URL: urls['legacy-twins'],
      REDIS_STATE_URL: urls['legacy-state'],
      MIRROR: mode === 'naive' ? 'off' : 'on',
    };
  }
  return {
    ...common,
    REDIS_URL: urls.serverless,
    LOG_LEVEL: 'WARN',
    // Where it is not set, a function writes no metrics.
    AWS_LAMBDA_FUNCTION_NAME: 'api',
  };
}
