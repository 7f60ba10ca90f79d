import { type ChartOptions, createChart } from './chart.ts';
import { byId } from './dom.ts';
import { fallbackLines, hitRateLines, latencyLines, requestLines } from './lines.ts';
import { createMarks } from './marks.ts';
import type { Part } from './view.ts';

const CHARTS: readonly ChartOptions[] = [
  { title: 'Requests', unit: 'per second', lines: requestLines, digits: 0 },
  { title: 'Hit rate', unit: '%, of at least 5 s', lines: hitRateLines, max: 100, digits: 0 },
  { title: 'Latency of hits', unit: 'ms, logarithmic', isLogarithmic: true, lines: latencyLines, digits: 1 },
  { title: 'Fallbacks to un-prefixed keys', unit: 'per second', lines: fallbackLines, digits: 1 },
];

export function createCharts(): Part {
  const charts = CHARTS.map(createChart);
  byId('charts').append(...charts.map(({ root }) => root));
  const showMarks = createMarks();
  return (view) => {
    showMarks(view);
    for (const { show } of charts) show(view);
  };
}
