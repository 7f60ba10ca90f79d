import { METRICS } from '../lambda/contract/metrics.ts';
import type { Answered } from './router.ts';

/** Whether a line of a function's output is a document of CloudWatch's embedded metric format. */
export const isDocument = (line: string): boolean => line.startsWith('{"_aws":');

const NAMES = {
  requests: METRICS.requests,
  hits: METRICS.cacheHits,
  misses: METRICS.cacheMisses,
  errors5xx: METRICS.serverErrors,
} as const satisfies Record<keyof Answered, string>;

/** What the documents on a function's output say when they are added up, each once, whatever series it makes. */
export function sumOf(lines: readonly string[]): Answered {
  const sum = sumIn(lines);
  return {
    requests: sum(NAMES.requests),
    hits: sum(NAMES.hits),
    misses: sum(NAMES.misses),
    errors5xx: sum(NAMES.errors5xx),
  };
}

/** How often the serverless backend could not open a connection to Redis, or has lost one, by its documents. */
export const connectionFailuresIn = (lines: readonly string[]): number =>
  sumIn(lines)(METRICS.redisConnectionFailures);

function sumIn(lines: readonly string[]): (name: string) => number {
  const documents: Record<string, number | number[]>[] = lines
    .filter(isDocument)
    .map((line) => JSON.parse(line));
  return (name) =>
    documents.flatMap((document) => document[name] ?? []).reduce((total, value) => total + value, 0);
}
