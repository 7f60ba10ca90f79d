import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ConsoleSource, ConsoleState, Sample } from './contract.ts';

/** Server-sent events for all who look (WHATWG HTML, section 9.2). */
export interface Stream {
  /** Sends all that there is, or to one who was here before what is new; then whatever changes. */
  add(request: IncomingMessage, response: ServerResponse): void;
  readonly clients: number;
  /** Tells all the last state, and that it is the last. */
  end(): void;
}

const TICK_MS = 500;
const HEARTBEAT_MS = 15_000;
const RETRY_MS = 1000;
/** Who has not read so much is gone, or will never catch up. */
const MAX_UNREAD_BYTES = 1_000_000;

/** Asks the source twice a second, for all at once; while nobody looks, never. */
export function createStream(source: ConsoleSource): Stream {
  const clients = new Set<ServerResponse>();
  let timer: NodeJS.Timeout | undefined;
  /** What was sent last, which is not sent again. */
  let [lastState, lastBatch] = ['', ''];
  /** The last sample that was sent, which may have been one that was not over. */
  let last: Pick<Sample, 'at' | 'spanMs'> | undefined;
  let quietMs = 0;

  const send = (client: ServerResponse, text: string) => {
    // Of what came before: an hour of samples is large, and nobody can have read what was just sent.
    if (client.writableLength > MAX_UNREAD_BYTES) client.destroy();
    else client.write(text);
  };
  const broadcast = (text: string) => {
    quietMs = 0;
    for (const client of clients) send(client, text);
  };

  const tick = () => {
    quietMs += TICK_MS;
    const state = source.state();
    const text = comparable(state);
    if (text !== lastState) broadcast(message('state', state));
    lastState = text;
    const batch = batchSince(source.samples(), last);
    last = batch.last;
    if (batch.text && batch.text !== lastBatch) broadcast(batch.text);
    lastBatch = batch.text ?? '';
    if (quietMs >= HEARTBEAT_MS) broadcast(': still here\n\n');
  };

  return {
    get clients() {
      return clients.size;
    },
    add(request, response) {
      response.writeHead(200, {
        'content-type': 'text/event-stream',
        'cache-control': 'no-store',
        connection: 'close',
      });
      const [state, samples] = [source.state(), source.samples()];
      const { text = message('samples', { samples: [], replace: true }) } = batchSince(
        samples,
        seenBy(request, samples),
      );
      send(response, `retry: ${RETRY_MS}\n\n${message('state', state)}${text}`);
      if (clients.size === 0) [last, lastState] = [samples.at(-1), comparable(state)];
      clients.add(response);
      response.on('close', () => {
        clients.delete(response);
        if (clients.size > 0) return;
        clearInterval(timer);
        timer = undefined;
      });
      timer ??= setInterval(tick, TICK_MS);
    },
    end() {
      clearInterval(timer);
      const { text = '' } = batchSince(source.samples(), last);
      const farewell = text + message('end', source.state());
      for (const client of clients) client.end(farewell);
    },
  };
}

const comparable = (state: ConsoleState): string => JSON.stringify({ ...state, at: 0 });

const message = (event: string, data: unknown, id?: string): string =>
  `event: ${event}\n${id === undefined ? '' : `id: ${id}\n`}data: ${JSON.stringify(data)}\n\n`;

/** Samples that are sent again: the last one may not be over, and CloudWatch completes its minutes some minutes late. */
const AGAIN = 5;

/** The samples that are new since the last one that was sent, and some before it; all of them where these have become coarser since. */
function batchSince(
  samples: readonly Sample[],
  last: Pick<Sample, 'at' | 'spanMs'> | undefined,
): { readonly text?: string; readonly last: Pick<Sample, 'at' | 'spanMs'> | undefined } {
  const newest = samples.at(-1);
  if (!newest) return { last };
  const replace = last === undefined || last.spanMs !== newest.spanMs;
  const first = replace ? 0 : Math.max(0, samples.findIndex(({ at }) => at >= last.at) - AGAIN);
  const over = samples.at(-2) ?? newest;
  return { text: message('samples', { samples: samples.slice(first), replace }, idOf(over)), last: newest };
}

/** Which sample a client has, by the id of the last event that it got; undefined unless it is one of these, and not of another run. */
const seenBy = ({ headers }: IncomingMessage, samples: readonly Sample[]): Sample | undefined =>
  samples.find((sample) => idOf(sample) === headers['last-event-id']);

const idOf = ({ at, spanMs }: Sample): string => `${at}-${spanMs}`;
