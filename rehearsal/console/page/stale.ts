import type { ConsoleState, StaleRead } from '../contract.ts';
import { byId, element, icon, whenChanged } from './dom.ts';
import { count, moment, staleSentence } from './text.ts';
import type { Part } from './view.ts';

/** More would push what can be done about it out of sight. */
const SHOWN_AT_ONCE = 3;

/** The headline figure, the other totals, and the last stale reads explained. */
export function createStale(): Part {
  const showTotals = whenChanged((totals: ConsoleState['totals']) => {
    showHeadline(totals.staleReads);
    byId('totals').replaceChildren(
      tile('requests', totals.requests),
      tile('5xx answers', totals.errors5xx, 'bad'),
      tile('lost sessions', totals.lostSessions, 'bad'),
      tile('writes', totals.writes),
    );
  });
  const showReads = whenChanged((reads: readonly TimedRead[]) => {
    byId('stale-reads').hidden = reads.length === 0;
    byId('stale-more').hidden = reads.length <= SHOWN_AT_ONCE;
    byId('stale-last').replaceChildren(...reads.slice(0, SHOWN_AT_ONCE).map(readItem));
    byId('stale-before').replaceChildren(...reads.slice(SHOWN_AT_ONCE).map(readItem));
  });
  return ({ state }) => {
    showTotals(state.totals);
    showReads(state.stale.map((read) => ({ when: moment(state, read.at), read })));
  };
}

function showHeadline(staleReads: number): void {
  const headline = byId('stale-heading');
  headline.dataset['level'] = staleReads === 0 ? 'safe' : 'unsafe';
  headline.replaceChildren(
    icon(staleReads === 0 ? 'check' : 'cross'),
    element('span', { class: 'number' }, count(staleReads)),
    element('span', { class: 'unit' }, ` stale ${staleReads === 1 ? 'read' : 'reads'}`),
  );
}

/** Of what should be 0, any other number is shown as bad. */
function tile(name: string, value: number | null, kind?: 'bad'): HTMLElement {
  const bad = kind === 'bad' && value !== null && value > 0;
  const look = value === null ? 'none' : bad ? 'bad' : 'good';
  const figure = element('dd', { class: look }, count(value));
  if (bad) figure.prepend(icon('cross'));
  return element('div', {}, element('dt', {}, name), figure);
}

interface TimedRead {
  readonly when: string;
  readonly read: StaleRead;
}

function readItem({ when, read }: TimedRead): HTMLElement {
  const sentence = staleSentence(read).map(({ text, as }) => (as ? element(as, {}, text) : text));
  return element('li', {}, element('span', { class: 'when' }, when), element('span', {}, ...sentence));
}
