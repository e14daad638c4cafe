import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { HttpRequest, HttpResponse, HttpSend } from '../../ports/http.ts';

export interface HttpSendOptions {
  /** `system` for the roots Node ships; else PEM, and then nothing but that is trusted. */
  readonly caCertificate?: string;
  /** From the connection to the last byte of the answer. */
  readonly timeoutMs: number;
  readonly bodyBytesMax?: number;
}

/** A frozen Lambda wakes up with sockets the other side closed long ago: keep them only briefly. */
const SOCKET_IDLE_MS = 4_000;
const BODY_BYTES_MAX = 10 * 1024 * 1024;

const fail = (code: string, message: string): Error => Object.assign(new Error(message), { code });

const readBody = async (incoming: IncomingMessage, bytesMax: number): Promise<string> => {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of incoming) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > bytesMax) throw fail('ERR_BODY_TOO_LARGE', `the answer exceeds ${bytesMax} bytes`);
  }
  return Buffer.concat(chunks).toString('utf8');
};

const flatten = (headers: IncomingMessage['headers']): Record<string, string> =>
  Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, Array.isArray(value) ? value.join(', ') : value]],
    ),
  );

/**
 * The network door of production, with connections kept for the next call. It is Node's own client:
 * undici as a package would add 730 KB to every function that talks to DC/OS, and the copy inside
 * Node takes no certificate of ours. Redirects are answers like any other.
 *
 * Rejects with `ETIMEDOUT`, `ERR_BODY_TOO_LARGE` or Node's own `code`; with an AbortError when the
 * caller's signal fired. TLS is always verified, NODE_TLS_REJECT_UNAUTHORIZED or not.
 */
export const createHttpSend = ({
  caCertificate = 'system',
  timeoutMs,
  bodyBytesMax = BODY_BYTES_MAX,
}: HttpSendOptions): HttpSend => {
  const keep = { keepAlive: true, timeout: SOCKET_IDLE_MS };
  const trust = caCertificate === 'system' ? {} : { ca: caCertificate };
  const plain = new HttpAgent(keep);
  const secure = new HttpsAgent({ ...keep, ...trust, rejectUnauthorized: true });

  const exchange = (request: HttpRequest, signal: AbortSignal): Promise<HttpResponse> =>
    new Promise((resolve, reject) => {
      const url = new URL(request.url);
      const { method, headers } = request;
      const outgoing =
        url.protocol === 'https:'
          ? httpsRequest(url, { method, headers, signal, agent: secure })
          : httpRequest(url, { method, headers, signal, agent: plain });
      outgoing.on('error', reject);
      outgoing.on('response', (incoming) => {
        readBody(incoming, bodyBytesMax).then(
          (body) =>
            resolve({ status: incoming.statusCode ?? 0, headers: flatten(incoming.headers), body }),
          reject,
        );
      });
      outgoing.end(request.body);
    });

  return async function send(request) {
    const deadline = new AbortController();
    const timer = setTimeout(() => deadline.abort(), timeoutMs);
    const signals = request.signal ? [deadline.signal, request.signal] : [deadline.signal];
    try {
      return await exchange(request, AbortSignal.any(signals));
    } catch (error) {
      // Node reports an abort in mid-body as a reset, so ask who pulled the plug.
      if (request.signal?.aborted) {
        throw new DOMException('the request was aborted', { name: 'AbortError', cause: error });
      }
      if (deadline.signal.aborted) throw fail('ETIMEDOUT', `no answer within ${timeoutMs} ms`);
      throw error;
    } finally {
      clearTimeout(timer);
    }
  };
};
