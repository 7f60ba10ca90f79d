import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { templatesOf } from '../../lib/templates.ts';
import { graphOf } from './graph.ts';
import { mermaidOf } from './mermaid.ts';
import { resourcesOf } from './resources.ts';
import { rulesOf, rulesTable } from './rules.ts';

/** A page of docs/ with a block that is made from the templates. */
export interface MadePage {
  readonly file: string;
  /** What the file is, and what it would be if its block were made anew; the same when it is up to date. */
  readonly is: string;
  readonly wanted: string;
}

const ROOT = path.resolve(import.meta.dirname, '..', '..');

/** The legacy backend's group, whose id each team writes into its configuration. */
const LEGACY_GROUP = 'sg-0123456789abcdef0';

/** The pages and what has to be in them: the architecture of the production stage, and the rules of its network. */
export function madePages(): readonly MadePage[] {
  const resources = resourcesOf(
    templatesOf('production', (stage) => ({ ...stage, legacySecurityGroupIds: [LEGACY_GROUP] })),
  );
  return [
    madePage('docs/architecture.md', 'diagram', mermaidOf(graphOf(resources))),
    madePage('docs/operations/security-groups.md', 'rules', rulesTable(rulesOf(resources))),
  ];
}

/** Writes the pages that are out of date. @returns their files. */
export function writePages(pages: readonly MadePage[]): string[] {
  const outdated = pages.filter(({ is, wanted }) => is !== wanted);
  for (const { file, wanted } of outdated) writeFileSync(path.join(ROOT, file), wanted);
  return outdated.map(({ file }) => file);
}

function madePage(file: string, name: string, content: string): MadePage {
  const is = readFileSync(path.join(ROOT, file), 'utf8');
  return { file, is, wanted: withBlock(is, { name, content, file }) };
}

/**
 * A page with new content between the two comments that mark a block.
 * @throws when it has no such block.
 */
export function withBlock(
  page: string,
  { name, content, file }: { readonly name: string; readonly content: string; readonly file: string },
): string {
  const [begin, end] = [`<!-- ${name}: made by \`npm run diagram\` -->`, `<!-- /${name} -->`];
  const [before, inside = '', ...more] = page.split(begin);
  const [, after] = inside.split(end);
  if (after === undefined || more.length > 0) {
    throw new Error(`diagram: ${file} needs one block that begins with ${begin} and ends with ${end}`);
  }
  return `${before}${begin}\n${content}\n${end}${after}`;
}
