import type { ActionName } from '../contract.ts';

/** What somebody should know before it is done: what it does, and what is to be seen then. */
interface Effect {
  /** Steers the rollout, or breaks something to see what comes of it. */
  readonly group: 'rollout' | 'fault';
  /** Shown in the colour of what cannot be undone. */
  readonly danger?: true;
  readonly does: string;
  readonly shows: string;
}

export const EFFECTS: Readonly<Record<ActionName, Effect>> = {
  pause: {
    group: 'rollout',
    does: 'Holds the rollout where it is. Traffic goes on with the weights of now.',
    shows: 'The status says paused, the weights stay, and the time that is left grows.',
  },
  resume: {
    group: 'rollout',
    does: 'Lets the rollout go on from where it was held.',
    shows: 'The status says running, and the stage of now is judged to its end.',
  },
  flush: {
    group: 'rollout',
    does: 'Deletes the cached collections of both backends. Sessions, quotas and all other state are kept.',
    shows:
      'A mark in the charts, hit rates that fall and are back within seconds, no stale read, no lost session.',
  },
  'kill-redis': {
    group: 'fault',
    does: 'Kills the Redis that both backends share; it comes back some seconds later.',
    shows: 'No hits for some seconds, slower answers from the database, no 5xx, no stale read.',
  },
  'freeze-redis': {
    group: 'fault',
    does: 'Stops the Redis that both backends share for some seconds, with its connections open.',
    shows: 'Reads give up on it within their budget and ask the database: slower, no 5xx, no stale read.',
  },
  'slow-redis': {
    group: 'fault',
    does: 'Makes the Redis that both backends share answer late for some seconds.',
    shows: 'Latency of hits that rises and falls again, no 5xx, no stale read.',
  },
  'mirror-off': {
    ...{ group: 'fault', danger: true },
    does: "Takes the mirror off the legacy backend: its writes no longer invalidate the serverless backend's entries.",
    shows: 'Stale reads, which is what the mirror is there to prevent. This run will fail.',
  },
  'roll-back': {
    ...{ group: 'rollout', danger: true },
    does: 'Sends all traffic back to the legacy backend and ends the rollout.',
    shows: 'The serverless weight falls to 0 %, its entries are flushed, and the run ends as failed.',
  },
};
