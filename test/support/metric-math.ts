/** CloudWatch's metric math, as far as alarms here use it, over periods that are in step; undefined is a period without data. */

export type Series = readonly (number | undefined)[];
type Value = number | Series;

const TOKEN = /\s*(?:(\d+(?:\.\d+)?)|([A-Za-z]\w*)|(>=|<=|==|[-+*/()<>,]))/y;

function tokensOf(expression: string): string[] {
  const tokens: string[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < expression.trimEnd().length) {
    const from = TOKEN.lastIndex;
    const match = TOKEN.exec(expression);
    if (!match) throw new Error(`metric math: ${JSON.stringify(expression.slice(from))} is not understood`);
    tokens.push(match[1] ?? match[2] ?? match[3] ?? '');
  }
  return tokens;
}

type Operator = (one: number, other: number) => number | undefined;

/** From the loosest to the tightest. */
const LEVELS: readonly Readonly<Record<string, Operator>>[] = [
  { OR: (one, other) => Number(one !== 0 || other !== 0) },
  { AND: (one, other) => Number(one !== 0 && other !== 0) },
  {
    '>': (one, other) => Number(one > other),
    '<': (one, other) => Number(one < other),
    '>=': (one, other) => Number(one >= other),
    '<=': (one, other) => Number(one <= other),
    '==': (one, other) => Number(one === other),
  },
  { '+': (one, other) => one + other, '-': (one, other) => one - other },
  // A division by nothing is a period without data.
  { '*': (one, other) => one * other, '/': (one, other) => (other === 0 ? undefined : one / other) },
];

/** @param length of every series. @throws for what it does not understand, and for an id that is none. */
export function evaluateMath(
  expression: string,
  series: Readonly<Record<string, Series>>,
  length: number,
): Series {
  const tokens = tokensOf(expression);
  const at = (value: Value, period: number) => (typeof value === 'number' ? value : value[period]);
  const each = (compute: (period: number) => number | undefined): Series =>
    Array.from({ length }, (_, period) => compute(period));
  const take = (expected?: string): string => {
    const token = tokens.shift();
    if (token === undefined || (expected !== undefined && token !== expected)) {
      throw new Error(`metric math: ${expected ?? 'something'} is missing in ${expression}`);
    }
    return token;
  };

  const call = (name: string): Value => {
    const values = [parse()];
    while (tokens[0] === ',') {
      take();
      values.push(parse());
    }
    take(')');
    const [first, second, third] = values;
    if (name === 'FILL' && first !== undefined && second !== undefined && !third) {
      return each((period) => at(first, period) ?? at(second, period));
    }
    if (name === 'IF' && first !== undefined && second !== undefined && third !== undefined) {
      return each((period) => {
        const condition = at(first, period);
        return condition === undefined ? undefined : at(condition === 0 ? third : second, period);
      });
    }
    throw new Error(`metric math: ${name} with ${values.length} arguments is not understood`);
  };

  const operand = (): Value => {
    const token = take();
    if (token === '(') {
      const value = parse();
      take(')');
      return value;
    }
    if (/^\d/.test(token)) return Number(token);
    if (tokens[0] === '(') {
      take();
      return call(token);
    }
    const known = series[token];
    if (!known) throw new Error(`metric math: there is no ${token} in ${Object.keys(series).join(', ')}`);
    return known;
  };

  const parse = (level = 0): Value => {
    const operators = LEVELS[level];
    if (!operators) return operand();
    let left = parse(level + 1);
    for (let operator = operators[tokens[0] ?? '']; operator; operator = operators[tokens[0] ?? '']) {
      take();
      const [one, other, combine] = [left, parse(level + 1), operator];
      left = each((period) => {
        const [a, b] = [at(one, period), at(other, period)];
        return a === undefined || b === undefined ? undefined : combine(a, b);
      });
    }
    return left;
  };

  const result = parse();
  if (tokens.length > 0) throw new Error(`metric math: ${tokens.join(' ')} is too much in ${expression}`);
  return each((period) => at(result, period));
}
