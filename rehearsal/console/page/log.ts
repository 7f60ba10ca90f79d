import type { LogLine } from '../contract.ts';
import { byId, element } from './dom.ts';
import { moment } from './text.ts';
import type { Part } from './view.ts';

const MAX_LINES = 200;

/** Newest first. Only new lines are added, so that a screen reader says only those. */
export function createLog(): Part {
  let last: string | undefined;
  return ({ state }) => {
    const log = byId('log');
    const ids = state.log.map((line) => JSON.stringify(line));
    const known = last === undefined ? -1 : ids.lastIndexOf(last);
    // What was shown is of another run, or older than all that is kept.
    if (known === -1) log.replaceChildren();
    for (const line of state.log.slice(known + 1)) log.prepend(lineItem(line, moment(state, line.at)));
    while (log.childElementCount > MAX_LINES) log.lastElementChild?.remove();
    last = ids.at(-1);
  };
}

function lineItem({ level, text }: LogLine, when: string): HTMLElement {
  const word = level === 'info' ? [] : [element('strong', {}, `${level} `)];
  return element(
    'li',
    { 'data-level': level },
    element('span', { class: 'when' }, when),
    element('span', {}, ...word, text),
  );
}
