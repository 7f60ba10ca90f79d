/** A backend that answers by path. */
import { createServer } from 'node:http';
import { listen } from './http.ts';

/** Listens until the test file has ended; what has no answer is a 404. */
export function listenTo(
  answer: (path: string, host: string) => { readonly status?: number; readonly body: string } | undefined,
): Promise<string> {
  return listen(
    createServer(({ url = '', headers }, response) => {
      const { status = 200, body } = answer(url, headers.host ?? '') ?? { status: 404, body: '{}' };
      response.writeHead(status, { 'content-type': 'application/json' }).end(body);
    }),
  );
}
