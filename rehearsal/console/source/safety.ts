import type { ConsoleState } from '../contract.ts';

export interface SafetyFacts {
  readonly status: ConsoleState['status'];
  readonly staleReads: number;
  readonly lostSessions: number;
  readonly resurrectedSessions: number;
  readonly errors5xx: number;
  /** The first stage whose gate was against going on. */
  readonly failed: { readonly name: string; readonly reasons: readonly string[] } | undefined;
  /** Whether the traffic is on its way back to the legacy backend, or there. */
  readonly back: 'asked for' | 'done' | undefined;
  readonly isMirrorOff: boolean;
  /** What is broken on purpose now: `Redis is frozen on purpose, 2 s left`. */
  readonly fault: string | undefined;
  /** The stage that is under way. */
  readonly current: { readonly name: string; readonly leftSeconds: number } | undefined;
  /** What speaks against the whole run, once it is over. */
  readonly verdict: readonly string[] | undefined;
}

const GOING_ON = 'no problem so far';

/** Whether it is safe to go on, in words for somebody who sees nothing else. */
export function safetyOf(facts: SafetyFacts): ConsoleState['safety'] {
  const against = [...faultsIn(facts), ...failureIn(facts)];
  if (against.length > 0) return { level: 'unsafe', text: [...against, ...wayBack(facts)].join('; ') };
  const { fault, status, current } = facts;
  if (fault) return { level: 'wait', text: `${fault}; until now ${GOING_ON}` };
  if (status === 'passed') return { level: 'safe', text: 'all stages have passed' };
  if (!current) return { level: 'safe', text: 'nothing speaks against the first stage' };
  if (status === 'paused') return { level: 'wait', text: `paused in ${current.name}; ${GOING_ON}` };
  const left =
    current.leftSeconds > 0 ? `decided by itself in ${current.leftSeconds} s` : 'about to be decided';
  return { level: 'wait', text: `${current.name} is being watched: ${GOING_ON}, ${left}` };
}

function faultsIn(facts: SafetyFacts): string[] {
  const { staleReads, lostSessions, resurrectedSessions, errors5xx, isMirrorOff } = facts;
  return [
    ...counted(staleReads, 'stale read'),
    ...counted(lostSessions, 'lost session'),
    ...counted(
      resurrectedSessions,
      'session that came back after its end',
      'sessions that came back after their end',
    ),
    ...counted(errors5xx, 'answer was 5xx', 'answers were 5xx'),
    ...(isMirrorOff ? ['the legacy backend writes without the mirror'] : []),
  ];
}

function failureIn({ failed, back, verdict, status }: SafetyFacts): string[] {
  if (failed) return [`${failed.name} has failed: ${failed.reasons.join(', ')}`];
  if (back) return ['somebody has asked for the way back'];
  return status === 'failed' ? [`the rehearsal has failed: ${verdict?.join(', ')}`] : [];
}

function wayBack({ failed, back, status }: SafetyFacts): string[] {
  if (back === 'done') return ['all traffic is back at the legacy backend'];
  if (status === 'failed') return [];
  return failed || back ? ['it is going back'] : ['do not go on'];
}

const counted = (count: number, one: string, many = `${one}s`): string[] =>
  count === 0 ? [] : [`${count} ${count === 1 ? one : many}`];
