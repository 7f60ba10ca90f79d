import { expect, test } from '@jest/globals';
import { primariesOf, redirectionOf, TopologyError } from '../../../lambda/redis/topology.ts';

test('the ranges of a primary are gathered, and its replicas left out', () => {
  const one = ['10.0.0.1', 6379, 'id-1', []];
  const two = ['10.0.0.2', 6379, 'id-2', []];
  const replica = ['10.0.0.3', 6379, 'id-3', []];
  const primaries = primariesOf(
    [
      [0, 99, one, replica],
      [100, 199, two],
      [200, 16383, one, replica],
    ],
    'asked',
  );
  expect([...primaries]).toEqual([
    [
      '10.0.0.1:6379',
      {
        host: '10.0.0.1',
        port: 6379,
        slots: [
          { from: 0, to: 99 },
          { from: 200, to: 16383 },
        ],
      },
    ],
    ['10.0.0.2:6379', { host: '10.0.0.2', port: 6379, slots: [{ from: 100, to: 199 }] }],
  ]);
});

test.each([[null], [''], [Buffer.from('')]])('a node that announces %j is the one that was asked', (host) => {
  expect([...primariesOf([[0, 16383, [host, 7000, 'id', []]]], 'asked').keys()]).toEqual(['asked:7000']);
});

test('a cluster without slots is an error that names the remedy', () => {
  expect(() => primariesOf([], 'asked')).toThrow(TopologyError);
  expect(() => primariesOf([], 'asked')).toThrow('CLUSTER ADDSLOTSRANGE');
});

test.each([
  ['MOVED 3999 127.0.0.1:6381', { kind: 'MOVED', address: '127.0.0.1:6381' }],
  ['ASK 3999 cache-0001.example:6379', { kind: 'ASK', address: 'cache-0001.example:6379' }],
  ['MOVED 1 2001:db8::1:6379', { kind: 'MOVED', address: '2001:db8::1:6379' }],
  ['CLUSTERDOWN The cluster is down', undefined],
  ['WRONGTYPE Operation against a key', undefined],
])('%j redirects to %j', (message, redirection) => expect(redirectionOf(message)).toEqual(redirection));
