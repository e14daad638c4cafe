import { describe, expect, it } from 'vitest';
import { fetchOver } from '../../../../src/adapters/http/fetch-over.ts';
import type { HttpRequest, HttpResponse } from '../../../../src/ports/http.ts';

const recording = (response: HttpResponse) => {
  const requests: HttpRequest[] = [];
  const fetch = fetchOver(async (request) => {
    requests.push(request);
    return response;
  });
  return { fetch, requests };
};

describe('fetch over the network door', () => {
  it('passes on method, headers in lower case and body', async () => {
    const { fetch, requests } = recording({ status: 200, headers: {}, body: '' });
    const headers = { Authorization: 'Bearer x', 'Content-Type': 'text/plain' };
    await fetch('https://slack.com/api/x', { method: 'POST', headers, body: 'a=1' });
    expect(requests).toMatchObject([
      {
        method: 'POST',
        url: 'https://slack.com/api/x',
        headers: { authorization: 'Bearer x', 'content-type': 'text/plain' },
        body: 'a=1',
      },
    ]);
  });

  it('sends no body with a GET', async () => {
    const { fetch, requests } = recording({ status: 200, headers: {}, body: '' });
    await fetch('https://slack.com/api/x');
    expect(requests[0]).not.toHaveProperty('body');
  });

  it('answers with status, headers and text', async () => {
    const headers = { 'retry-after': '30' };
    const { fetch } = recording({ status: 429, headers, body: '{"ok":false}' });
    const response = await fetch('https://slack.com/api/x');
    expect(response.status).toBe(429);
    expect(response.headers.get('Retry-After')).toBe('30');
    expect(await response.json()).toEqual({ ok: false });
  });

  it('can answer with a status that allows no body', async () => {
    const { fetch } = recording({ status: 204, headers: {}, body: '' });
    expect((await fetch('https://slack.com/api/x')).status).toBe(204);
  });

  it('lets its caller abort', async () => {
    const caller = new AbortController();
    const fetch = fetchOver(
      ({ signal }) =>
        new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason))),
    );
    const fetched = fetch('https://slack.com/api/x', { signal: caller.signal });
    const settled = expect(fetched).rejects.toMatchObject({ name: 'AbortError' });
    await new Promise((resolve) => setImmediate(resolve));
    caller.abort();
    await settled;
  });
});
