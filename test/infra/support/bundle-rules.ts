/** What may be in the bundle of a function: a package that need not be there costs every cold start. */
import { readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import path from 'node:path';
import type { Metafile } from 'esbuild';
import {
  ENDPOINT_VARIABLES,
  type EndpointName,
  FUNCTION_ENVIRONMENT,
  type FunctionName,
} from '../../../lambda/contract/environment.ts';

type Place = (name: FunctionName) => boolean;

const hasVariable = (name: FunctionName, variable: EndpointName): boolean =>
  (FUNCTION_ENVIRONMENT[name] as readonly string[]).includes(variable);
const ENDPOINTS = Object.keys(ENDPOINT_VARIABLES) as EndpointName[];

const anywhere: Place = () => true;
const usesRedis: Place = (name) =>
  ENDPOINTS.some((variable) => variable.includes('REDIS') && hasVariable(name, variable));
const usesDatabase: Place = (name) => hasVariable(name, 'DATABASE_URL');
/** Those that have no endpoint are outside the VPC, which nothing else is for than calling AWS. */
export const callsAws: Place = (name) => !ENDPOINTS.some((variable) => hasVariable(name, variable));

/** Where a package may be; of those that package.json names, one that is missing here may be nowhere. */
const PLACES: Readonly<Record<string, Place>> = {
  '@aws-lambda-powertools/logger': anywhere,
  '@aws-lambda-powertools/metrics': anywhere,
  '@standard-schema/spec': anywhere,
  'lru-cache': anywhere,
  valibot: anywhere,
  // IAM tokens are signed in the function, and so is what the SDK sends.
  '@aws-crypto/sha256-js': anywhere,
  '@smithy/signature-v4': anywhere,
  '@redis/client': usesRedis,
  pg: usesDatabase,
  'pg-connection-string': usesDatabase,
  kysely: usesDatabase,
  'rate-limiter-flexible': usesRedis,
  hono: (name) => name === 'api',
};
/** The same by scope, for packages that come with others too. */
const SCOPES: Readonly<Record<string, Place>> = { '@aws-sdk': callsAws, '@redis': usesRedis };

/** What a bundle may import when it runs: optional parts of pg and of the Redis client, which nobody installs. */
const OPTIONAL = ['pg-native', '@opentelemetry/api'];
/** Whose files are in bundles; everything else of the repository stays on the machine that deploys. */
const OWN_SOURCES = 'lambda/';

const MANIFEST = path.resolve(import.meta.dirname, '..', '..', '..', 'package.json');
const { dependencies, devDependencies } = JSON.parse(readFileSync(MANIFEST, 'utf8')) as Record<
  'dependencies' | 'devDependencies',
  Readonly<Record<string, string>>
>;
const DIRECT = new Set(Object.keys({ ...dependencies, ...devDependencies }));

/** The package that a file belongs to; of one inside another it is the inner. */
function packageOf(file: string): string | undefined {
  return /.*node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(file)?.[1];
}

function mayBeIn(packageName: string, name: FunctionName): boolean {
  const place =
    PLACES[packageName] ??
    SCOPES[packageName.split('/')[0] ?? ''] ??
    // What comes with a package is that package's choice.
    (DIRECT.has(packageName) ? () => false : anywhere);
  return place(name);
}

/**
 * What must not be in a function's bundle and is, by esbuild's account of it: packages that it has no use for, files of the
 * repository that are not deployed, imports that the runtime would not find.
 */
export function misplacedIn(name: FunctionName, { outputs }: Metafile): string[] {
  const all = Object.values(outputs);
  const files = all.flatMap(({ inputs }) =>
    Object.entries(inputs).flatMap(([file, { bytesInOutput }]) => (bytesInOutput > 0 ? [file] : [])),
  );
  const packages = files.flatMap((file) => packageOf(file) ?? []);
  const own = files.filter((file) => !packageOf(file) && file !== '<stdin>');
  const imported = all.flatMap(({ imports }) =>
    imports.filter(({ external }) => external).map((each) => each.path),
  );
  return [
    ...packages.filter((packageName) => !mayBeIn(packageName, name)),
    ...own.filter((file) => !file.startsWith(OWN_SOURCES)),
    ...imported.filter((each) => !isBuiltin(each) && !OPTIONAL.includes(each)),
  ].filter((each, index, list) => list.indexOf(each) === index);
}
