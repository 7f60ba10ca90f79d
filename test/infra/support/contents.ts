import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** The files below a folder: text as it is, to see what differs, anything else by its digest. */
export function contentsOf(folder: string): Readonly<Record<string, string>> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  const entries = files.map((entry) => {
    const file = path.join(entry.parentPath, entry.name);
    const content = readFileSync(file);
    const shown = file.endsWith('.json')
      ? content.toString()
      : createHash('sha256').update(content).digest('hex');
    return [path.relative(folder, file), shown] as const;
  });
  return Object.fromEntries(entries.sort(([one], [other]) => (one < other ? -1 : 1)));
}
