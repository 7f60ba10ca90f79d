import type { Send } from '../../../lambda/cache/redis-store.ts';
import { createProcessDatabase, type ProcessDatabase, type ProcessDatabaseOptions } from './database.ts';
import type { Wire } from './wire.ts';

/** A process's connections, as long as it lives. */
export interface Life {
  readonly send: Send;
  /** Over another connection than that of `send`. */
  readonly sendFresh: Send;
  readonly database: ProcessDatabase;
  readonly died: Promise<void>;
  /** Kills it: from now on it sends nothing and hears of nothing. */
  die(): Promise<void>;
}

export interface LifeOptions extends Pick<ProcessDatabaseOptions, 'rowLock' | 'takeAfter'> {
  readonly name: string;
  readonly pool: Parameters<typeof createProcessDatabase>[0];
  readonly wire: Wire;
  readonly freshWire: Wire;
  readonly send: Send;
  readonly onCommit: (isAlive: () => boolean) => void;
}

export function startLife({ name, pool, wire, freshWire, send, onCommit, ...options }: LifeOptions): Life {
  let alive = true;
  let end = () => {};
  const died = new Promise<void>((resolve) => {
    end = resolve;
  });
  const database = createProcessDatabase(pool, {
    ...options,
    by: name,
    onCommit: () => onCommit(() => alive),
  });
  const whileAlive =
    (send: Send): Send =>
    (command) =>
      alive ? send(command) : new Promise(() => {});
  return {
    send: whileAlive(send),
    sendFresh: whileAlive(freshWire.send),
    database,
    died,
    async die() {
      alive = false;
      wire.kill();
      freshWire.kill();
      await database.die();
      end();
    },
  };
}
