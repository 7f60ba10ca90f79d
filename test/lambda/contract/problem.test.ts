import { describe, expect, test } from '@jest/globals';
import { ConfigurationError, CutoverError } from '../../../lambda/contract/errors.ts';
import {
  ProblemError,
  type ProblemOptions,
  type ProblemStatus,
  problemHeaders,
  problemOf,
} from '../../../lambda/contract/problem.ts';

describe('a problem document', () => {
  test('of a problem has its status, its title and its detail', () => {
    expect(problemOf(new ProblemError(413, 'the body is too large'))).toEqual({
      type: 'about:blank',
      title: 'Content Too Large',
      status: 413,
      detail: 'the body is too large',
    });
  });

  test.each([
    new Error('secret'),
    new ConfigurationError('secret'),
    'secret',
    undefined,
    { status: 404, message: 'secret' },
  ])('of anything else is a 500 without its message', (error) => {
    expect(problemOf(error)).toEqual({
      type: 'about:blank',
      title: 'Internal Server Error',
      status: 500,
      detail: 'unexpected error; the log has its cause',
    });
  });
});

describe('the headers of a problem', () => {
  test.each<[ProblemStatus, ProblemOptions | undefined, Record<string, string>]>([
    [404, undefined, {}],
    [401, undefined, { 'www-authenticate': 'Bearer' }],
    [429, { retryAfterSeconds: 2 }, { 'retry-after': '2' }],
    [503, undefined, { 'retry-after': '5' }],
    [503, { retryAfterSeconds: 60 }, { 'retry-after': '60' }],
  ])('%d %j are its type and %j', (status, options, more) => {
    expect(problemHeaders(new ProblemError(status, 'why', options))).toEqual({
      'content-type': 'application/problem+json',
      ...more,
    });
  });

  test('of anything else are its type', () => {
    expect(problemHeaders(new Error('secret'))).toEqual({ 'content-type': 'application/problem+json' });
  });
});

test('an error of ours has a literal name, a stable code and the real cause', () => {
  const cause = new Error('why');
  const error = new ConfigurationError('api: X is not set', { cause });
  expect(error).toBeInstanceOf(CutoverError);
  expect(error).toBeInstanceOf(Error);
  expect([error.name, error.code, error.message, error.cause]).toEqual([
    'ConfigurationError',
    'CUTOVER_CONFIGURATION',
    'api: X is not set',
    cause,
  ]);
  expect(String(error)).toBe('ConfigurationError: api: X is not set');
});
