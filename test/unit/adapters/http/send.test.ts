import { readFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createHttpSend } from '../../../../src/adapters/http/send.ts';

// Self-signed for localhost, for these tests only.
const fixture = (name: string): string =>
  readFileSync(new URL(`./fixtures/${name}`, import.meta.url), 'utf8');
const CERTIFICATE = fixture('localhost-certificate.pem');
const KEY = fixture('localhost-key.pem');

const servers: Server[] = [];
const listen = async (server: Server): Promise<number> => {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
};
const serve = async (listener: RequestListener): Promise<string> =>
  `http://127.0.0.1:${await listen(createServer(listener))}`;
const serveTls = async (): Promise<string> => {
  const options = { cert: CERTIFICATE, key: KEY };
  const server = createTlsServer(options, (_, answer) => answer.end('safe'));
  return `https://localhost:${await listen(server)}`;
};

afterEach(() => {
  vi.unstubAllEnvs();
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

describe('the network door', () => {
  it('sends method, headers and body and gives back status, headers and text', async () => {
    const url = await serve((request, answer) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk) => chunks.push(chunk));
      request.on('end', () => {
        answer.writeHead(202, {
          'X-Seen': `${request.headers['x-test']}`,
          'Set-Cookie': ['a', 'b'],
        });
        answer.end(`${request.method} ${request.url} ${Buffer.concat(chunks)} é`);
      });
    });
    const send = createHttpSend({ timeoutMs: 5_000 });
    const request = { method: 'POST', headers: { 'x-test': 'yes' }, body: '{"ü":1}' };
    const response = await send({ ...request, url: `${url}/a?b=c` });
    expect(response).toMatchObject({ status: 202, body: 'POST /a?b=c {"ü":1} é' });
    expect(response.headers).toMatchObject({ 'x-seen': 'yes', 'set-cookie': 'a, b' });
  });

  it('uses the same connection for the next call', async () => {
    const ports = new Set<number | undefined>();
    const url = await serve((request, answer) => {
      ports.add(request.socket.remotePort);
      answer.end('ok');
    });
    const send = createHttpSend({ timeoutMs: 5_000 });
    for (let i = 0; i < 3; i++) {
      await send({ method: 'GET', url, headers: {} });
      // The connection goes back to the pool a turn of the event loop after the answer.
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(ports.size).toBe(1);
  });

  it('hands a redirect back instead of following it', async () => {
    const url = await serve((_, answer) =>
      answer.writeHead(307, { location: '//10.0.0.1:5050/api/v1' }).end(),
    );
    const send = createHttpSend({ timeoutMs: 5_000 });
    const response = await send({ method: 'GET', url, headers: {} });
    expect(response).toMatchObject({
      status: 307,
      headers: { location: '//10.0.0.1:5050/api/v1' },
    });
  });

  it.each<[string, RequestListener]>([
    ['never answers', () => {}],
    ['stops in the middle of its answer', (_, answer) => void answer.write('half')],
  ])('gives up with ETIMEDOUT on a server that %s', async (_, listener) => {
    const url = await serve(listener);
    const send = createHttpSend({ timeoutMs: 50 });
    const sent = send({ method: 'GET', url, headers: {} });
    await expect(sent).rejects.toMatchObject({ code: 'ETIMEDOUT' });
  });

  it.each<[string, RequestListener]>([
    ['before the answer', () => {}],
    ['in the middle of the answer', (_, answer) => void answer.write('half')],
  ])('rejects with an AbortError when its caller lets go %s', async (_, listener) => {
    const seen = Promise.withResolvers<void>();
    const url = await serve((request, answer) => {
      listener(request, answer);
      setImmediate(seen.resolve);
    });
    const caller = new AbortController();
    const send = createHttpSend({ timeoutMs: 5_000 });
    const sent = send({ method: 'GET', url, headers: {}, signal: caller.signal });
    const settled = expect(sent).rejects.toMatchObject({ name: 'AbortError' });
    await seen.promise;
    caller.abort();
    await settled;
  });

  it('rejects with the code of a connection that broke in the middle of the answer', async () => {
    const url = await serve((_, answer) => {
      answer.writeHead(200, { 'content-length': '100' });
      answer.write('half', () => answer.destroy());
    });
    const send = createHttpSend({ timeoutMs: 5_000 });
    const sent = send({ method: 'GET', url, headers: {} });
    await expect(sent).rejects.toMatchObject({ code: 'ECONNRESET' });
  });

  it('rejects with the code of a connection that nobody accepts', async () => {
    const url = await serve(() => {});
    await new Promise((resolve) => servers.pop()?.close(resolve));
    const send = createHttpSend({ timeoutMs: 5_000 });
    const sent = send({ method: 'GET', url, headers: {} });
    await expect(sent).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('does not read more of an answer than its limit', async () => {
    const url = await serve((_, answer) => answer.end('x'.repeat(1_001)));
    const send = createHttpSend({ timeoutMs: 5_000, bodyBytesMax: 1_000 });
    const sent = send({ method: 'GET', url, headers: {} });
    await expect(sent).rejects.toMatchObject({ code: 'ERR_BODY_TOO_LARGE' });
  });
});

describe('trust', () => {
  it('refuses a certificate that the given authority did not sign', async () => {
    const send = createHttpSend({ timeoutMs: 5_000, caCertificate: 'system' });
    const sent = send({ method: 'GET', url: await serveTls(), headers: {} });
    await expect(sent).rejects.toMatchObject({ code: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
  });

  it('refuses it even where the environment switches verification off', async () => {
    vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0');
    const send = createHttpSend({ timeoutMs: 5_000 });
    const sent = send({ method: 'GET', url: await serveTls(), headers: {} });
    await expect(sent).rejects.toMatchObject({ code: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
  });

  it('accepts a certificate of the given authority', async () => {
    const send = createHttpSend({ timeoutMs: 5_000, caCertificate: CERTIFICATE });
    const response = await send({ method: 'GET', url: await serveTls(), headers: {} });
    expect(response.body).toBe('safe');
  });
});
