/**
 * Which request the process works on, so that a line of the log can be found by it: what API Gateway calls it, in its access log and in
 * its answers. A sandbox of Lambda answers one request at a time; where several are under way a line may be anybody's and names none.
 * No AsyncLocalStorage, which on Node 20 would slow down each hit (lambda/async/scope.ts).
 */
let underWay = 0;
let current: string | undefined;

/** The request that is worked on; undefined where there is none, or it cannot be told. */
export const correlationId = (): string | undefined => current;

/** Names what is done until `work` settles, as which it settles. */
export async function withCorrelation<T>(id: string | undefined, work: () => Promise<T>): Promise<T> {
  underWay += 1;
  current = underWay === 1 ? id : undefined;
  try {
    return await work();
  } finally {
    underWay -= 1;
    if (underWay === 0) current = undefined;
  }
}
