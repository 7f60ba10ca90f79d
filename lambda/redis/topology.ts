import { CutoverError } from '../contract/errors.ts';
import type { SlotRange } from './connection.ts';

/** A cluster's answer that nobody can be routed by; the message names the remedy. */
export class TopologyError extends CutoverError {
  override readonly name = 'TopologyError';
  readonly code = 'CUTOVER_REDIS_TOPOLOGY';
}

/** A primary as the cluster announces it. */
export interface AnnouncedPrimary {
  readonly host: string;
  readonly port: number;
  readonly slots: readonly SlotRange[];
}

/**
 * Reads the answer to CLUSTER SLOTS: the primaries by their address, `host:port`.
 * @param ownHost the host that was asked: a node that does not know its own name announces none.
 * @throws TopologyError when no slot is served.
 */
export function primariesOf(reply: unknown, ownHost: string): ReadonlyMap<string, AnnouncedPrimary> {
  const primaries = new Map<string, { host: string; port: number; slots: SlotRange[] }>();
  const entries = reply as readonly [from: number, to: number, [host: unknown, port: number]][];
  for (const [from, to, [announced, port]] of entries) {
    const host = String(announced ?? '') || ownHost;
    const address = `${host}:${port}`;
    const primary = primaries.get(address) ?? { host, port, slots: [] };
    primary.slots.push({ from, to });
    primaries.set(address, primary);
  }
  if (primaries.size === 0) {
    throw new TopologyError('redis: the cluster serves no slot; assign its slots with CLUSTER ADDSLOTSRANGE');
  }
  return primaries;
}

/** Where a node says that a key is: moved for good, or asked there once while its slot is being moved. */
export interface Redirection {
  readonly kind: 'MOVED' | 'ASK';
  readonly address: string;
}

/** Reads `MOVED 3999 host:port` and `ASK 3999 host:port`; undefined for any other message. */
export function redirectionOf(message: string): Redirection | undefined {
  const [, kind, address] = /^(MOVED|ASK) \d+ (\S+)$/.exec(message) ?? [];
  return address === undefined ? undefined : { kind: kind === 'ASK' ? 'ASK' : 'MOVED', address };
}

/** An address as a cluster writes it, the host of IPv6 without brackets; a node that does not know its name writes none. */
export function hostAndPort(address: string, ownHost: string): { host: string; port: string } {
  const colon = address.lastIndexOf(':');
  return { host: address.slice(0, colon) || ownHost, port: address.slice(colon + 1) };
}
