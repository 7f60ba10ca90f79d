/** A name with columns of a row in it, as the registry writes it: `mocs:user:{user_id}:list`. */
const COLUMN = /\{([a-z_][a-z0-9_]*)\}/g;

/** The columns that a template names, in order. */
export function columnsOf(template: string): string[] {
  return [...template.matchAll(COLUMN)].map(([, column = '']) => column);
}

/** The parts of a template between its columns: one more than there are columns. */
export function literalsOf(template: string): string[] {
  return template.split(COLUMN).filter((_, index) => index % 2 === 0);
}

/** The name that a row gives, or undefined if a column that it needs is missing. */
export function fillTemplate(
  template: string,
  row: Readonly<Record<string, string | undefined>>,
): string | undefined {
  const missing = columnsOf(template).some((column) => row[column] === undefined);
  return missing ? undefined : template.replace(COLUMN, (_, column: string) => row[column] ?? '');
}

/** The columns' values in a name, or undefined for a name that the template cannot give. */
export function matchTemplate(template: string, name: string): Record<string, string> | undefined {
  const pattern = literalsOf(template).map(escapeRegExp).join('(.+?)');
  const values = new RegExp(`^${pattern}$`, 's').exec(name)?.slice(1);
  return (
    values && Object.fromEntries(columnsOf(template).map((column, index) => [column, values[index] ?? '']))
  );
}

const escapeRegExp = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
