import type { HttpHandler, HttpRequest } from '@smithy/core/protocols';
import { buildQueryString, HttpResponse } from '@smithy/core/protocols';
import type { HttpSend } from '../../ports/http.ts';

const defaultPorts: Readonly<Record<string, number>> = { 'http:': 80, 'https:': 443 };

const urlOf = ({ protocol, hostname, port, path, query }: HttpRequest): string => {
  const portPart = port === undefined || port === defaultPorts[protocol] ? '' : `:${port}`;
  const queryPart = buildQueryString(query);
  return `${protocol}//${hostname}${portPart}${path}${queryPart === '' ? '' : `?${queryPart}`}`;
};

const lowerCaseNames = (headers: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));

const bodyOf = (body: unknown): string | Uint8Array | undefined => {
  if (body === undefined || typeof body === 'string' || body instanceof Uint8Array) return body;
  // No command of this project streams a body, and half a request must never be sent.
  throw new TypeError('only text and bytes can be sent as the body of a request');
};

/**
 * The SDK's `requestHandler` over the project's one door to the network. A rejection of `send` is
 * passed on untouched: its `code` decides whether a change may have been applied.
 */
export const createSdkRequestHandler = (send: HttpSend): HttpHandler => ({
  metadata: { handlerProtocol: 'http/1.1' },
  async handle(request, options) {
    const body = bodyOf(request.body);
    const signal = options?.abortSignal;
    const answer = await send({
      method: request.method,
      url: urlOf(request),
      headers: lowerCaseNames(request.headers),
      ...(body === undefined ? {} : { body }),
      ...(signal instanceof AbortSignal ? { signal } : {}),
    });
    return {
      response: new HttpResponse({
        statusCode: answer.status,
        headers: { ...answer.headers },
        // Bytes, because the SDK reads anything else as a stream.
        body: new TextEncoder().encode(answer.body),
      }),
    };
  },
  updateHttpClientConfig() {
    // Nothing to set: connections and timeouts belong to `send`.
  },
  httpHandlerConfigs: () => ({}),
});
