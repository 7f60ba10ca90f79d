import { describe, expect, it } from '@jest/globals';
import { FUNCTION_ENVIRONMENT, type FunctionName } from '../../lambda/contract/environment.ts';
import { type Inspection, inspectBundle } from '../../lib/bundle.ts';
import { budgetedSizes, judgeSizes } from '../../scripts/bundle-sizes.ts';
import { callsAws, misplacedIn } from './support/bundle-rules.ts';

const NAMES = Object.keys(FUNCTION_ENVIRONMENT) as FunctionName[];

const INSPECTIONS = Object.fromEntries(NAMES.map((name) => [name, inspectBundle(name)])) as Record<
  FunctionName,
  Inspection
>;

/** A function that also imports these, and uses them, so that they do not go as unused. */
const alsoImporting = (name: FunctionName, imported: readonly string[]): Inspection => {
  const lines = imported.map(
    (each, index) => `import * as added${index} from '${each}'; console.log(added${index});`,
  );
  return inspectBundle({ text: `export * from './lambda/functions/${name}.ts'; ${lines.join(' ')}` });
};

const only = (choose: (name: FunctionName) => boolean): FunctionName => {
  const name = NAMES.find(choose);
  if (!name) throw new Error('no function of that kind');
  return name;
};
const awsCaller = only(callsAws);

describe('the imports', () => {
  it.each(NAMES)('of %s are those that it has a use for', (name) => {
    const { metafile } = INSPECTIONS[name];
    expect(Object.keys(metafile.inputs)).toContain(`lambda/functions/${name}.ts`);
    expect(misplacedIn(name, metafile)).toEqual([]);
  });

  it.each<[FunctionName, Readonly<Record<string, string>>]>([
    [
      'api',
      {
        '@aws-sdk/client-lambda': '@aws-sdk/client-lambda',
        express: 'express',
        ioredis: 'ioredis',
        commander: 'commander',
        redis: 'redis',
      },
    ],
    ['dispatcher', { hono: 'hono' }],
    [
      awsCaller,
      {
        pg: 'pg',
        kysely: 'kysely',
        'tsx/esm/api': 'tsx',
        './node_modules/aws-cdk-lib/core/lib/removal-policy.js': 'aws-cdk-lib',
      },
    ],
    [
      'migrate',
      {
        '@redis/client': '@redis/client',
        './lib/package.ts': 'lib/package.ts',
        './rehearsal/random.ts': 'rehearsal/random.ts',
      },
    ],
  ])('of %s would be noticed to have more', (name, foundByImport) => {
    const found = misplacedIn(name, alsoImporting(name, Object.keys(foundByImport)).metafile);
    expect(found).toEqual(expect.arrayContaining(Object.values(foundByImport)));
  });

  it('would be noticed to be left to the runtime', () => {
    const { metafile } = INSPECTIONS.migrate;
    const outputs = Object.entries(metafile.outputs).map(([file, output]) => {
      const missing = { path: 'sharp', kind: 'import-statement' as const, external: true };
      return [file, { ...output, imports: [...output.imports, missing] }];
    });
    expect(misplacedIn('migrate', { ...metafile, outputs: Object.fromEntries(outputs) })).toEqual(['sharp']);
  });
});

describe('the sizes', () => {
  it('are within the budget', () => {
    const sizes = NAMES.map((name) => [name, INSPECTIONS[name].bytes] as const);
    const { table, problems } = judgeSizes(Object.fromEntries(sizes), budgetedSizes());
    process.stdout.write(`\n${table}\n`);
    expect(problems).toEqual([]);
  });

  const agreed = { api: 100_000, migrate: 50_000 };

  it('may grow by 10 %, and shrink', () => {
    const { table, problems } = judgeSizes({ api: 110_000, migrate: 20_000 }, agreed);
    expect(problems).toEqual([]);
    expect(table.split('\n').map((line) => line.trim().split(/ {2,}/))).toEqual([
      ['bundle', 'KB', 'budget, KB', 'change, %'],
      ['api', '110.0', '100.0', '+10.0'],
      ['migrate', '20.0', '50.0', '-60.0'],
    ]);
  });

  it('may not grow by more', () => {
    expect(judgeSizes({ api: 110_100, migrate: 50_000 }, agreed).problems).toEqual([
      'bundles: api is 110.1 KB, +10.1 % of 100.0 KB; it may grow by 10 %: leave out what it need not import, or `npm run bundles -- --update` if that is meant',
    ]);
  });

  it('are those of all functions and no others', () => {
    expect(judgeSizes({ api: 1, dispatcher: 1 }, { api: 1, warm: 1 }).problems).toEqual([
      'bundles: dispatcher has no budget; `npm run bundles -- --update` if that is meant',
      'bundles: warm has a budget and is no function; `npm run bundles -- --update` if that is meant',
    ]);
  });
});
