import type { StopRequest } from '../../lambda/rollout/stop.ts';

/** What somebody may do to a rollout that runs. */
export interface RolloutControl {
  /** It stays where it is, and its stage gets the time back; traffic goes on. Once it was asked to go back nothing holds it up. */
  pause(): void;
  resume(): void;
  /** Asks it to go back, as `cutover rollout stop` does. */
  stop(reason: string): void;
}

/** The other side of a control. */
export interface Controlled {
  readonly control: RolloutControl;
  /** Resolves at once, or when it is resumed. */
  going(): Promise<void>;
  /** For how long it was held up in all, in milliseconds. */
  pausedMs(): number;
  /** The request to stop, once there is one. */
  read(): Promise<StopRequest | undefined>;
}

/** @param execution which it is of. */
export function createControl(execution: string): Controlled {
  let stopped: StopRequest | undefined;
  let pausedAt: number | undefined;
  let pausedMs = 0;
  let resumed = Promise.resolve();
  let resume = () => {};
  const control: RolloutControl = {
    pause() {
      if (pausedAt !== undefined || stopped) return;
      pausedAt = Date.now();
      resumed = new Promise((resolve) => {
        resume = resolve;
      });
    },
    resume() {
      if (pausedAt === undefined) return;
      pausedMs += Date.now() - pausedAt;
      pausedAt = undefined;
      resume();
    },
    stop(reason) {
      stopped = { execution, reason };
      control.resume();
    },
  };
  return {
    control,
    going: () => resumed,
    pausedMs: () => pausedMs + (pausedAt === undefined ? 0 : Date.now() - pausedAt),
    read: async () => stopped,
  };
}
