import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import Table from 'cli-table3';
import { FUNCTION_ENVIRONMENT, type FunctionName } from '../lambda/contract/environment.ts';
import { inspectBundle } from '../lib/bundle.ts';
import { PLAIN_TABLE } from '../rehearsal/plain-table.ts';

/** Bytes by the name of the function. */
export type Sizes = Readonly<Record<string, number>>;

/** What the sizes look like beside the budget, and what is wrong with them. */
export interface Verdict {
  readonly table: string;
  /** One line each, with the remedy; none, and the budget holds. */
  readonly problems: readonly string[];
}

/** How much a bundle may grow before somebody has to say that it is meant. */
export const GROWTH_LIMIT_PERCENT = 10;

const BUDGET_FILE = path.resolve(import.meta.dirname, '..', 'bundle-budget.json');
const UPDATE = '`npm run bundles -- --update` if that is meant';

/** The bundles as they would be deployed now, each without its source map. */
export function measuredSizes(): Sizes {
  const names = Object.keys(FUNCTION_ENVIRONMENT) as FunctionName[];
  return Object.fromEntries(names.map((name) => [name, inspectBundle(name).bytes]));
}

/** The sizes that were agreed upon: the committed `bundle-budget.json`. */
export function budgetedSizes(): Sizes {
  return JSON.parse(readFileSync(BUDGET_FILE, 'utf8'));
}

/** Makes these sizes the ones that are agreed upon. */
export function writeBudget(sizes: Sizes): void {
  writeFileSync(BUDGET_FILE, `${JSON.stringify(sizes, null, 2)}\n`);
}

/** Compares sizes with a budget: each function has to be in both, and may not have grown by more than the limit. */
export function judgeSizes(sizes: Sizes, budget: Sizes): Verdict {
  const rows = Object.entries(sizes).map(([name, bytes]) => {
    const agreed = budget[name];
    const change = agreed === undefined ? undefined : (bytes / agreed - 1) * 100;
    return { name, bytes, agreed, change };
  });
  const problems = rows.flatMap(({ name, bytes, agreed, change }) => {
    if (agreed === undefined || change === undefined) {
      return [`bundles: ${name} has no budget; ${UPDATE}`];
    }
    if (bytes * 100 <= agreed * (100 + GROWTH_LIMIT_PERCENT)) return [];
    return [
      `bundles: ${name} is ${kilobytes(bytes)} KB, ${signed(change)} % of ${kilobytes(agreed)} KB; it may grow by ${GROWTH_LIMIT_PERCENT} %: leave out what it need not import, or ${UPDATE}`,
    ];
  });
  const gone = Object.keys(budget).filter((name) => !(name in sizes));
  return {
    table: tableOf(
      rows.map(({ name, bytes, agreed, change }) => [
        name,
        kilobytes(bytes),
        agreed === undefined ? '-' : kilobytes(agreed),
        change === undefined ? '-' : signed(change),
      ]),
    ),
    problems: [
      ...problems,
      ...gone.map((name) => `bundles: ${name} has a budget and is no function; ${UPDATE}`),
    ],
  };
}

function tableOf(rows: readonly (readonly string[])[]): string {
  const head = ['bundle', 'KB', 'budget, KB', 'change, %'];
  const result = new Table({ head, colAligns: ['left', 'right', 'right', 'right'], ...PLAIN_TABLE });
  result.push(...rows.map((row) => [...row]));
  return result.toString().replace(/ +$/gm, '');
}

const kilobytes = (bytes: number): string => (bytes / 1000).toFixed(1);
const signed = (percent: number): string => `${percent > 0 ? '+' : ''}${percent.toFixed(1)}`;
