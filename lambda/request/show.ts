/** A value in a message: quoted, escaped, and not longer than a line. */
export const show = (value: string): string => JSON.stringify(cut(value));

/** The same of a value that is JSON. */
export const showJson = (value: unknown): string => cut(JSON.stringify(value));

const cut = (text: string) => (text.length > 60 ? `${text.slice(0, 60)}...` : text);
