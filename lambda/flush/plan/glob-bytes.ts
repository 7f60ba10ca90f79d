/** Whether the bytes from `start` to before `end` match. */
export type BytesMatcher = (bytes: Uint8Array, start: number, end: number) => boolean;

/** What one byte of a key may be, a flag for each of 256; or any number of any bytes. */
type Token = Uint8Array | typeof ANY_BYTES;

const ANY_BYTES = 'any bytes';
const [STAR, QUESTION, OPEN, CLOSE, CARET, DASH, BACKSLASH] = Buffer.from('*?[]^-\\') as unknown as number[];

/**
 * Compiles a glob pattern as Redis reads it, byte by byte (`stringmatchlen` in its util.c): `*`, `?`, `[a-z]`, `[^x]`, `\`
 * before a literal; a string is what it is in UTF-8. A million keys are matched without a string being made of any.
 */
export function compileGlob(pattern: string | Buffer): BytesMatcher {
  const tokens = tokensOf(typeof pattern === 'string' ? Buffer.from(pattern) : pattern);
  const count = tokens.length;
  return (bytes, start, end) => {
    let token = 0;
    let at = start;
    /** Where to go on when what follows the last `*` does not match: it takes one byte more then. */
    let retryToken = -1;
    let retryAt = start;
    for (;;) {
      const allowed = tokens[token];
      if (allowed === ANY_BYTES) {
        if (token === count - 1) return true;
        token += 1;
        retryToken = token;
        retryAt = at;
      } else if (at < end && allowed?.[bytes[at] as number]) {
        token += 1;
        at += 1;
      } else if (at === end && token === count) return true;
      else if (retryToken < 0 || retryAt >= end) return false;
      else {
        retryAt += 1;
        at = retryAt;
        token = retryToken;
      }
    }
  };
}

function tokensOf(pattern: Buffer): Token[] {
  const tokens: Token[] = [];
  for (let at = 0; at < pattern.length; at += 1) {
    const byte = pattern[at] as number;
    if (byte === STAR) {
      if (tokens.at(-1) !== ANY_BYTES) tokens.push(ANY_BYTES);
    } else if (byte === QUESTION) tokens.push(new Uint8Array(256).fill(1));
    else if (byte === OPEN) {
      const { allowed, last } = setAt(pattern, at + 1);
      tokens.push(allowed);
      at = last;
    } else {
      if (byte === BACKSLASH && at + 1 < pattern.length) at += 1;
      tokens.push(new Uint8Array(256).fill(1, pattern[at], (pattern[at] as number) + 1));
    }
  }
  return tokens;
}

/** Reads a set from after its bracket; one that never ends runs to the end of the pattern. */
function setAt(pattern: Buffer, from: number): { allowed: Uint8Array; last: number } {
  const negated = pattern[from] === CARET;
  const allowed = new Uint8Array(256);
  let at = negated ? from + 1 : from;
  for (; at < pattern.length && pattern[at] !== CLOSE; at += 1) {
    let low = pattern[at] as number;
    let high = low;
    if (low === BACKSLASH && at + 1 < pattern.length) {
      at += 1;
      low = high = pattern[at] as number;
    } else if (pattern[at + 1] === DASH && at + 2 < pattern.length) {
      high = pattern[at + 2] as number;
      at += 2;
    }
    allowed.fill(1, Math.min(low, high), Math.max(low, high) + 1);
  }
  return { allowed: negated ? allowed.map((flag) => 1 - flag) : allowed, last: at };
}
