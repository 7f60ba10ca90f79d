import type { AlarmView } from '../contract.ts';
import { byId, element, icon, type Shape, whenChanged } from './dom.ts';
import type { Part } from './view.ts';

/** The worst first. */
const STATES: Readonly<Record<AlarmView['state'], readonly [order: number, Shape, word: string]>> = {
  alarm: [0, 'cross', 'ALARM'],
  unknown: [1, 'unknown', 'unknown'],
  ok: [2, 'check', 'ok'],
};

export function createAlarms(): Part {
  const show = whenChanged((alarms: readonly AlarmView[]) => {
    const sorted = alarms.toSorted((one, other) => STATES[one.state][0] - STATES[other.state][0]);
    const none = element('li', { class: 'muted' }, 'No alarms here.');
    byId('alarms').replaceChildren(...(sorted.length > 0 ? sorted.map(alarmItem) : [none]));
  });
  return ({ state }) => show(state.alarms);
}

function alarmItem({ name, state, reason }: AlarmView): HTMLElement {
  const [, shape, word] = STATES[state];
  return element(
    'li',
    { 'data-state': state },
    element('span', { class: 'alarm-state' }, icon(shape), word),
    element('span', { class: 'alarm-name' }, name),
    ...(reason === '' ? [] : [element('span', { class: 'muted' }, reason)]),
  );
}
