/** What state a CloudWatch alarm of a template is in, given what its metrics were. */
import { evaluateMath, type Series } from './metric-math.ts';

export interface AlarmProperties {
  readonly AlarmDescription: string;
  readonly Threshold: number;
  readonly ComparisonOperator: string;
  readonly EvaluationPeriods: number;
  readonly DatapointsToAlarm?: number;
  readonly TreatMissingData?: string;
  readonly Namespace?: string;
  readonly MetricName?: string;
  readonly Dimensions?: readonly { readonly Name: string; readonly Value: unknown }[];
  readonly Unit?: string;
  readonly Period?: number;
  readonly Statistic?: string;
  readonly ExtendedStatistic?: string;
  readonly Metrics?: readonly {
    readonly Id: string;
    readonly Expression?: string;
    readonly ReturnData?: boolean;
    readonly MetricStat?: {
      readonly Metric: Pick<AlarmProperties, 'Namespace' | 'MetricName' | 'Dimensions'>;
      readonly Period: number;
      readonly Stat: string;
      readonly Unit?: string;
    };
  }[];
}

/** A metric as an alarm looks at it. */
export interface LookedAt {
  /** Its name in the expression; of the only metric of an alarm `metric`. */
  readonly id: string;
  readonly namespace: string;
  readonly name: string;
  readonly dimensions: Readonly<Record<string, unknown>>;
  readonly statistic: string;
  readonly unit: string | undefined;
  readonly periodSeconds: number;
}

/** All that an alarm looks at. */
export function lookedAtBy(alarm: AlarmProperties): LookedAt[] {
  const { Namespace, MetricName, Dimensions, Unit, Period = 0, Statistic, ExtendedStatistic } = alarm;
  const only = {
    Id: 'metric',
    MetricStat: {
      Metric: { Namespace, MetricName, Dimensions },
      ...{ Period, Stat: Statistic ?? ExtendedStatistic ?? '', Unit },
    },
  };
  return (alarm.Metrics ?? [only]).flatMap(({ Id, MetricStat }) => {
    if (!MetricStat) return [];
    const { Metric, Period: periodSeconds, Stat: statistic, Unit: unit } = MetricStat;
    const dimensions = Object.fromEntries((Metric.Dimensions ?? []).map(({ Name, Value }) => [Name, Value]));
    const { Namespace: namespace = '', MetricName: name = '' } = Metric;
    return { ...{ id: Id, namespace, name, dimensions, statistic, unit, periodSeconds } };
  });
}

/** What the alarm compares with its threshold, period by period. */
export function valuesOf(alarm: AlarmProperties, series: Readonly<Record<string, Series>>): Series {
  const expression = alarm.Metrics?.find(({ ReturnData }) => ReturnData !== false)?.Expression;
  const [first = []] = Object.values(series);
  return expression === undefined ? first : evaluateMath(expression, series, first.length);
}

export type AlarmState = 'OK' | 'ALARM';

/** CloudWatch looks so many periods further back for data that came late (the user guide, "Evaluating an alarm": five for three). */
const MORE_PERIODS = 2;

/**
 * The state after each period, by the rules of the user guide ("Configuring how CloudWatch alarms treat missing data"): where there is
 * enough data it alone counts, the most recent of it; else what is missing counts as the alarm says.
 * @throws for what no alarm here uses: another operator, or data that is missed and leaves the state as it is.
 */
export function statesOf(alarm: AlarmProperties, values: Series): AlarmState[] {
  const { EvaluationPeriods: of, DatapointsToAlarm: bad = of, Threshold, TreatMissingData } = alarm;
  if (alarm.ComparisonOperator !== 'GreaterThanThreshold')
    throw new Error(`no ${alarm.ComparisonOperator} here`);
  if (TreatMissingData !== 'notBreaching' && TreatMissingData !== 'breaching') {
    throw new Error(`missing data that is ${TreatMissingData} has no state here`);
  }
  return values.map((_, now) => {
    const range = values.slice(Math.max(0, now + 1 - of - MORE_PERIODS), now + 1);
    const real = range.filter((value) => value !== undefined).slice(-of);
    const missing = of - real.length;
    const breaching =
      real.filter((value) => value > Threshold).length + (TreatMissingData === 'breaching' ? missing : 0);
    return breaching >= bad ? 'ALARM' : 'OK';
  });
}
