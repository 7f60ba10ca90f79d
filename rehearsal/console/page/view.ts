import type { ConsoleState, Sample } from '../contract.ts';

/** Whether what is shown is of now: `since` says for how long it is not, in milliseconds since 1970. */
export interface Connection {
  readonly status: 'live' | 'reconnecting' | 'ended' | 'frozen';
  readonly since: number;
}

/** What each part of the page is given. */
export interface View {
  readonly state: ConsoleState;
  /** Those that are over, oldest first. */
  readonly samples: readonly Sample[];
  readonly connection: Connection;
  /** The time by the server's clock, in milliseconds since 1970. */
  readonly now: number;
}

/** Shows its part of a view; called at most twice a second. */
export type Part = (view: View) => void;
