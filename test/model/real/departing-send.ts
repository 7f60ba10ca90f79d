/** Departures in the commands that a connection sends. */
import type { Send } from '../../../lambda/cache/redis-store.ts';
import { FILL, FILL_SHA } from './fill-script.ts';

type Command = Parameters<Send>[0];

interface Fill {
  readonly leaseAt: string;
  readonly home: string;
}

const UNFENCED = `
redis.call('SET', KEYS[2], ARGV[2], unpack(ARGV, 3))
if KEYS[1] ~= KEYS[2] then redis.call('UNLINK', KEYS[1]) end
return 1`;

/** What a fill's command stores where; undefined for another one. */
function fillOf([name, script, , ...args]: Command): Fill | undefined {
  const isFill = (name === 'EVAL' && script === FILL) || (name === 'EVALSHA' && script === FILL_SHA);
  const [leaseAt, home] = args.map(String);
  return isFill && leaseAt && home ? { leaseAt, home } : undefined;
}

const isAcquisition = ([name, , , condition]: Command) => name === 'SET' && condition === 'NX';

/** Lets fills store without a look at the lease. */
export const unfenced =
  (which: (fill: Fill) => boolean) =>
  (send: Send): Send =>
  (command) => {
    const fill = fillOf(command);
    if (!fill || !which(fill)) return send(command);
    return send(['EVAL', UNFENCED, ...command.slice(2)]);
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
