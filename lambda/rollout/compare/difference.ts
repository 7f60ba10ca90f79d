/** What a backend answered. */
export interface Answer {
  readonly status: number;
  readonly body: string;
}

/**
 * Where two answers differ: `status 200, 404`, or a JSON pointer with what is there, in the order of the document; undefined where a
 * client could not tell them apart. Objects are compared whatever the order of their fields. Values are not named: they may be a person's.
 */
export function differenceOf(legacy: Answer, serverless: Answer): string | undefined {
  if (legacy.status !== serverless.status) return `status ${legacy.status}, ${serverless.status}`;
  const [one, other] = [parsed(legacy.body), parsed(serverless.body)];
  if (one === undefined || other === undefined) {
    return legacy.body === serverless.body ? undefined : 'a body that is no JSON';
  }
  return within(one.value, other.value, '');
}

function parsed(body: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(body) };
  } catch {
    return undefined;
  }
}

function within(one: unknown, other: unknown, pointer: string): string | undefined {
  if (Array.isArray(one) && Array.isArray(other)) {
    if (one.length !== other.length) return `${at(pointer)}: ${one.length} entries, ${other.length}`;
    return firstOf(one.keys(), (index) => within(one[index], other[index], `${pointer}/${index}`));
  }
  if (isObject(one) && isObject(other)) {
    return firstOf(new Set([...Object.keys(one), ...Object.keys(other)]), (name) => {
      const below = `${pointer}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
      if (!Object.hasOwn(other, name)) return `${at(below)}: only legacy has it`;
      if (!Object.hasOwn(one, name)) return `${at(below)}: only serverless has it`;
      return within(one[name], other[name], below);
    });
  }
  if (Object.is(one, other)) return undefined;
  const [left, right] = [kindOf(one), kindOf(other)];
  return `${at(pointer)}: ${left === right ? `another ${left}` : `${left}, ${right}`}`;
}

function firstOf<T>(all: Iterable<T>, look: (each: T) => string | undefined): string | undefined {
  for (const each of all) {
    const found = look(each);
    if (found !== undefined) return found;
  }
  return undefined;
}

const at = (pointer: string): string => pointer || 'the whole body';

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'list' : typeof value;
}
