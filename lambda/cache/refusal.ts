import { CutoverError } from '../contract/errors.ts';
import { replyCodeOf } from './reply-code.ts';

/** Redis answered, and refused; the message names the remedy. The read loads, and nothing is stored. */
export class RedisRefusedError extends CutoverError {
  override readonly name = 'RedisRefusedError';
  readonly code = 'CUTOVER_REDIS_REFUSED';
  /** The code that Redis's own message begins with, such as `NOPERM`. */
  readonly reply: string;

  constructor(reply: string, message: string, options: ErrorOptions) {
    super(message, options);
    this.reply = reply;
  }
}

const REMEDIES: Readonly<Record<string, string>> = {
  READONLY:
    'it is a replica since a failover: the connection is replaced; if this stays, let REDIS_URL name the primary endpoint',
  LOADING:
    'it is loading its data, and answers when it has; if that takes long, look at the size of its snapshot',
  MASTERDOWN: 'it is a replica without a primary; let REDIS_URL name the primary endpoint',
  OOM: 'its memory is full of keys that may not be evicted: give it more, or set maxmemory-policy to volatile-ttl',
  NOPERM: 'its user may not do this: grant the commands and keys that docs/architecture.md lists',
  MOVED: 'it is one node of a cluster: set REDIS_CLUSTER=1',
  CLUSTERDOWN: 'its cluster does not serve all slots: look at CLUSTER INFO',
};

/** An error as it is, or what Redis refused with the remedy. */
export function explainRefusal(error: unknown): unknown {
  const reply = replyCodeOf(error) ?? '';
  const remedy = REMEDIES[reply];
  return remedy
    ? new RedisRefusedError(reply, `cache: Redis answers ${reply}; ${remedy}`, { cause: error })
    : error;
}
