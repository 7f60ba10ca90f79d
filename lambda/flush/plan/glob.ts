/**
 * Translates a glob pattern as Redis reads it (`*`, `?`, `[a-z]`, `[^x]`, `\` before a literal) to a regular
 * expression over the whole key.
 */
export function globToRegExp(pattern: string): RegExp {
  let source = '';
  for (let at = 0; at < pattern.length; at += 1) {
    const character = pattern.charAt(at);
    if (character === '*') source += '.*';
    else if (character === '?') source += '.';
    else if (character === '[') {
      const { source: set, end } = readSet(pattern, at + 1);
      source += set;
      at = end;
    } else if (character === '\\' && at + 1 < pattern.length) {
      at += 1;
      source += literal(pattern.charAt(at));
    } else source += literal(character);
  }
  return new RegExp(`^${source}$`, 's');
}

/** Reads `[...]` from after its bracket; one that never ends runs to the end of the pattern, as in Redis. */
function readSet(pattern: string, from: number): { source: string; end: number } {
  let at = from;
  const negated = pattern.charAt(at) === '^';
  if (negated) at += 1;
  let members = '';
  for (; at < pattern.length && pattern.charAt(at) !== ']'; at += 1) {
    if (pattern.charAt(at) === '\\' && at + 1 < pattern.length) {
      at += 1;
      members += literal(pattern.charAt(at));
    } else if (pattern.charAt(at + 1) === '-' && at + 2 < pattern.length) {
      const [low, high] = [pattern.charAt(at), pattern.charAt(at + 2)].sort();
      members += `${literal(low ?? '')}-${literal(high ?? '')}`;
      at += 2;
    } else members += literal(pattern.charAt(at));
  }
  if (members === '') return { source: negated ? '.' : '(?!)', end: at };
  return { source: `[${negated ? '^' : ''}${members}]`, end: at };
}

const literal = (character: string) => character.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
