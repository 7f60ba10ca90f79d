import type { LogLine, Mark } from '../contract.ts';

/** Something for the log, and, of a kind, for the charts. */
export interface Entry {
  readonly text: string;
  /** Default: `info`. */
  readonly level?: LogLine['level'];
  readonly mark?: Mark['kind'];
}

/** What has happened, the last of it. */
export interface Journal {
  write(entry: Entry): void;
  readonly lines: readonly LogLine[];
  readonly marks: readonly Mark[];
}

const KEPT = 200;

export function createJournal(now: () => number = Date.now): Journal {
  const lines: LogLine[] = [];
  const marks: Mark[] = [];
  const keep = <T>(all: T[], one: T) => {
    all.push(one);
    if (all.length > KEPT) all.shift();
  };
  return {
    lines,
    marks,
    write({ text, level = 'info', mark }) {
      const at = now();
      keep(lines, { at, level, text });
      if (mark) keep(marks, { at, kind: mark, text });
    },
  };
}
