import { expect, test } from '@jest/globals';
import { createJournal } from '../../../../rehearsal/console/source/journal.ts';

test('what is marked is in the log, too, and the other way round not', () => {
  let at = 7;
  const journal = createJournal(() => at);
  journal.write({ text: 'a line' });
  at = 8;
  journal.write({ text: 'a flush', mark: 'flush', level: 'warning' });
  expect(journal.lines).toEqual([
    { at: 7, level: 'info', text: 'a line' },
    { at: 8, level: 'warning', text: 'a flush' },
  ]);
  expect(journal.marks).toEqual([{ at: 8, kind: 'flush', text: 'a flush' }]);
});

test('the last 200 are kept', () => {
  const journal = createJournal();
  for (let index = 1; index <= 1000; index += 1) journal.write({ text: `${index}`, mark: 'phase' });
  for (const kept of [journal.lines, journal.marks]) {
    expect([kept.length, kept[0]?.text, kept.at(-1)?.text]).toEqual([200, '801', '1000']);
  }
});
