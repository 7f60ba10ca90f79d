import { setTimeout as sleep } from 'node:timers/promises';
import { RolloutGateError } from '../errors.ts';
import { type Answer, differenceOf } from './difference.ts';

/** Asks one backend. */
export type Get = (path: string) => Promise<Answer>;

export interface CompareOptions {
  readonly legacy: Get;
  readonly serverless: Get;
  readonly paths: readonly string[];
  /** How many of the paths are asked for, drawn by chance. Default: 100. */
  readonly samplePaths?: number;
  /** Between two looks at what differs: a write may have come between the two answers. Default: 1 s. */
  readonly againMs?: number;
}

/** A path that two backends answer differently, three times in a row. */
export interface Difference {
  readonly path: string;
  readonly where: string;
}

export interface Comparison {
  readonly compared: number;
  readonly differences: readonly Difference[];
}

const SAMPLE_PATHS = 100;
const LOOKS = 3;
const AT_A_TIME = 4;

/** Replays GETs to both backends and compares what they answer. @throws what a backend that does not answer throws. */
export async function compare(options: CompareOptions): Promise<Comparison> {
  const { paths, samplePaths = SAMPLE_PATHS } = options;
  const left = sampleOf(paths, samplePaths);
  const compared = left.length;
  const differences: Difference[] = [];
  const work = async () => {
    for (let path = left.pop(); path !== undefined; path = left.pop()) {
      const where = await settledDifference(path, options);
      if (where !== undefined) differences.push({ path, where });
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, work));
  return { compared, differences: differences.sort((one, other) => one.path.localeCompare(other.path)) };
}

async function settledDifference(path: string, options: CompareOptions): Promise<string | undefined> {
  const { legacy, serverless, againMs = 1000 } = options;
  for (let look = 1; ; look += 1) {
    const [one, other] = await Promise.all([legacy(path), serverless(path)]);
    const where = differenceOf(one, other);
    if (where === undefined || look === LOOKS) return where;
    await sleep(againMs);
  }
}

/** Each with the same chance, none twice (Fisher and Yates). */
function sampleOf(paths: readonly string[], size: number): string[] {
  const all = [...new Set(paths)];
  for (let at = all.length - 1; at > 0; at -= 1) {
    const other = Math.floor(Math.random() * (at + 1));
    [all[at], all[other]] = [all[other] ?? '', all[at] ?? ''];
  }
  return all.slice(0, size);
}

/** @throws RolloutGateError that names the paths, and where the answers differ. */
export function requireSame({ compared, differences }: Comparison): { readonly text: string } {
  if (differences.length === 0) return { text: `${compared} paths are answered alike` };
  const told = differences.map(({ path, where }) => `GET ${path}: ${where}`);
  throw new RolloutGateError(
    `rollout: legacy and serverless answer differently: ${told.join('; ')}; users would see it`,
  );
}
