import type uPlot from 'uplot';
import { colour } from './colours.ts';
import { moment } from './text.ts';
import type { View } from './view.ts';

export interface AxisOptions {
  /** The largest value where that is fixed, as of a rate. */
  readonly max?: number;
  /** Where one value may be a thousand times another one, as the first of a cold start. */
  readonly isLogarithmic?: true;
}

/** A run that has just begun is not stretched over the whole width. */
const SHORTEST_SECONDS = 30;
const SECONDS_BETWEEN_LABELS = [5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600];

/** Where the axis begins: of a rehearsal when that began, so that its ticks are round; of a deployed stage 1970. */
const originOf = ({ state }: View) => (state.kind === 'rehearsal' ? state.startedAt : 0);

/** From a time to its place on the axis. */
export const secondsOf = (view: View) => (at: number) => (at - originOf(view)) / 1000;

export const scales = ({ max, isLogarithmic }: AxisOptions): uPlot.Scales => ({
  x: { time: false, range: (_, first, last) => [first, Math.max(last, first + SHORTEST_SECONDS)] },
  y: isLogarithmic
    ? { distr: 3, range: (_, least, largest) => [decadeOf(least || 1), (largest || 10) * 1.3] }
    : { range: (_, __, largest) => [0, max ?? Math.max(largest, 1) * 1.1] },
});

/** The power of ten that is not above a value. */
const decadeOf = (value: number) => 10 ** Math.floor(Math.log10(value));

function decades(least: number, largest: number): number[] {
  const first = decadeOf(least);
  const count = Math.floor(Math.log10(largest / first)) + 1;
  return Array.from({ length: count }, (_, index) => first * 10 ** index);
}

/** The time below, the values at the left. */
export function axes({ isLogarithmic }: AxisOptions, view: () => View | undefined): uPlot.Axis[] {
  const look: uPlot.Axis = {
    stroke: () => colour('muted'),
    grid: { stroke: () => colour('grid'), width: 1 },
    ticks: { show: false },
    font: '12px system-ui, sans-serif',
  };
  const timeText = (seconds: number) => {
    const shown = view();
    if (!shown) return '';
    // No seconds in a time of day that has none.
    return moment(shown.state, seconds * 1000 + originOf(shown)).replace(/^(\d\d:\d\d):00$/, '$1');
  };
  return [
    { ...look, size: 28, space: 60, incrs: SECONDS_BETWEEN_LABELS, values: (_, at) => at.map(timeText) },
    {
      ...{ ...look, size: 44, space: 36 },
      ...(isLogarithmic && {
        splits: (_, __, least, largest) => decades(least, largest),
        filter: (_, all) => all,
      }),
    },
  ];
}
