import type { HttpSend } from '../../ports/http.ts';

/** Statuses that the Fetch standard forbids a body for, an empty one included. */
const BODILESS = new Set([204, 205, 304]);

/** `fetch` for libraries that want one, through the one network door. Text bodies only. */
export const fetchOver =
  (send: HttpSend): typeof fetch =>
  async (input, init) => {
    const request = new Request(input, init);
    const text = await request.text();
    const { status, headers, body } = await send({
      method: request.method,
      url: request.url,
      headers: Object.fromEntries(request.headers),
      ...(text === '' ? {} : { body: text }),
      signal: request.signal,
    });
    return new Response(BODILESS.has(status) ? null : body, { status, headers });
  };
