import { CutoverError } from '../contract/errors.ts';
import { RedisUnavailableError } from '../redis/connection.ts';
import { ErrorReply } from '../redis/raw/raw-connection.ts';

/** A pass ran out of time: what it deleted is gone, and running it again goes on. */
export class FlushLimitError extends CutoverError {
  override readonly name = 'FlushLimitError';
  readonly code = 'CUTOVER_FLUSH_LIMIT';
}

/** Another server answers than the one that the pass began on, and a cursor is worth nothing there. */
export class FlushInterruptedError extends CutoverError {
  override readonly name = 'FlushInterruptedError';
  readonly code = 'CUTOVER_FLUSH_INTERRUPTED';
}

/** Redis refuses what a pass needs; the message names the remedy. */
export class FlushRefusedError extends CutoverError {
  override readonly name = 'FlushRefusedError';
  readonly code = 'CUTOVER_FLUSH_REFUSED';
}

/** Answers of a server that will be ready, sooner or later. */
const NOT_YET = /^(LOADING|CLUSTERDOWN|MASTERDOWN|TRYAGAIN) /;
/** Answers of a server that is another one than it was; or the wrong one altogether. */
const ELSEWHERE = /^(MOVED|ASK|READONLY|UNBLOCKED) /;

/** Whether it is worth waiting for as long as there is time. */
export const isNotYet = (error: unknown): boolean =>
  error instanceof ErrorReply && NOT_YET.test(error.message);

/** Whether the pass can be begun again. */
export function isPassing(error: unknown): boolean {
  if (error instanceof ErrorReply) return isNotYet(error) || ELSEWHERE.test(error.message);
  return error instanceof RedisUnavailableError || error instanceof FlushInterruptedError;
}

/** What a user needs, by command. */
const RIGHTS: Readonly<Record<string, string>> = {
  flush: '+scan, +unlink, +info and +get (for a dry run +memory|usage and +pttl, too)',
  census: '+scan, +memory|usage, +pttl and +info',
  audit: 'the commands of the user auditor in lambda/contract/access.ts',
  backfill: 'the commands of the user backfill in lambda/contract/access.ts',
};

const REMEDIES: readonly [beginning: RegExp, remedy: string][] = [
  [/^READONLY /, 'it is a replica: name the primary in REDIS_URL'],
  [/^LOADING /, 'it reads its data from disk: run it again when INFO persistence says loading:0'],
  [/^MOVED /, 'it is one of a cluster: set REDIS_CLUSTER=1'],
  [/cluster support disabled/, 'it is none of a cluster: unset REDIS_CLUSTER'],
  [/^ERR (DB index|invalid DB index)/, 'name a database that there is at the end of REDIS_URL, or none'],
  [/^CLUSTERDOWN /, 'bring the cluster up: redis-cli --cluster check says what is missing'],
];

const lacking = (rights: string | undefined): (typeof REMEDIES)[number] => [
  /^NOPERM /,
  `give the user of REDIS_URL ${rights} on ~*, in a cluster +cluster|slots and +cluster|nodes, and +select if the URL names a database`,
];

/** An error that Redis answered, with what to do about it. @param origin the command, as `sweep` knows it. */
export function withRemedy(error: unknown, origin: string): unknown {
  if (!(error instanceof ErrorReply)) return error;
  const remedies = [...REMEDIES, lacking(RIGHTS[origin] ?? RIGHTS['flush'])];
  const [, remedy] = remedies.find(([beginning]) => beginning.test(error.message)) ?? [];
  if (remedy === undefined) return error;
  return new FlushRefusedError(`${origin}: Redis answers "${error.message}"; ${remedy}`, { cause: error });
}
