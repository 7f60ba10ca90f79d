/** Ends the sockets of one client. */
export interface SocketEnd {
  /** What each of the client's sockets is opened with. */
  readonly signal: AbortSignal;
  /** Ends the socket that is there, also while it is being opened, and whichever is opened later. */
  end(): void;
  /**
   * To be called when a socket has ended. Node remembers whom it told of the signal for ever: a client that tries to
   * reconnect for a day would hold some 40,000 sockets, of 3 KB each.
   */
  forget(): void;
}

export function createSocketEnd(): SocketEnd {
  const controller = new AbortController();
  const { signal } = controller;
  const listen = signal.addEventListener.bind(signal);
  let listeners: Parameters<typeof listen>[1][] = [];
  signal.addEventListener = (...listening: Parameters<typeof listen>) => {
    listeners.push(listening[1]);
    listen(...listening);
  };
  return {
    signal,
    end: () => controller.abort(),
    forget() {
      for (const listener of listeners) signal.removeEventListener('abort', listener);
      listeners = [];
    },
  };
}
