/** Departures in the commands that a connection sends. */
import type { Send } from '../../../lambda/cache/redis-store.ts';

interface Fill {
  readonly leaseAt: string;
  readonly home: string;
}

/** The keys of a fill's script, which is the one of two keys. */
function fillOf(command: Parameters<Send>[0]): Fill | undefined {
  const [name, , keys, leaseAt, home] = command.map(String);
  return name === 'EVAL' && keys === '2' && leaseAt && home ? { leaseAt, home } : undefined;
}

const isAcquisition = ([name, , , condition]: Parameters<Send>[0]) => name === 'SET' && condition === 'NX';

/** Lets fills store without a look at the lease. */
export const unfenced =
  (which: (fill: Fill) => boolean) =>
  (send: Send): Send =>
  (command) => {
    const fill = fillOf(command);
    if (!fill || !which(fill)) return send(command);
    const [name = '', script = '', ...rest] = command;
    return send([name, String(script).replace(/^if redis\.call\('GET'.*\n/m, ''), ...rest]);
  };

/** Takes a lease as held whose reply was lost. */
export const lostIsHeld =
  (send: Send): Send =>
  (command) =>
    isAcquisition(command) ? send(command).catch(() => null) : send(command);

/** Sends a lease whose reply was lost once more, and takes its own token, found there, as held. */
export const lostIsRetried =
  (send: Send): Send =>
  (command) => {
    if (!isAcquisition(command)) return send(command);
    return send(command).catch(async () => {
      const there = await send(command);
      return there === command[2] ? null : there;
    });
  };

/** Lets the mirror find nothing in the namespaces after its fill, so that what stands there stays. */
export const leavesN =
  (send: Send): Send =>
  (command) =>
    command[0] === 'MGET' ? Promise.resolve(command.slice(1).map(() => null)) : send(command);

/** Keeps the lease when a SET has stored nothing: drops the UNLINK that follows such a fill. */
export const keepsLease = (send: Send): Send => {
  let refused: string | undefined;
  return async (command) => {
    if (command[0] === 'UNLINK' && command[1] === refused) {
      refused = undefined;
      return 0;
    }
    const fill = fillOf(command);
    // Until it is known to have stored.
    if (fill) refused = fill.leaseAt;
    const reply = await send(command);
    if (fill && reply === 1) refused = undefined;
    return reply;
  };
};
