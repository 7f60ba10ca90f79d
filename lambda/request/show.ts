/** A value in a message: quoted, escaped, and not longer than a line. */
export const show = (value: string): string => JSON.stringify(cut(value));

/** The same of a value that is JSON. What has parts is only named: one that is nested deep enough cannot be written. */
export function showJson(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' && value !== null ? 'an object' : cut(JSON.stringify(value));
}

const cut = (text: string) => (text.length > 60 ? `${text.slice(0, 60)}...` : text);
