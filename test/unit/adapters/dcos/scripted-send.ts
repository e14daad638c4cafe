import type { HttpRequest, HttpResponse, HttpSend } from '../../../../src/ports/http.ts';

export const TOKEN = 'eyJhbGciOiJSUzI1NiJ9.secret-part.signature';
export const BASE = 'https://dcos.internal';

export type Step = HttpResponse | Error | ((request: HttpRequest) => Promise<HttpResponse>);

export const ok = (body: unknown): HttpResponse => ({
  status: 200,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
});
export const text = (status: number, body = ''): HttpResponse => ({
  status,
  headers: { 'content-type': 'text/plain' },
  body,
});
export const json = (status: number, body: unknown): HttpResponse => ({ ...ok(body), status });
export const html = (status: number): HttpResponse => ({
  status,
  headers: { 'content-type': 'text/html; charset=UTF-8' },
  body: `<html><head><title>${status}</title></head></html>`,
});
export const networkError = (code: string, message = code): Error =>
  Object.assign(new Error(message), { code });

/** A server that says one line after the other and remembers what it was asked. */
export const scripted = (...steps: readonly Step[]) => {
  const requests: HttpRequest[] = [];
  const send: HttpSend = async (request) => {
    const step = steps[requests.length];
    requests.push(request);
    if (step === undefined) throw new Error(`nobody expected ${request.method} ${request.url}`);
    if (step instanceof Error) throw step;
    return typeof step === 'function' ? step(request) : step;
  };
  return { send, requests, asked: () => requests.map(({ method, url }) => `${method} ${url}`) };
};

/** A server that never answers, but lets its caller go. */
export const silent = (request: HttpRequest): Promise<HttpResponse> =>
  new Promise((_, reject) => {
    request.signal?.addEventListener('abort', () => reject(request.signal?.reason));
  });
