/** Prints how large the deployed bundles are, and fails where one has outgrown its budget; `--update` makes a new budget. */
import { parseArgs } from 'node:util';
import { budgetedSizes, judgeSizes, measuredSizes, writeBudget } from './bundle-sizes.ts';

const { values } = parseArgs({ options: { update: { type: 'boolean', default: false } } });

const sizes = measuredSizes();
const { table, problems } = judgeSizes(sizes, budgetedSizes());
process.stdout.write(`${table}\n`);
if (values.update) {
  writeBudget(sizes);
} else if (problems.length > 0) {
  process.stderr.write(`${problems.join('\n')}\n`);
  process.exitCode = 1;
}
