import { BACKENDS, type StageView } from '../contract.ts';
import { byId, element, icon, type Shape, setText, whenChanged } from './dom.ts';
import { duration, shares } from './text.ts';
import type { Part, View } from './view.ts';

const STATUSES: Readonly<Record<StageView['status'], { readonly shape?: Shape; readonly word: string }>> = {
  passed: { shape: 'check', word: 'passed' },
  failed: { shape: 'cross', word: 'failed' },
  current: { shape: 'now', word: 'now' },
  // Its number.
  next: { word: 'next' },
};

/** A stage, and whether no other one follows. */
type Shown = StageView & { readonly isOver: boolean };

/** The stage line, who carries how much of the traffic, and where the state machine stands. */
export function createStages(): Part {
  const showStages = whenChanged((stages: readonly Shown[]) =>
    byId('stages').replaceChildren(...stages.map(stageItem)),
  );
  const showTraffic = whenChanged((percent: ReturnType<typeof shares>) =>
    byId('traffic').replaceChildren(...traffic(percent)),
  );
  return (view) => {
    const { stages, status } = view.state;
    showStages(stages.map((stage) => ({ ...stage, isOver: status === 'failed' })));
    showTraffic(shares(view.state));
    setText(byId('machine'), machineText(view));
  };
}

function stageItem({ name, status, reasons, isOver }: Shown, index: number): HTMLElement {
  const { shape, word } =
    isOver && status === 'next' ? { shape: undefined, word: 'not reached' } : STATUSES[status];
  const attributes = { class: 'stage', 'data-status': status };
  const why = reasons.map((reason) => element('li', {}, reason));
  return element(
    'li',
    status === 'current' ? { ...attributes, 'aria-current': 'step' } : attributes,
    element('span', { class: 'stage-mark', 'aria-hidden': 'true' }, shape ? icon(shape) : `${index + 1}`),
    element('span', { class: 'stage-name' }, name),
    element('span', { class: 'stage-status' }, word),
    ...(why.length > 0 ? [element('ul', { class: 'reasons' }, ...why)] : []),
  );
}

function traffic(percent: ReturnType<typeof shares>): HTMLElement[] {
  if (!percent)
    return [element('p', { class: 'muted' }, 'Who carries how much of the traffic is not known.')];
  const parts = BACKENDS.map((backend) => {
    const part = element('span', { class: `bar-part ${backend}` });
    part.style.flexGrow = `${percent[backend]}`;
    part.hidden = percent[backend] === 0;
    return part;
  });
  const labels = BACKENDS.map((backend) =>
    element(
      'span',
      {},
      element('span', { class: `swatch ${backend}` }),
      `${backend} `,
      element('strong', {}, `${percent[backend]} %`),
    ),
  );
  return [
    element('p', { class: 'bar-labels' }, ...labels),
    element('div', { class: 'bar', 'aria-hidden': 'true' }, ...parts),
  ];
}

function machineText({ state, now }: View): string {
  if (!state.machine) return 'No state machine runs.';
  const { state: name, since } = state.machine;
  return `State machine: ${name}, for ${duration(now - since)}`;
}
