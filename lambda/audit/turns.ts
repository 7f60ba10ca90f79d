/** Runs work, so many at a time; the others wait in the order in which they came. */
export type InTurn = <T>(work: () => Promise<T>) => Promise<T>;

/** A pool of connections has a queue, too, but there a wait is an error after a while. */
export function inTurns(max: number): InTurn {
  let free = max;
  const waiting: (() => void)[] = [];
  return async (work) => {
    if (free > 0) free -= 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else free += 1;
    }
  };
}
