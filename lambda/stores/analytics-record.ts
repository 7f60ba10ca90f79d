import * as v from 'valibot';

/**
 * What `analytics:session:{id}` holds: a hash with a field for each counter and each recent event.
 *
 * A count is kept by where it was made: `count:legacy:joined` is raised in the un-prefixed key only, `count:prefixed:joined` only in
 * the namespaced one; each place has a copy of the other's, which is never ahead of it. So places are joined by the maximum of
 * each field, as often as one likes, and the sum of the two is exact whoever wrote where (a grow-only counter: Shapiro and others,
 * "A comprehensive study of convergent and commutative replicated data types", 2011). The maximum of one counter in two places
 * would forget what either place has alone, and a count that is raised in both would count a copy twice.
 */

/** Where a count is made. */
export type Origin = 'legacy' | 'prefixed';

/** Something that happened in a classroom session. */
export interface AnalyticsEvent {
  readonly type: string;
  /** When, in milliseconds since 1970. */
  readonly atMs: number;
  readonly data?: unknown;
}

/** A place's fields, as Redis has them. */
export type Fields = Readonly<Record<string, string>>;

/** What is known of a session. */
export interface Analytics {
  /** How often each type of event happened. */
  readonly counts: Readonly<Record<string, number>>;
  /** The most recent ones, the latest first. */
  readonly events: readonly AnalyticsEvent[];
}

/** How many events are kept. */
export const MAX_EVENTS = 50;
/** How large one may be, as JSON. */
export const MAX_EVENT_BYTES = 1024;
/** For how long a session is remembered after its last event. */
export const ANALYTICS_SECONDS = 24 * 3600;

export const EVENT = 'event:';
const COUNT = /^count:(?:legacy|prefixed):(.+)$/;

/** Fields that sort as the events happened. */
export const eventField = (atMs: number, unique: string): string =>
  `${EVENT}${String(atMs).padStart(15, '0')}:${unique}`;
export const countField = (origin: Origin, type: string): string => `count:${origin}:${type}`;

const isCount = (field: string) => COUNT.test(field);
const number = (count: string | undefined) => Number(count ?? 0) || 0;

/** Both places as one: of each count the larger, and every event once. */
export function joined(places: readonly Fields[]): Record<string, string> {
  const all: Record<string, string> = {};
  for (const [field, value] of places.flatMap(Object.entries) as [string, string][]) {
    const known = all[field];
    if (known === undefined || (isCount(field) && number(value) > number(known))) all[field] = value;
  }
  return all;
}

/** Whether a place lacks something of what is known. */
export function lacks(place: Fields, known: Fields): boolean {
  const kept = new Set(latest(known));
  return Object.entries(known).some(([field, value]) =>
    isCount(field) ? number(place[field]) < number(value) : kept.has(field) && place[field] === undefined,
  );
}

/** The fields of the events that are kept, the latest first. */
function latest(fields: Fields): string[] {
  const events = Object.keys(fields).filter((field) => field.startsWith(EVENT));
  return events.sort().reverse().slice(0, MAX_EVENTS);
}

/** What is not as we write it is left out. */
export function analyticsOf(fields: Fields): Analytics {
  const counts: Record<string, number> = {};
  for (const [field, value] of Object.entries(fields)) {
    const [, type] = COUNT.exec(field) ?? [];
    if (type !== undefined) counts[type] = (counts[type] ?? 0) + number(value);
  }
  return { counts, events: latest(fields).flatMap((field) => eventOf(fields[field] ?? '')) };
}

const Stored = v.object({ type: v.string(), atMs: v.number(), data: v.optional(v.unknown()) });

function eventOf(json: string): AnalyticsEvent[] {
  try {
    return [v.parse(Stored, JSON.parse(json))];
  } catch {
    return [];
  }
}

/**
 * Joins fields into KEYS[1] and, after that, raises a count.
 * ARGV: `px` or `at`; milliseconds to live, or since 1970; how many events are kept; `present` where a key that is not there is to be
 * left so; the field to raise, '' for none; `look` where nothing is to be changed; then pairs of field and value to join.
 * @returns nil for a key that is left out, else how many fields it has changed, and the count that was raised.
 */
const JOIN = `
local key, most, look = KEYS[1], tonumber(ARGV[3]), ARGV[6] == 'look'
if redis.call('PTTL', key) == -2 and ARGV[4] == 'present' then return nil end
local changed = 0
local function put(field, value)
  changed = changed + 1
  if not look then redis.call('HSET', key, field, value) end
end
local function isEvent(field) return string.sub(field, 1, 6) == 'event:' end
local events = {}
for _, field in ipairs(redis.call('HKEYS', key)) do
  if isEvent(field) then events[#events + 1] = field end
end
table.sort(events)
local oldest = #events < most and '' or events[#events - most + 1]
for i = 7, #ARGV, 2 do
  local field, value = ARGV[i], ARGV[i + 1]
  local current = redis.call('HGET', key, field)
  if not isEvent(field) then
    if (tonumber(value) or 0) > (tonumber(current or 0) or 0) then put(field, value) end
  elseif not current and field > oldest then
    put(field, value)
    events[#events + 1] = field
  end
end
local raised = 0
if ARGV[5] ~= '' then
  raised = (tonumber(redis.call('HGET', key, ARGV[5]) or 0) or 0) + 1
  put(ARGV[5], raised)
end
table.sort(events)
for i = 1, look and 0 or #events - most do redis.call('HDEL', key, events[i]) end
if not look and ARGV[1] == 'px' then
  local left = redis.call('PTTL', key)
  if left ~= -2 and left < tonumber(ARGV[2]) then redis.call('PEXPIRE', key, ARGV[2]) end
elseif not look then
  local ends = redis.call('PEXPIRETIME', key)
  if ends ~= -2 and ends < tonumber(ARGV[2]) then redis.call('PEXPIREAT', key, ARGV[2]) end
end
return {changed, raised}`;

export interface Join<Place extends string | Buffer = string> {
  readonly place: Place;
  readonly fields: Fields;
  /** How long the key lives at the least: so many milliseconds from now on, or until then. */
  readonly lives: { readonly forMs: number } | { readonly untilMs: number };
  /** A count that is raised by one. */
  readonly raise?: string;
  /** Whether a key that is not there stays so. */
  readonly onlyPresent?: boolean;
  /** Whether nothing is changed. */
  readonly look?: boolean;
}

/** The command that joins fields into a place. */
export const joinCommand = <Place extends string | Buffer>({
  place,
  fields,
  lives,
  raise = '',
  onlyPresent,
  look,
}: Join<Place>): (Place | string)[] => [
  ...['EVAL', JOIN, '1', place],
  ...('forMs' in lives ? ['px', String(lives.forMs)] : ['at', String(lives.untilMs)]),
  ...[String(MAX_EVENTS), onlyPresent ? 'present' : 'any', raise, look ? 'look' : 'change'],
  ...Object.entries(fields).flat(),
];

/** The reply to HGETALL, in RESP 2 or 3: those of its fields that are ours. */
export function fieldsOf(reply: unknown): Fields {
  const flat = Array.isArray(reply) ? reply : [...Object.entries(reply ?? {})].flat();
  const pairs = Array.from({ length: flat.length / 2 }, (_, index): [string, string] => [
    String(flat[2 * index]),
    String(flat[2 * index + 1]),
  ]);
  return Object.fromEntries(pairs.filter(([field]) => COUNT.test(field) || field.startsWith(EVENT)));
}
