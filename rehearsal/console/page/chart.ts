import uPlot from 'uplot';
import { type AxisOptions, axes, scales, secondsOf } from './axes.ts';
import { colourOf, dashOf } from './colours.ts';
import { element, setText, table, whenChanged } from './dom.ts';
import type { Line } from './lines.ts';
import { drawMarks } from './marks.ts';
import { moment } from './text.ts';
import type { View } from './view.ts';

export interface ChartOptions extends AxisOptions {
  readonly title: string;
  readonly unit: string;
  readonly lines: (samples: View['samples']) => readonly Line[];
  readonly digits: number;
}

export interface Chart {
  readonly root: HTMLElement;
  show(view: View): void;
}

const HEIGHT_PX = 190;
const ROWS = 10;

/** A figure with its title, a legend that says the values, and the last of them as a table. */
export function createChart(options: ChartOptions): Chart {
  const { title, unit, digits } = options;
  const plot = element('div', { class: 'plot', role: 'img' });
  const legend = element('ul', { class: 'legend' });
  const details = element('details', {}, element('summary', {}, 'Last values'));
  const caption = element(
    'figcaption',
    {},
    element('h3', {}, title),
    element('span', { class: 'muted' }, unit),
  );
  const root = element('figure', {}, caption, legend, plot, details);

  let shown: { readonly view: View; readonly lines: readonly Line[] } | undefined;
  let canvas: uPlot | undefined;
  const text = (value: number | null | undefined) =>
    value === null || value === undefined ? '–' : value.toFixed(digits);
  const textAt = ({ values }: Line, index = -1) =>
    values.every((value) => value === null) ? 'not measured' : text(values.at(index));

  const showLegend = (index: number | null | undefined) => {
    for (const [at, line] of (shown?.lines ?? []).entries()) {
      const value = legend.children[at]?.querySelector('strong');
      if (value) setText(value, textAt(line, index ?? -1));
    }
  };
  // Another set of lines needs another canvas: of a new namespace, say.
  const build = whenChanged((lines: readonly Omit<Line, 'values'>[]) => {
    canvas?.destroy();
    legend.replaceChildren(...lines.map(legendItem));
    canvas = new uPlot(
      {
        ...{ width: plot.clientWidth, height: HEIGHT_PX, padding: [16, 20, 0, 0] },
        legend: { show: false },
        cursor: { y: false, drag: { x: false, y: false }, sync: { key: 'charts' } },
        scales: scales(options),
        series: [{}, ...lines.map(seriesOf)],
        axes: axes(options, () => shown?.view),
        hooks: {
          drawAxes: [(self) => shown && drawMarks(self, shown.view.state.marks, secondsOf(shown.view))],
          setCursor: [({ cursor }) => showLegend(cursor.idx)],
        },
      },
      undefined,
      plot,
    );
  });

  new ResizeObserver(() => canvas?.setSize({ width: plot.clientWidth, height: HEIGHT_PX })).observe(plot);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => canvas?.redraw(false));
  details.addEventListener('toggle', () => shown && showTable(shown));

  function showTable({ view, lines }: NonNullable<typeof shown>): void {
    if (!details.open) return;
    const first = Math.max(0, view.samples.length - ROWS);
    const rows = view.samples
      .slice(first)
      .map(({ at }, row) => [
        moment(view.state, at),
        ...lines.map(({ values }) => text(values[first + row])),
      ]);
    details.querySelector('table')?.remove();
    details.append(table(['when', ...lines.map(({ label }) => label)], rows.toReversed()));
  }

  return {
    root,
    show(view) {
      const lines = options.lines(view.samples);
      shown = { view, lines };
      root.hidden = lines.length === 0;
      if (root.hidden) return;
      build(lines.map(({ values, ...line }) => line));
      const seconds = view.samples.map(({ at }) => secondsOf(view)(at));
      canvas?.setData([seconds, ...lines.map(({ values }) => [...values])]);
      showLegend(canvas?.cursor.idx);
      const latest = lines.map((line) => `${line.label} ${textAt(line)}`).join(', ');
      plot.setAttribute('aria-label', `${title}, ${unit}. Now: ${latest}`);
      showTable(shown);
    },
  };
}

function legendItem(line: Omit<Line, 'values'>): HTMLElement {
  const swatch = element('span', { class: `line ${line.backend ?? 'both'}${line.thin ? ' thin' : ''}` });
  return element('li', {}, swatch, `${line.label} `, element('strong', {}));
}

const seriesOf = (line: Omit<Line, 'values'>): uPlot.Series => ({
  stroke: () => colourOf(line),
  width: line.thin ? 1 : 2,
  dash: dashOf(line),
  points: { show: false },
});
