/** Where a key of state is, for each store; the outbox, below the stores, has to know it, too. */
export { type StatePlaces, statePlaces } from '../cache/state-places.ts';
