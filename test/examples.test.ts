import { beforeAll, describe, expect, test } from '@jest/globals';
import { createCache, createKeyspace } from '../lambda/cache/index.ts';
import { examplesIn, programOf } from './support/examples.ts';
import { type Importer, importer } from './support/importer.ts';
import { entryPoints, functionsOf } from './support/public-functions.ts';
import { freshDatabase, ownRedis } from './support/servers.ts';

/**
 * Every public function has an example, and every example is true: it is type-checked and run as a program of
 * another team that has installed the package, on a Redis and a PostgreSQL of its own.
 */
const functions = entryPoints().flatMap(({ specifier, file }) =>
  functionsOf(file).map(({ name, docstring }) => ({ specifier, name, examples: examplesIn(docstring) })),
);
const programs = functions.flatMap(({ specifier, name, examples }) =>
  examples.map((example, index) => ({
    title: `${specifier} ${name} ${index + 1}`,
    file: `${name}-${index + 1}`,
    source: programOf(example),
  })),
);

describe('every public function has an example', () => {
  test.each(entryPoints())('$specifier: the sources were read right', async ({ specifier, file }) => {
    const module: Record<string, unknown> = await import(file);
    const exported = Object.keys(module).filter(
      (name) => typeof module[name] === 'function' && !/^class\b/.test(String(module[name])),
    );
    const found = functions.filter((each) => each.specifier === specifier && !each.name.includes('.'));
    expect(found.map(({ name }) => name).sort()).toEqual(exported.sort());
  });

  test('cutover/cache: so were the methods of Cache', () => {
    const cache = createCache({ keyspace: createKeyspace({ phase: 'legacy', env: 'test' }) });
    const found = functions.filter(({ name }) => name.startsWith('Cache.'));
    expect(found.map(({ name }) => name.slice('Cache.'.length)).sort()).toEqual(Object.keys(cache).sort());
  });

  test.each(functions)('$specifier $name', ({ examples }) => {
    expect(examples).not.toEqual([]);
  });
});

/** Runs all programs, each on an empty Redis, and prints why those that failed did. */
const ALL = `
  import { createClient } from 'redis';

  const redis = createClient({ url: process.env['REDIS_URL'] ?? '' });
  await redis.connect();
  const failures: Record<string, string> = {};
  for (const file of ${JSON.stringify([...programs.map(({ file }) => file), 'falsehood'])}) {
    await redis.flushAll();
    await import(\`./\${file}.js\`).catch((error) => {
      failures[file] = String(error.stack);
    });
  }
  console.log(\`\\n\${JSON.stringify(failures)}\`);
  process.exit();
`;

describe('every example is true', () => {
  let project: Importer;
  let complaints: string;
  let failures: Readonly<Record<string, string>>;

  beforeAll(async () => {
    const [{ url }, server] = await Promise.all([freshDatabase(), ownRedis()]);
    project = await importer();
    const falsehood = programOf('1 + 1; // => 3');
    const sources = Object.fromEntries(programs.map(({ file, source }) => [file, source]));
    complaints = await project.compile({ ...sources, falsehood, all: ALL });
    const output = await project.run('all', { REDIS_URL: server.url, DATABASE_URL: url });
    failures = JSON.parse(output.slice(output.lastIndexOf('\n{')));
  });

  test('they type-check', () => {
    expect(complaints).toBe('');
  });

  test.each(programs)('$title', ({ file }) => {
    expect(failures[file]).toBeUndefined();
  });

  test('one that is not true fails, and one that expects nothing is refused', async () => {
    expect(failures['falsehood']).toContain('Expected values to be strictly deep-equal');
    expect(() => programOf('1 + 1;')).toThrow('no line ends with');
    expect(() => programOf('1 + 1;\n// => 3')).toThrow('put it behind an expression');
  });
});
