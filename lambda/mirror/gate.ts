import type { Send } from '../cache/redis-store.ts';
import { createReplayGate, type ReplayGate, soleServer } from '../cache/replay-gate.ts';
import { replyCodeOf } from '../cache/reply-code.ts';
import type { MirrorableClient } from './mirror.ts';

interface Gate {
  readonly gate: ReplayGate;
  /** Resolves when the connection that there is has been asked. */
  checked(): Promise<void> | undefined;
}

/** One a connection, however often its client is mirrored. */
const gates = new WeakMap<object, Gate>();

/**
 * The gate of a client's connection: asks anew each time that there is one.
 * @param onBlind told why Redis does not answer that.
 */
export function gateOf(client: MirrorableClient, send: Send, onBlind: (reason: string) => void): Gate {
  const known = gates.get(client);
  if (known) return known;
  const gate = createReplayGate({
    // What Redis answers stays; a connection that is lost comes back.
    onError: (error) => error instanceof Error && replyCodeOf(error) && onBlind(error.message),
  });
  const server = soleServer(send);
  let asked = client.isReady ? gate.connected(server) : undefined;
  client.on?.('ready', () => {
    asked = gate.connected(server);
  });
  client.on?.('end', gate.close);
  const made: Gate = { gate, checked: () => asked };
  gates.set(client, made);
  return made;
}
