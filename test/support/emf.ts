/** Documents of CloudWatch's embedded metric format, as functions write them to their log. */
import { Ajv } from 'ajv';

/**
 * The schema that AWS publishes, without its titles and examples (user guide of CloudWatch, "Specification: Embedded metric format",
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html, read on
 * 2026-11-27), with the unit of a rate a second in one expression.
 */
const NAME = { type: 'string', minLength: 1, maxLength: 255 } as const;
const SIZES = '(Kilo|Mega|Giga|Tera)?';
const SCHEMA = {
  type: 'object',
  required: ['_aws'],
  properties: {
    _aws: {
      type: 'object',
      required: ['Timestamp', 'CloudWatchMetrics'],
      properties: {
        Timestamp: { type: 'integer' },
        CloudWatchMetrics: {
          type: 'array',
          items: {
            type: 'object',
            required: ['Namespace', 'Dimensions', 'Metrics'],
            properties: {
              Namespace: NAME,
              Dimensions: {
                type: 'array',
                minItems: 1,
                items: { type: 'array', minItems: 0, maxItems: 9, items: NAME },
              },
              Metrics: {
                type: 'array',
                // Said in the text, not in the schema.
                maxItems: 100,
                items: {
                  type: 'object',
                  required: ['Name'],
                  properties: {
                    Name: NAME,
                    Unit: {
                      type: 'string',
                      pattern: `^(Seconds|Microseconds|Milliseconds|Percent|None|(Count|(${SIZES}(B|b)(ytes|its)))(/Second)?)$`,
                    },
                  },
                },
              },
            },
          },
        },
      },
    },
  },
} as const;

const validate = new Ajv({ allErrors: true }).compile(SCHEMA);

export interface EmfDocument {
  readonly _aws: {
    readonly Timestamp: number;
    readonly CloudWatchMetrics: readonly {
      readonly Namespace: string;
      readonly Dimensions: readonly (readonly string[])[];
      readonly Metrics: readonly { readonly Name: string; readonly Unit?: string }[];
    }[];
  };
  readonly [target: string]: unknown;
}

/** What is wrong with a document, by the schema and by what the text says of the members that it refers to. */
export function complaintsAbout(document: unknown): string[] {
  if (!validate(document)) {
    return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
  }
  const root = document as unknown as EmfDocument;
  return root._aws.CloudWatchMetrics.flatMap(({ Dimensions, Metrics }) => [
    ...Dimensions.flat()
      .filter((name) => typeof root[name] !== 'string' || root[name] === '')
      .map((name) => `the dimension ${name} is ${JSON.stringify(root[name])}`),
    ...Metrics.filter(({ Name }) => !isMetricTarget(root[Name])).map(
      ({ Name }) => `the metric ${Name} is ${JSON.stringify(root[Name])}`,
    ),
  ]);
}

function isMetricTarget(value: unknown): boolean {
  const isNumber = (each: unknown) => typeof each === 'number' && Number.isFinite(each);
  return isNumber(value) || (Array.isArray(value) && value.length <= 100 && value.every(isNumber));
}

/** A point of a series. */
export interface Point {
  readonly namespace: string;
  readonly name: string;
  readonly unit: string | undefined;
  readonly dimensions: Readonly<Record<string, string>>;
  /** In milliseconds since 1970. */
  readonly at: number;
  readonly values: readonly number[];
}

/** The points that a document makes: each metric once for each set of dimensions. */
export function pointsOf(document: EmfDocument): Point[] {
  const { Timestamp: at, CloudWatchMetrics } = document._aws;
  return CloudWatchMetrics.flatMap(({ Namespace: namespace, Dimensions, Metrics }) =>
    Dimensions.flatMap((names) =>
      Metrics.map(({ Name: name, Unit: unit }) => ({
        ...{ namespace, name, unit, at },
        dimensions: Object.fromEntries(names.map((each) => [each, String(document[each])])),
        values: [document[name]].flat() as number[],
      })),
    ),
  );
}
