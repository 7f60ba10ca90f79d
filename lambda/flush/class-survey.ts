import { ErrorReply, type RawConnection } from '../redis/raw/raw-connection.ts';
import { MEMORY_USAGE, numberIn, PTTL } from './measuring.ts';

/** What the keys of a class are like, told by some of them. */
export interface ClassSurvey {
  /** What all of them take, estimated from the sample. */
  readonly bytes: number;
  /** The times to live that were sampled, growing, in seconds. */
  readonly ttlSeconds: readonly number[];
  /** How many of the sample have none. */
  readonly lasting: number;
  /** Up to ten of the keys, for a person to look at. */
  readonly samples: readonly string[];
}

/** A sample of this size tells a share to about 10 %. */
const SAMPLE_KEYS = 100;
const SHOWN_KEYS = 10;
/** Not one that refuses the command; Redis 7.0 and 7.2 have different words. */
const REFUSES_KEY = /^NOPERM .*\bkeys?\b/;

/**
 * Samples the keys of each class while they pass by, each key with the same chance (Algorithm R: Vitter, "Random sampling with a
 * reservoir", 1985), and measures those that were drawn at the end.
 */
export function createSurvey(connection: Pick<RawConnection, 'exchange'>, classes: number) {
  const drawn = Array.from({ length: classes }, () => ({ seen: 0, keys: [] as Buffer[] }));
  return {
    saw(index: number, bytes: Buffer, start: number, end: number): void {
      const own = drawn[index];
      if (!own) return;
      own.seen += 1;
      const place = own.keys.length < SAMPLE_KEYS ? own.keys.length : Math.floor(Math.random() * own.seen);
      if (place < SAMPLE_KEYS) own.keys[place] = Buffer.from(bytes.subarray(start, end));
    },
    /**
     * By class; undefined for one whose keys the user may not touch, as a flush may not touch what is preserved.
     * @throws ErrorReply, where the user may not ask for size or time to live at all.
     */
    async measure(): Promise<(ClassSurvey | undefined)[]> {
      const surveys: (ClassSurvey | undefined)[] = [];
      for (const { seen, keys } of drawn) surveys.push(await surveyOf(connection, keys, seen));
      return surveys;
    },
  };
}

async function surveyOf(
  connection: Pick<RawConnection, 'exchange'>,
  keys: readonly Buffer[],
  seen: number,
): Promise<ClassSurvey | undefined> {
  const numbers: number[] = [];
  let refused: unknown;
  if (keys.length > 0) {
    await connection.exchange(Buffer.concat(keys.flatMap(measuring)), keys.length * 2, (reply) => {
      try {
        // A key that is gone meanwhile has no size.
        numbers.push(numberIn(reply) ?? 0);
      } catch (error) {
        refused = error;
      }
    });
  }
  if (refused instanceof ErrorReply && REFUSES_KEY.test(refused.message)) return undefined;
  if (refused) throw refused;
  const sizes = numbers.filter((_, index) => index % 2 === 0 && (numbers[index] ?? 0) > 0);
  const ttlsMs = numbers.filter((_, index) => index % 2 === 1);
  const mean = sizes.length === 0 ? 0 : sizes.reduce((sum, each) => sum + each, 0) / sizes.length;
  return {
    bytes: Math.round(mean * seen),
    ttlSeconds: ttlsMs
      .filter((each) => each >= 0)
      .map((each) => Math.round(each / 1000))
      .sort((one, other) => one - other),
    lasting: ttlsMs.filter((each) => each === -1).length,
    samples: keys.slice(0, SHOWN_KEYS).map(String),
  };
}

/** MEMORY USAGE and PTTL of a key. */
function measuring(key: Buffer): Buffer[] {
  const argument = [Buffer.from(`$${key.length}\r\n`), key, Buffer.from('\r\n')];
  return [MEMORY_USAGE, ...argument, PTTL, ...argument];
}

/** The survey of a class that is spread over several servers. */
export function mergeSurveys(surveys: readonly ClassSurvey[]): ClassSurvey {
  const sum = (of: (survey: ClassSurvey) => number) => surveys.reduce((total, each) => total + of(each), 0);
  return {
    bytes: sum(({ bytes }) => bytes),
    ttlSeconds: surveys.flatMap(({ ttlSeconds }) => ttlSeconds).sort((one, other) => one - other),
    lasting: sum(({ lasting }) => lasting),
    samples: surveys.flatMap(({ samples }) => samples).slice(0, SHOWN_KEYS),
  };
}
