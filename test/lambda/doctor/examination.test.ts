import { describe, expect, test } from '@jest/globals';
import {
  createExamination,
  exitCodeOf,
  fail,
  notRun,
  pass,
  warn,
} from '../../../lambda/doctor/examination.ts';

describe('an examination', () => {
  test('names the cause at the root, however far a check is from it', async () => {
    const { check, checks } = createExamination();
    await check('port', [], () => fail('refused', 'start it'));
    await check('login', ['port'], () => pass('in'));
    await check('memory', ['login'], () => pass('enough'));
    await check('other', [], () => pass('well'));
    expect(checks).toEqual([
      { check: 'port', outcome: 'fail', text: 'refused', remedy: 'start it' },
      { check: 'login', outcome: 'not run', text: 'needs port' },
      { check: 'memory', outcome: 'not run', text: 'needs port' },
      { check: 'other', outcome: 'pass', text: 'well' },
    ]);
  });

  test('a check that throws is not run, and neither is what needs it', async () => {
    const { check, checks } = createExamination();
    await check('info', [], () => Promise.reject(new Error('lost')));
    await check('version', ['info'], () => pass('7'));
    expect(checks.map(({ outcome, text }) => [outcome, text])).toEqual([
      ['not run', 'lost'],
      ['not run', 'needs info'],
    ]);
  });

  test('a warning keeps nothing from being looked at', async () => {
    const { check, checks } = createExamination();
    await check('tls', [], () => warn('off', 'switch it on'));
    await check('login', ['tls'], () => pass('in'));
    expect(checks.map(({ outcome }) => outcome)).toEqual(['warn', 'pass']);
  });

  test('a check that needs one that was never made is not run', async () => {
    const { check, checks } = createExamination();
    await check('login', ['port'], () => pass('in'));
    expect(checks).toEqual([{ check: 'login', outcome: 'not run', text: 'needs port' }]);
  });
});

test.each([
  [0, [pass(''), warn('', '')]],
  [1, [pass(''), fail('', '')]],
  [1, [pass(''), notRun('')]],
  [0, []],
])('exit code %d of %j', (code, findings) => {
  expect(exitCodeOf(findings)).toBe(code);
});
