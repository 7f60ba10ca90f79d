import type { ConsoleState } from '../contract.ts';
import type { Batch } from './history.ts';
import type { Connection } from './view.ts';

/** An event source gives up where an answer is not one of its kind, as a server that starts may give. */
const RETRY_MS = 1000;

export interface Listener {
  onState(state: ConsoleState): void;
  onSamples(batch: Batch): void;
  onConnection(status: Connection['status']): void;
}

/** Listens to `/events` until the server says that it ends, however often it has to connect again. */
export function connect(listener: Listener): void {
  const source = new EventSource('/events');
  const on = <Data>(name: string, use: (data: Data) => void) =>
    source.addEventListener(name, ({ data }: MessageEvent<string>) => use(JSON.parse(data)));

  source.onopen = () => listener.onConnection('live');
  source.onerror = () => {
    listener.onConnection('reconnecting');
    if (source.readyState === EventSource.CLOSED) setTimeout(connect, RETRY_MS, listener);
  };
  on<ConsoleState>('state', listener.onState);
  on<Batch>('samples', listener.onSamples);
  on<ConsoleState>('end', (state) => {
    source.close();
    listener.onState(state);
    listener.onConnection('ended');
  });
}
