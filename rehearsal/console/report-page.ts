import { createHash } from 'node:crypto';
import { bundlePage } from './bundle.ts';
import type { Frozen } from './contract.ts';

/** The page as it was at a moment: one file that needs nothing else and asks nobody. */
export async function reportPage(frozen: Frozen): Promise<string> {
  const { html, js, css } = await bundlePage();
  // What would end the element, or begin a comment in it, wherever it stands.
  const script = js.replace(/<(?=\/script|!--)/gi, '\\x3c');
  const policy = `default-src 'none'; img-src data:; script-src ${hashOf(script)}; style-src ${hashOf(css)}`;
  const head = [
    `<meta http-equiv="Content-Security-Policy" content="${policy}">`,
    `<style>${css}</style>`,
    `<script type="application/json" id="frozen">${escaped(JSON.stringify(frozen))}</script>`,
    `<script type="module">${script}</script>`,
  ];
  return replaced(replaced(html, STYLESHEET, ''), SCRIPT, `${head.join('\n')}\n`);
}

const STYLESHEET = / *<link rel="stylesheet"[^>]*>\n/;
const SCRIPT = / *<script type="module" src=[^>]*><\/script>\n/;

function replaced(html: string, tag: RegExp, by: string): string {
  if (!tag.test(html)) throw new Error(`console: index.html has no ${tag.source}`);
  return html.replace(tag, () => by);
}

/** JSON needs no < outside of its texts. */
const escaped = (json: string): string =>
  json.replace(
    /[<\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );

const hashOf = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
