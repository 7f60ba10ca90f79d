import fc, { type Arbitrary } from 'fast-check';
import { LOAD } from './database.ts';
import { CACHED, type Cached, NAMED, type Named } from './registry.ts';
import { BACKENDS, type BackendName, INSTANCES, type Step } from './steps.ts';
import type { Fate } from './wire.ts';

/** How often each turn of a connection gives way: the slow one may be paused while the others do all that they can. */
export type Pace = Readonly<Record<BackendName | 'others' | 'database', number>>;

/** A step, and how often it gives way before it begins. */
export interface Start {
  readonly start: Step;
  readonly giveWay: number;
}

/**
 * A part of a schedule: it brings about a state, lets a few steps race, and then reads, so that what the race has left
 * behind is found.
 */
export interface Round {
  /** Which of the places are removed first. */
  readonly without: readonly number[];
  /** What happens then, one after the other. */
  readonly before: readonly Step[];
  readonly mishaps: readonly Step[];
  readonly pace: Pace;
  /** All at once, but that some give way. */
  readonly race: readonly Start[];
  /** One after the other again: whoever takes part reads, once or, where the dispatcher passes, before it and after it. */
  readonly after: readonly Step[];
}

/** What is not drawn, since a departure is about it. */
export interface Drawing {
  /** The commands whose replies are lost, by name and as often as they are named; default: none. */
  readonly loses?: readonly string[];
  /** The commands that wait, likewise; default: all that matter. */
  readonly pauses?: readonly string[];
  readonly backends?: readonly BackendName[];
  readonly reads?: readonly Cached[];
  readonly names?: readonly Named[];
  /** Whether processes die, others write, and the dispatcher passes. */
  readonly outbox?: boolean;
  /** How many of a thousand rounds have a Redis that restarts, which takes as long as a schedule. */
  readonly restartsPerMille?: number;
}

/** The places of the list in the order of an invalidation, the view's in each namespace, and the epoch of its tag. */
export const PLACES = { list: [0, 1, 2, 3], view: [4, 5, 6] } as const;

const PAUSED = [LOAD, LOAD, 'GET', 'MGET', 'SET NX', 'SET', 'UNLINK', 'UNLINK', 'EVAL'];

const kind = <Name extends Step['step']>(...names: Name[]) => fc.constantFrom(...names);
const few = <T>(arbitrary: Arbitrary<T>, minLength: number, maxLength: number) =>
  fc.array(arbitrary, { minLength, maxLength, size: 'max' });
const drawnUnless = <T>(given: T | undefined, drawn: Arbitrary<T>) =>
  given === undefined ? drawn : fc.constant(given);

/**
 * The rounds of a schedule. Each schedule draws which backends take part and in what, since a race is found sooner where
 * little else happens (swarm testing: Groce et al., ISSTA 2012), and each round who is slow, since most races need few
 * changes from one process to another (Burckhardt et al., ASPLOS 2010).
 */
export function roundsArbitrary(drawing: Drawing): Arbitrary<Round[]> {
  return fc
    .record({
      backends: drawnUnless<readonly BackendName[]>(
        drawing.backends,
        fc.subarray([...BACKENDS], { minLength: 1 }),
      ),
      reads: drawnUnless<readonly Cached[]>(
        drawing.reads,
        fc.constantFrom<readonly Cached[]>(['list'], ['list'], ['view'], CACHED),
      ),
      outbox: drawnUnless(drawing.outbox, fc.constantFrom(false, false, true)),
    })
    .chain((drawn) => few(roundArbitrary({ loses: [], restartsPerMille: 8, ...drawing, ...drawn }), 1, 3));
}

type Drawn = Drawing &
  Required<Pick<Drawing, 'loses' | 'backends' | 'reads' | 'outbox' | 'restartsPerMille'>>;

function roundArbitrary(drawn: Drawn): Arbitrary<Round> {
  const { backends, loses, pauses = PAUSED, outbox } = drawn;
  const by = fc.constantFrom(...backends);
  const { read, start } = requestsArbitrary(drawn);
  const pace = fc.constantFrom(0, 0, 0, 6);
  const pause = fc.record({
    step: kind('pause'),
    by,
    command: fc.constantFrom(...pauses),
    after: soon,
    others: fc.integer({ min: 8, max: 40 }),
  });
  const die = fc.record({ step: kind('die'), by: fc.constantFrom(...INSTANCES), after: fc.nat(12) });
  const mishap: Arbitrary<Step> = fc.oneof(
    pause,
    ...(loses.length > 0 ? [lossArbitrary(by, loses)] : []),
    ...(outbox ? [die] : []),
  );
  const reads = backends.flatMap((by) =>
    cachedBy(by, drawn).map((cached) => ({ step: 'read', by, cached }) as const),
  );
  return fc.record({
    without: fc.subarray(placesOf(drawn)),
    before: few(read, 0, 1),
    mishaps: few(mishap, 0, 5),
    pace: fc.record({ a: pace, b: pace, legacy: pace, others: pace, database: pace }),
    race: fc
      .tuple(few(fc.record({ start, giveWay: giveWay(30) }), 2, 6), restartArbitrary(drawn, read))
      .map((starts) => starts.flat()),
    after: outbox
      ? fc.constantFrom<Step[]>([...reads, { step: 'dispatch' }, ...reads], reads)
      : fc.constant(reads),
  });
}

/** How many commands of a name come before the one that a mishap is about. */
const soon = fc.constantFrom(0, 0, 0, 1, 1, 2, 3);

const giveWay = (max: number) => fc.oneof(fc.constant(0), fc.nat(max));

/** The legacy backend knows nothing of views. */
const cachedBy = (by: BackendName, { reads }: Drawn): readonly Cached[] =>
  by === 'legacy' ? ['list'] : reads;

const placesOf = ({ reads }: Drawn): number[] => reads.flatMap((cached) => PLACES[cached]);

/** What comes from outside: requests, and what happens to the caches. */
function requestsArbitrary(drawn: Drawn): { read: Arbitrary<Step>; start: Arbitrary<Step> } {
  const { backends, reads, outbox } = drawn;
  const { names = reads.includes('view') ? NAMED : (['key'] as const) } = drawn;
  const by = fc.constantFrom(...backends);
  const read = by.chain((by) =>
    fc.record({ step: kind('read'), by: fc.constant(by), cached: fc.constantFrom(...cachedBy(by, drawn)) }),
  );
  const write = by.chain((by) =>
    fc.record({
      step: kind('write'),
      by: fc.constant(by),
      named: by === 'legacy' ? fc.constant('key' as const) : fc.constantFrom(...names),
    }),
  );
  const vanish = fc.record({ step: kind('expire', 'evict'), place: fc.constantFrom(...placesOf(drawn)) });
  const weighed: { weight: number; arbitrary: Arbitrary<Step> }[] = [
    { weight: 800, arbitrary: read },
    { weight: 600, arbitrary: write },
    { weight: backends.includes('legacy') ? 400 : 0, arbitrary: fc.record({ step: kind('modify') }) },
    { weight: outbox ? 150 : 0, arbitrary: fc.record({ step: kind('psql', 'dispatch') }) },
    { weight: 250, arbitrary: vanish },
    { weight: 50, arbitrary: fc.record({ step: kind('flush') }) },
    { weight: 50, arbitrary: fc.record({ step: kind('phase'), of: fc.constantFrom(...INSTANCES) }) },
    { weight: 50, arbitrary: fc.record({ step: kind('time'), ms: fc.constantFrom(50, 150, 600) }) },
  ];
  return { read, start: fc.oneof(...weighed) };
}

/** A snapshot, mostly before a restart, and reads in the time in which nothing is replayed yet. */
function restartArbitrary({ restartsPerMille }: Drawn, read: Arbitrary<Step>): Arbitrary<Start[]> {
  const restart = fc
    .record({
      marked: fc.constantFrom(true, true, false),
      snapshot: fc.nat(10),
      restart: fc.integer({ min: 5, max: 60 }),
      reads: few(fc.tuple(read, fc.nat(12)), 0, 3),
    })
    .map(({ marked, snapshot, restart, reads }): Start[] => [
      ...(marked ? [] : [{ start: { step: 'unmark' as const }, giveWay: 0 }]),
      { start: { step: 'snapshot' }, giveWay: snapshot },
      { start: { step: 'restart' }, giveWay: restart },
      ...reads.map(([start, later]) => ({ start, giveWay: restart + later })),
    ]);
  return fc.oneof(
    { weight: 1000 - restartsPerMille, arbitrary: fc.constant<Start[]>([]) },
    { weight: restartsPerMille, arbitrary: restart },
  );
}

function lossArbitrary(by: Arbitrary<BackendName>, commands: readonly string[]): Arbitrary<Step> {
  return fc.record({
    step: kind('lose'),
    by,
    command: fc.constantFrom(...commands),
    after: soon,
    // Both attempts of an invalidation fail when more than the key has places are lost.
    more: fc.constantFrom(0, 0, 0, 8),
    fate: fc.constantFrom<Fate[]>('late', 'late', 'never'),
    others: fc.nat(40),
  });
}
