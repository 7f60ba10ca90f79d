import type uPlot from 'uplot';
import type { ConsoleState, Mark } from '../contract.ts';
import { colour } from './colours.ts';
import { byId, element, table, whenChanged } from './dom.ts';
import { moment } from './text.ts';
import type { Part } from './view.ts';

const KINDS: Readonly<Record<Mark['kind'], readonly [symbol: string, meaning: string]>> = {
  flush: ['◆', 'flush'],
  weight: ['▲', 'weight changed'],
  phase: ['●', 'phase changed'],
  fault: ['✖', 'fault'],
  back: ['◀', 'rolled back'],
  pause: ['■', 'pause'],
};

/** What the symbols in the charts mean, and all marks as a table for who cannot see them there. */
export function createMarks(): Part {
  const show = whenChanged(
    ({ kind, startedAt, marks }: Pick<ConsoleState, 'kind' | 'startedAt' | 'marks'>) => {
      const present = (Object.keys(KINDS) as Mark['kind'][]).filter((each) =>
        marks.some((mark) => mark.kind === each),
      );
      byId('mark-legend').replaceChildren(...present.map(legendItem));
      const rows = marks.map(({ at, kind: each, text }) => [
        moment({ kind, startedAt }, at),
        KINDS[each][1],
        text,
      ]);
      byId('marks').replaceChildren(table(['when', 'what', 'which'], rows.toReversed()));
    },
  );
  return ({ state: { kind, startedAt, marks } }) => show({ kind, startedAt, marks });
}

function legendItem(kind: Mark['kind']): HTMLElement {
  const [symbol, meaning] = KINDS[kind];
  return element(
    'li',
    { 'data-kind': kind },
    element('span', { class: 'mark-symbol', 'aria-hidden': 'true' }, symbol),
    meaning,
  );
}

/** Vertical lines through a chart, with the symbol of their kind on top. */
export function drawMarks(
  { ctx, bbox, valToPos }: uPlot,
  marks: readonly Mark[],
  secondsOf: (at: number) => number,
): void {
  const { left, top, width, height } = bbox;
  ctx.save();
  ctx.textAlign = 'center';
  ctx.textBaseline = 'bottom';
  ctx.font = `${10 * devicePixelRatio}px system-ui, sans-serif`;
  ctx.lineWidth = devicePixelRatio;
  for (const { at, kind } of marks) {
    const x = Math.round(valToPos(secondsOf(at), 'x', true));
    if (x < left || x > left + width) continue;
    ctx.strokeStyle = ctx.fillStyle = colour(kind === 'fault' || kind === 'back' ? 'mark-bad' : 'mark');
    ctx.setLineDash([2 * devicePixelRatio, 3 * devicePixelRatio]);
    ctx.beginPath();
    ctx.moveTo(x, top);
    ctx.lineTo(x, top + height);
    ctx.stroke();
    ctx.fillText(KINDS[kind][0], x, top - devicePixelRatio);
  }
  ctx.restore();
}
