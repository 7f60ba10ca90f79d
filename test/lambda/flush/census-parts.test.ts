import { expect, test } from '@jest/globals';
import { addToGroup, createGroups, largestGroups, mergeGroups } from '../../../lambda/flush/census/groups.ts';
import { keyText } from '../../../lambda/flush/census/key-text.ts';
import { type Measured, measure } from '../../../lambda/flush/census/measure.ts';
import { addTtl, createTtls, mergeTtls, spreadOf } from '../../../lambda/flush/census/ttls.ts';
import { pageOf } from '../../../lambda/flush/pass/page.ts';

test('a key that is gone meanwhile counts as none, and shifts no other', () => {
  const reply = (text: string) => ({ bytes: Buffer.from(text), start: 0, end: Buffer.byteLength(text) });
  const page = pageOf(reply('*2\r\n$1\r\n0\r\n*4\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\nc\r\n$1\r\nd\r\n'));
  const seen: [number, unknown][] = [];
  const told = (index: number, measured: Measured | undefined) =>
    seen.push([
      index,
      measured && { ttlMs: measured.ttlMs, bytes: measured.bytes, key: String(measured.key(9)) },
    ]);
  const asked = measure(page, told);
  // Gone before both questions, between them, and before the second by its end.
  const answers = [':50', ':-1', '$-1', ':-2', ':60', ':-2', ':70', ':9'];
  for (const answer of answers) asked?.read(reply(`${answer}\r\n`));
  expect(asked?.replies).toBe(answers.length);
  expect(seen).toEqual([
    [0, { bytes: 50, ttlMs: -1, key: 'a' }],
    [1, undefined],
    [2, undefined],
    [3, { bytes: 70, ttlMs: 9, key: 'd' }],
  ]);
});

test.each<[Buffer, string]>([
  [Buffer.from('mocs:user:1:list'), 'mocs:user:1:list'],
  [Buffer.from('mocs:ü:日本:🧱'), 'mocs:ü:日本:🧱'],
  [Buffer.from([0x61, 0xff, 0xc3, 0x28]), 'a\\xff\\xc3('],
  [Buffer.from('\u001b[2Jred\r\n'), '\\x1b[2Jred\\x0d\\x0a'],
  [Buffer.from('a\u202eb\u2028'), 'a\\xe2\\x80\\xaeb\\xe2\\x80\\xa8'],
  [Buffer.from('\\xff'), '\\\\xff'],
  [Buffer.alloc(0), ''],
  [Buffer.from('x'.repeat(600)), `${'x'.repeat(512)}...`],
  [Buffer.from('x'.repeat(512)), 'x'.repeat(512)],
])('key %# of these is shown as it should be', (key, shown) => {
  expect(keyText(key)).toBe(shown);
});

test('a group among thousands that have a key each is found, in bounded memory', () => {
  const [groups, elsewhere] = [createGroups(), createGroups()];
  for (let index = 0; index < 20_000; index += 1) {
    const name = index % 50 === 0 ? 'jobs:' : `${index}:`;
    const key = () => Buffer.from(`${name}${index}`);
    addToGroup(index % 2 === 0 ? groups : elsewhere, { name, bytes: 100, key });
  }
  mergeGroups(groups, elsewhere);
  expect(groups.size).toBeLessThanOrEqual(2000);
  const [first] = largestGroups(groups, 1);
  expect(first).toEqual([
    'jobs:',
    { keys: 400, bytes: 40_000, samples: ['jobs:0', 'jobs:50', 'jobs:100'].map(Buffer.from) },
  ]);
});

test('the median of many times to live is within 2.5 %, over several servers', () => {
  const [counts, elsewhere] = [createTtls(), createTtls()];
  for (let seconds = 1; seconds <= 1001; seconds += 1) {
    addTtl(seconds % 2 ? counts : elsewhere, seconds * 1000);
  }
  addTtl(elsewhere, -1);
  mergeTtls(counts, elsewhere);
  const { shortest, median = 0, longest } = spreadOf(counts) ?? {};
  expect({ shortest, longest, lasting: counts.lasting }).toEqual({ shortest: 1, longest: 1001, lasting: 1 });
  expect(Math.abs(median - 501)).toBeLessThan(501 * 0.025 + 0.5);
  expect(counts.intervals.size).toBeLessThan(200);
  expect(spreadOf(createTtls())).toBeUndefined();
});
