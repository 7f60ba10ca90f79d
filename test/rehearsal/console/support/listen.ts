/** A client of server-sent events. */
export interface Listening {
  /** The data of the next event of that name that was not taken yet. */
  next(event: string): Promise<unknown>;
  /** How many of that name have come. */
  count(event: string): number;
  lastId(): string;
  close(): void;
}

export function listen(url: string, headers: Record<string, string> = {}): Listening {
  const ending = new AbortController();
  const events: { readonly event: string; readonly data: unknown; taken: boolean }[] = [];
  let lastId = '';
  let heard = () => {};
  const reading = read();
  reading.catch(() => {});

  async function read(): Promise<void> {
    const { body } = await fetch(url, { headers, signal: ending.signal });
    let text = '';
    for await (const chunk of body?.pipeThrough(new TextDecoderStream()) ?? []) {
      const parts = (text + chunk).split('\n\n');
      text = parts.pop() ?? '';
      for (const part of parts) take(part);
      heard();
    }
  }

  function take(part: string): void {
    const fields = new Map(part.split('\n').map((line) => line.split(/: (.*)/s, 2) as [string, string]));
    const [event, data] = [fields.get('event'), fields.get('data')];
    lastId = fields.get('id') ?? lastId;
    if (event && data) events.push({ event, data: JSON.parse(data), taken: false });
  }

  return {
    async next(name) {
      for (;;) {
        const found = events.find(({ event, taken }) => event === name && !taken);
        if (found) {
          found.taken = true;
          return found.data;
        }
        await Promise.race([new Promise<void>((resolve) => (heard = resolve)), reading]);
      }
    },
    count: (name) => events.filter(({ event }) => event === name).length,
    lastId: () => lastId,
    close: () => ending.abort(),
  };
}
