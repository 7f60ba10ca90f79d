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

/**
 * The rows that give a name, each as its columns' values: several where a value could hold what stands between two columns;
 * none for a name that the template cannot give.
 */
export function rowsOf(template: string, name: string): Record<string, string>[] {
  const columns = columnsOf(template);
  const [start = '', ...after] = literalsOf(template);
  const read = (at: number, index: number): Record<string, string>[] => {
    const column = columns[index];
    if (column === undefined) return at === name.length ? [{}] : [];
    const literal = after[index] ?? '';
    const rows: Record<string, string>[] = [];
    for (let end = name.indexOf(literal, at + 1); end >= 0; end = name.indexOf(literal, end + 1)) {
      if (end <= at) break;
      const value = name.slice(at, end);
      for (const row of read(end + literal.length, index + 1)) rows.push({ [column]: value, ...row });
      if (literal === '' && end >= name.length) break;
    }
    return rows;
  };
  return name.startsWith(start) ? read(start.length, 0) : [];
}
