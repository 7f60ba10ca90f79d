import { GraphWidget, type IMetric, TextWidget, type YAxisProps } from 'aws-cdk-lib/aws-cloudwatch';
import type { Watched } from '../../../lambda/contract/alarms.ts';
import { expressionOf, type MetricSources, metricOf } from '../../metrics.ts';

/** What a line of a graph is: a metric, or an expression of several. */
export type Line = {
  readonly label: string;
  /** Whether it is drawn against the right axis. */
  readonly right?: boolean;
  /** What this line alone is of. */
  readonly sources?: Pick<MetricSources, 'nodeId'>;
} & (
  | { readonly metric: Watched }
  | { readonly expression: string; readonly metrics: Readonly<Record<string, Watched>> }
);

export interface GraphOptions {
  readonly title: string;
  readonly sources: MetricSources;
  readonly lines: readonly Line[];
  /** Of the left axis, from 0 on: `percent` ends at 100. */
  readonly unit?: 'percent' | 'ms';
}

const PERIOD_SECONDS = 60;
const HALF_WIDTH = 12;
const FULL_WIDTH = 24;
const HEIGHT = 6;

const AXES: Readonly<Record<NonNullable<GraphOptions['unit']>, YAxisProps>> = {
  percent: { min: 0, max: 100, label: '%', showUnits: false },
  ms: { min: 0, label: 'ms', showUnits: false },
};

/** A graph of metrics of the registries, half as wide as the dashboard. */
export function graph({ title, sources, lines, unit }: GraphOptions): GraphWidget {
  const metricsOf = (isRight: boolean): IMetric[] =>
    lines
      .filter(({ right = false }) => right === isRight)
      .map((line) => {
        const options = {
          sources: { ...sources, ...line.sources },
          periodSeconds: PERIOD_SECONDS,
          label: line.label,
        };
        return 'metric' in line
          ? metricOf(line.metric, options)
          : expressionOf(line.expression, line.metrics, options);
      });
  return new GraphWidget({
    ...{ title, width: HALF_WIDTH, height: HEIGHT, left: metricsOf(false), right: metricsOf(true) },
    leftYAxis: unit ? AXES[unit] : { min: 0, showUnits: false },
    rightYAxis: { min: 0, showUnits: false },
  });
}

/** A line of words. */
export const words = (markdown: string): TextWidget =>
  new TextWidget({ markdown, width: FULL_WIDTH, height: 2 });
