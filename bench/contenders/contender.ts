/** A way to read through Redis that is measured, wired as its documentation recommends, without a tier in memory. */
export interface Contender {
  /** Answers what is stored under the key, or loads and stores it. Keys look like `mocs:200:warm:17`. */
  read(key: string): Promise<unknown>;
  /** Each means that it has to make others forget what was stored. */
  readonly invalidations: readonly Invalidation[];
}

/** One means of forgetting a key after a write. */
export interface Invalidation {
  /** As the contender's documentation calls it. */
  readonly means: string;
  /** What a writer calls after its commit; some means store the new value instead of removing the old one. */
  invalidate(key: string, newValue: unknown): Promise<unknown>;
  /** How to read so that this means applies, such as with a tag. Default: the contender's `read`. */
  readonly read?: (key: string) => Promise<unknown>;
}

export interface Opening {
  /** Of the Redis. */
  readonly url: string;
  /** Reads the value of a key from where it is kept. */
  readonly load: (key: string) => Promise<unknown>;
}

/** Opens a contender, connected and ready. It is never closed: it ends with its process. */
export type OpenContender = (opening: Opening) => Promise<Contender>;

/** What the others are compared with. */
export const RAW = 'raw';
export const OURS = 'ours';

/** How long an entry lives; no measurement takes as long. */
export const TTL_SECONDS = 300;

/** For a client's errors while its Redis is away, which end the process when nobody listens. */
export const ignore = (): void => {};
