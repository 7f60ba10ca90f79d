/** Longer keys are cut: nobody reads them, and a key can have 512 MB. */
export const MAX_SHOWN_BYTES = 512;

/** What a terminal would not show, or obey: control characters, marks of direction, line separators. */
const UNSHOWN = /[\p{C}\p{Zl}\p{Zp}\\]/gu;

/**
 * A key as text that is safe to print and can be read back: UTF-8 as it is, every other byte as `\xff`, a backslash doubled;
 * cut after 512 bytes, with `...` behind it.
 */
export function keyText(key: Buffer): string {
  const shown = key.subarray(0, MAX_SHOWN_BYTES);
  const cut = key.length > MAX_SHOWN_BYTES ? '...' : '';
  const text = shown.toString('utf8');
  if (Buffer.from(text).equals(shown)) return text.replace(UNSHOWN, escapedFrom('utf8')) + cut;
  return shown.toString('latin1').replace(/[^ -~]|\\/g, escapedFrom('latin1')) + cut;
}

const escapedFrom = (encoding: 'utf8' | 'latin1') => (character: string) =>
  character === '\\'
    ? '\\\\'
    : Array.from(Buffer.from(character, encoding), (byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join(
        '',
      );
