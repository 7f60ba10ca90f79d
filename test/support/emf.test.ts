import { describe, expect, test } from '@jest/globals';
import { complaintsAbout, type EmfDocument, pointsOf } from './emf.ts';

const metrics = (more: object) => ({
  Namespace: 'lambda-function-metrics',
  Dimensions: [['functionVersion']],
  Metrics: [{ Name: 'time', Unit: 'Milliseconds' }],
  ...more,
});
const document = (directive: object = {}, root: object = {}) => ({
  _aws: { Timestamp: 1_574_109_732_004, CloudWatchMetrics: [metrics(directive)] },
  ...{ functionVersion: '$LATEST', time: 100, requestId: '989ffbf8' },
  ...root,
});

describe('a document', () => {
  test('of the specification’s own is right', () => {
    expect(complaintsAbout(document())).toEqual([]);
    expect(complaintsAbout(document({}, { time: [1, 2.5] }))).toEqual([]);
    for (const Unit of ['Count', 'Percent', 'Kilobytes/Second', 'Terabits', 'None']) {
      expect(complaintsAbout(document({ Metrics: [{ Name: 'time', Unit }] }))).toEqual([]);
    }
  });

  test.each<[string, unknown]>([
    ['without metadata', { time: 100 }],
    ['without a time', { ...document(), _aws: { CloudWatchMetrics: [] } }],
    ['with an unknown unit', document({ Metrics: [{ Name: 'time', Unit: 'ms' }] })],
    ['without a set of dimensions', document({ Dimensions: [] })],
    ['with ten dimensions', document({ Dimensions: [Array.from('abcdefghij')] })],
    ['with a dimension that is not there', document({ Dimensions: [['userId']] })],
    ['with a dimension that is a number', document({}, { functionVersion: 7 })],
    ['with a metric that is not there', document({ Metrics: [{ Name: 'missing' }] })],
    ['with a metric that is text', document({}, { time: '100' })],
    ['with 101 values', document({}, { time: Array.from({ length: 101 }, () => 1) })],
  ])('%s is not', (_what, wrong) => {
    expect(complaintsAbout(wrong)).not.toEqual([]);
  });

  test('makes a point of each metric for each set of dimensions', () => {
    const twice = document(
      { Dimensions: [[], ['functionVersion']], Metrics: [{ Name: 'time' }, { Name: 'size', Unit: 'Bytes' }] },
      { size: [1, 2] },
    );
    expect(
      pointsOf(twice as unknown as EmfDocument).map(({ name, dimensions, values, unit }) => ({
        name,
        dimensions,
        values,
        unit,
      })),
    ).toEqual([
      { name: 'time', dimensions: {}, values: [100], unit: undefined },
      { name: 'size', dimensions: {}, values: [1, 2], unit: 'Bytes' },
      { name: 'time', dimensions: { functionVersion: '$LATEST' }, values: [100], unit: undefined },
      { name: 'size', dimensions: { functionVersion: '$LATEST' }, values: [1, 2], unit: 'Bytes' },
    ]);
  });
});
