const EVERY_MS = 100;
const CLEAR_LINE = '\r\u001b[K';

/** A line on the terminal that changes while a command works. */
export interface Ticker {
  /** Shows what `line` makes, unless the last one is too young to have been read. */
  show(line: () => string): void;
  /** Says something that stays; also where nothing changes. */
  say(line: string): void;
  /** Clears the line. */
  end: () => void;
}

/** @param live whether standard error is a terminal that somebody looks at. */
export function createTicker(live: boolean): Ticker {
  let shownAt = Number.NEGATIVE_INFINITY;
  const clear = () => {
    if (live) process.stderr.write(CLEAR_LINE);
  };
  return {
    show(line) {
      const now = performance.now();
      if (!live || now - shownAt < EVERY_MS) return;
      shownAt = now;
      process.stderr.write(CLEAR_LINE + line());
    },
    say(line) {
      clear();
      console.error(line);
    },
    end: clear,
  };
}
