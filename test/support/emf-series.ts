/** What CloudWatch makes of points: the statistic that an alarm looks at, period by period. */
import type { LookedAt } from './alarm-states.ts';
import type { Point } from './emf.ts';
import type { Series } from './metric-math.ts';

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
const percentile = (values: readonly number[], share: number) =>
  values.toSorted((one, other) => one - other)[Math.ceil(values.length * share) - 1] ?? Number.NaN;

const STATISTICS: Readonly<Record<string, (values: readonly number[]) => number>> = {
  Sum: sum,
  Average: (values) => sum(values) / values.length,
  Maximum: (values) => Math.max(...values),
  p95: (values) => percentile(values, 0.95),
};

/** Named by the stage and by the deployment: any is the same here. */
const ANY = ['environment', 'version'];

function isOf(point: Point, looked: LookedAt): boolean {
  const names = Object.keys(looked.dimensions);
  return (
    point.namespace === looked.namespace &&
    point.name === looked.name &&
    names.length === Object.keys(point.dimensions).length &&
    names.every(
      (name) =>
        name in point.dimensions &&
        (ANY.includes(name) || point.dimensions[name] === looked.dimensions[name]),
    )
  );
}

/** From the period of `from` to that of `to`, in milliseconds since 1970; a period without a point is undefined. */
export function seriesOf(
  points: readonly Point[],
  looked: LookedAt,
  { from, to }: { readonly from: number; readonly to: number },
): Series {
  const periodMs = looked.periodSeconds * 1000;
  const periodOf = (at: number) => Math.floor(at / periodMs);
  const own = points.filter((point) => isOf(point, looked));
  const statistic = STATISTICS[looked.statistic];
  if (!statistic) throw new Error(`there is no statistic ${looked.statistic} here`);
  return Array.from({ length: periodOf(to) - periodOf(from) + 1 }, (_, index) => {
    const values = own
      .filter(({ at }) => periodOf(at) === periodOf(from) + index)
      .flatMap((point) => point.values);
    return values.length === 0 ? undefined : statistic(values);
  });
}
