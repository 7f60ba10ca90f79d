import { describe, expect, jest, test } from '@jest/globals';
import { healthRoutes, type Probe } from '../../../lambda/http/health.ts';
import { gate } from '../../support/gate.ts';
import { connected } from '../../support/redis.ts';
import { ownRedis } from '../../support/servers.ts';

async function ask(path: string, probes: Readonly<Record<string, Probe>>) {
  const response = await healthRoutes(probes).request(path);
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

const up = { status: 'up', latencyMs: expect.any(Number) };
const down = (error: string) => ({ status: 'down', latencyMs: expect.any(Number), error });

describe('/ready', () => {
  test('follows a real Redis that stops, freezes and comes back', async () => {
    const server = await ownRedis();
    const redis = connected({ url: server.url, name: 'test', deadlineMs: 200 });
    await redis.ready(10_000);
    const ready = () => ask('/ready', { redis: () => redis.send(['PING']), other: async () => {} });

    expect(await ready()).toEqual({
      status: 200,
      body: { status: 'ready', checks: { redis: up, other: up } },
    });

    await server.kill('SIGSTOP');
    expect(await ready()).toEqual({
      status: 503,
      body: { status: 'unready', checks: { redis: down('DeadlineError'), other: up } },
    });
    await server.kill('SIGCONT');

    await server.kill('SIGKILL');
    let answer = await ready();
    // The first command may be the one that notices.
    if (answer.status === 200) answer = await ready();
    expect(answer).toMatchObject({ status: 503, body: { status: 'unready' } });
    expect((await ready()).body).toMatchObject({
      checks: { redis: down('RedisUnavailableError'), other: up },
    });

    await server.restart();
    await redis.ready(10_000);
    expect((await ready()).status).toBe(200);
  });

  test('asks all of them at the same time, and names each that is down', async () => {
    const both = gate();
    let begun = 0;
    const failing: Probe = async () => {
      begun += 1;
      if (begun === 2) both.open();
      await both.held;
      throw new TypeError('10.0.0.7 refused user admin');
    };
    const { status, body } = await ask('/ready', {
      one: failing,
      other: failing,
      third: () => Promise.reject('a string'),
    });
    expect(status).toBe(503);
    expect(body['checks']).toEqual({
      one: down('TypeError'),
      other: down('TypeError'),
      third: down('Error'),
    });
    expect(JSON.stringify(body)).not.toContain('10.0.0.7');
  });

  test('measures how long each takes', async () => {
    let now = 0;
    const clock = jest.spyOn(performance, 'now').mockImplementation(() => now);
    const slow = async () => {
      now += 12.345;
    };
    const { body } = await ask('/ready', { slow });
    clock.mockRestore();
    expect(body['checks']).toEqual({ slow: { status: 'up', latencyMs: 12.35 } });
  });

  test('with nothing to ask is ready', async () => {
    expect(await ask('/ready', {})).toEqual({ status: 200, body: { status: 'ready', checks: {} } });
  });
});

test('/health asks nobody', async () => {
  const probe = () => Promise.reject(new Error('asked'));
  expect(await ask('/health', { probe })).toEqual({ status: 200, body: { status: 'alive' } });
});
