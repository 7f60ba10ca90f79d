import { byId, element, icon, type Shape, setText, whenChanged } from './dom.ts';
import { duration } from './text.ts';
import type { Part, View } from './view.ts';

const CONNECTIONS: Readonly<Record<View['connection']['status'], readonly [Shape, string]>> = {
  live: ['check', 'live'],
  reconnecting: ['wait', 'reconnecting'],
  ended: ['check', 'ended'],
  frozen: ['check', 'frozen'],
};

/** What runs, for how long, and whether this is of now. */
export function createHeader(): Part {
  const badge = byId('connection');
  const showBadge = whenChanged(
    ({ status, text }: { status: View['connection']['status']; text: string }) => {
      badge.dataset['status'] = status;
      badge.replaceChildren(icon(CONNECTIONS[status][0]), text);
    },
  );
  const showFacts = whenChanged((facts: readonly (readonly [string, string])[]) =>
    byId('facts').replaceChildren(
      ...facts.map(([name, value]) => element('div', {}, element('dt', {}, name), element('dd', {}, value))),
    ),
  );
  return (view) => {
    const { state, connection } = view;
    setText(byId('title'), state.title);
    showBadge({ status: connection.status, text: connectionText(view) });
    showFacts([
      ['status', state.status],
      [state.kind === 'rehearsal' ? 'elapsed' : 'for', elapsed(view)],
    ]);
  };
}

function connectionText({ state, connection }: View): string {
  const word = CONNECTIONS[connection.status][1];
  // Swedish writes a date as ISO 8601 does, here in the reader's time zone.
  return connection.status === 'frozen' ? `${word} at ${new Date(state.at).toLocaleString('sv')}` : word;
}

function elapsed({ state, now }: View): string {
  const since = duration(now - state.startedAt);
  return state.endsAt === null ? since : `${since} of ${duration(state.endsAt - state.startedAt)}`;
}
