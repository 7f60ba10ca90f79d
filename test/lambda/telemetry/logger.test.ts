import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { correlationId, withCorrelation } from '../../../lambda/telemetry/correlation.ts';
import { createLogger } from '../../../lambda/telemetry/logger.ts';
import { gate } from '../../support/gate.ts';

const ENVIRONMENT = { ...process.env };
let lines: Record<string, unknown>[];

beforeEach(() => {
  lines = [];
  Object.assign(process.env, { POWERTOOLS_DEV: 'true', LOG_LEVEL: 'INFO' });
  for (const method of ['info', 'warn', 'error'] as const) {
    jest.spyOn(console, method).mockImplementation((line) => void lines.push(JSON.parse(String(line))));
  }
});

afterEach(() => {
  process.env = { ...ENVIRONMENT };
  jest.restoreAllMocks();
});

test('a line names the request that is worked on, and none before and after it', async () => {
  const logger = createLogger('test');
  logger.info('before');
  const result = await withCorrelation('request-1', async () => {
    await Promise.resolve();
    logger.warn('inside', { family: 'mocs' });
    return 7;
  });
  logger.error('after');
  expect(result).toBe(7);
  expect(lines.map(({ message, correlation_id, family }) => ({ message, correlation_id, family }))).toEqual([
    { message: 'before' },
    { message: 'inside', correlation_id: 'request-1', family: 'mocs' },
    { message: 'after' },
  ]);
});

test('where several are under way a line may be anybody’s and names none; also after one of them has failed', async () => {
  const open = gate();
  const first = withCorrelation('one', async () => {
    expect(correlationId()).toBe('one');
    await open.held;
    expect(correlationId()).toBeUndefined();
  });
  const second = withCorrelation('two', async () => {
    expect(correlationId()).toBeUndefined();
    throw new Error('failed');
  });
  await expect(second).rejects.toThrow('failed');
  open.open();
  await first;
  expect(correlationId()).toBeUndefined();
  await withCorrelation('three', async () => expect(correlationId()).toBe('three'));
});
