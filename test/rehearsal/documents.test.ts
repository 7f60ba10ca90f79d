import { expect, test } from '@jest/globals';
import { isDocument, sumOf } from '../../rehearsal/documents.ts';

const document = (fields: object) =>
  JSON.stringify({ _aws: { Timestamp: 1, CloudWatchMetrics: [] }, service: 'cutover-api', ...fields });

test('documents are added up, each once, whatever its series; other lines of the output are not', () => {
  const lines = [
    document({ Requests: 100, DatabaseLatency: [1, 2] }),
    document({ CacheHits: 40, CacheMisses: 7, namespace: 'v2' }),
    JSON.stringify({ level: 'WARN', message: 'slow', Requests: 1000 }),
    'Error: something with "Requests": 5',
    document({ ServerErrors: 1, route: 'flags', version: '$LATEST' }),
    document({ Requests: 3, CacheHits: [1, 1] }),
    document({ ServerErrors: 1 }),
  ];
  expect(sumOf(lines)).toEqual({ requests: 103, hits: 42, misses: 7, errors5xx: 2 });
  expect(sumOf([])).toEqual({ requests: 0, hits: 0, misses: 0, errors5xx: 0 });
  expect(lines.filter(isDocument)).toHaveLength(5);
});
