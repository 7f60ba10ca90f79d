/** The functions that the package exports, found in the sources of its entry points, with their docstrings. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { type Module, type ModuleItem, parseSync, type TsInterfaceDeclaration } from '@swc/core';

const ROOT = path.resolve(import.meta.dirname, '../..');
/** Interfaces whose methods are public functions, too. */
const INTERFACES = ['Cache', 'Sets'];

export interface PublicFunction {
  /** `createCache`, or `Cache.resolve` for a method. */
  readonly name: string;
  readonly docstring: string;
}

/** The entry points: `cutover/cache` and its source file. */
export function entryPoints(): readonly { readonly specifier: string; readonly file: string }[] {
  const { name, exports } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as {
    name: string;
    exports: Record<string, { types: string }>;
  };
  return Object.entries(exports).map(([subpath, { types }]) => ({
    specifier: path.posix.join(name, subpath),
    file: path.join(ROOT, types.replace(/^\.\/dist\/package\/(.*)\.d\.ts$/, 'lambda/$1.ts')),
  }));
}

/** The functions that a module exports, its own and those that it passes on. @param only those of these names. */
export function functionsOf(file: string, only?: readonly string[]): PublicFunction[] {
  const source = readFileSync(file);
  const { body }: Module = parseSync(source.toString(), { syntax: 'typescript' });
  const found = body.flatMap((item) => {
    if (item.type === 'ExportNamedDeclaration' && item.source) {
      const names = item.specifiers.map((each) => ('orig' in each ? each.orig.value : ''));
      return functionsOf(path.resolve(path.dirname(file), item.source.value), names);
    }
    return declared(item).map(({ name, start }) => ({ name, docstring: docstringBefore(source, start) }));
  });
  return joined(only ? found.filter(({ name }) => only.includes(name.split('.')[0] ?? '')) : found);
}

/** Overloads are one function; any of them may carry the example. */
function joined(found: readonly PublicFunction[]): PublicFunction[] {
  return [...new Set(found.map(({ name }) => name))].map((name) => {
    const docstrings = found.filter((each) => each.name === name).map(({ docstring }) => docstring);
    return { name, docstring: docstrings.join('\n') };
  });
}

interface Declared {
  readonly name: string;
  /** Where it begins, as swc counts: in bytes, from 1. */
  readonly start: number;
}

function declared(item: ModuleItem): Declared[] {
  if (item.type !== 'ExportDeclaration') return [];
  const { declaration, span } = item;
  if (declaration.type === 'FunctionDeclaration') {
    return [{ name: declaration.identifier.value, start: span.start }];
  }
  if (declaration.type === 'TsInterfaceDeclaration') return methodsOf(declaration);
  if (declaration.type !== 'VariableDeclaration') return [];
  return declaration.declarations.flatMap(({ id, init }) =>
    id.type === 'Identifier' && init?.type === 'ArrowFunctionExpression'
      ? [{ name: id.value, start: span.start }]
      : [],
  );
}

function methodsOf({ id, body }: TsInterfaceDeclaration): Declared[] {
  if (!INTERFACES.includes(id.value)) return [];
  return body.body.flatMap((member) =>
    member.type === 'TsMethodSignature' && member.key.type === 'Identifier'
      ? [{ name: `${id.value}.${member.key.value}`, start: member.span.start }]
      : [],
  );
}

/** The text of the docstring that ends where a declaration begins, without its stars; '' if there is none. */
function docstringBefore(source: Buffer, start: number): string {
  const before = source
    .subarray(0, start - 1)
    .toString()
    .trimEnd();
  if (!before.endsWith('*/')) return '';
  return before.slice(before.lastIndexOf('/**') + 3, -2).replace(/^ *\* ?/gm, '');
}
