import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { build } from 'esbuild';

/** The page, ready to be sent. */
export interface Page {
  readonly html: string;
  readonly js: string;
  readonly css: string;
}

const FOLDER = path.join(import.meta.dirname, 'page');

/** Bundles the page. @throws what esbuild says of its sources. */
export async function bundlePage(): Promise<Page> {
  const [html, { outputFiles }] = await Promise.all([
    readFile(path.join(FOLDER, 'index.html'), 'utf8'),
    build({
      entryPoints: { page: path.join(FOLDER, 'main.ts'), styles: path.join(FOLDER, 'styles.css') },
      ...{ bundle: true, minify: true, write: false, outdir: '/', legalComments: 'eof' },
      ...{ format: 'esm', platform: 'browser', target: 'es2022' },
    }),
  ]);
  const text = (name: string) => outputFiles.find((file) => path.basename(file.path) === name)?.text ?? '';
  return { html, js: text('page.js'), css: text('styles.css') };
}
