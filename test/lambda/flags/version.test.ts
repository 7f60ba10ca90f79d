import { describe, expect, test } from '@jest/globals';
import { etagOf, requireMatch } from '../../../lambda/flags/version.ts';

describe('the tag', () => {
  test('names the versions of what is seen', () => {
    expect(etagOf({ version: 12 }, null)).toBe('"12"');
    expect(etagOf({ version: 12 }, { version: 3 })).toBe('"12-3"');
  });

  test('differs where either version does', () => {
    const seen = [
      [1, null],
      [2, null],
      [1, 2],
      [2, 1],
      [1, 23],
      [12, 3],
      [123, null],
    ] as const;
    const tags = seen.map(([flag, override]) =>
      etagOf({ version: flag }, override === null ? null : { version: override }),
    );
    expect(new Set(tags).size).toBe(seen.length);
  });
});

describe('if-match', () => {
  test.each([undefined, '*', ' * ', '"7"', ' "7" ', '"6", "7"', '"7","8"'])('%j matches "7"', (ifMatch) => {
    expect(() => requireMatch(ifMatch, '"7"')).not.toThrow();
  });

  test.each(['"6"', 'W/"7"', '7', '"7-1"', '"6", W/"7"', '', ',', '"*"', '"6", "8"'])(
    '%j does not, which the answer says',
    (ifMatch) => {
      expect(() => requireMatch(ifMatch, '"7"')).toThrow(
        expect.objectContaining({
          name: 'ProblemError',
          status: 412,
          message: `if-match ${ifMatch} is not "7": the flag has changed; read it again`,
        }),
      );
    },
  );
});
