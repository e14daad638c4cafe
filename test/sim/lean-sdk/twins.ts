import { type ClientClass, leanClient } from '../../../emulator/sim/lean-sdk/client.ts';
import { awsClientOptions } from '../../../src/adapters/aws-sdk/client-options.ts';
import type { HttpRequest, HttpResponse } from '../../../src/ports/http.ts';

export interface Command {
  readonly schema: readonly unknown[];
}
export type CommandClass = new (input: unknown) => Command;

export interface Client {
  send(command: Command, options?: { abortSignal: AbortSignal }): Promise<object>;
}

/** What a request is answered with; an error is a broken connection. */
export type Answer = HttpResponse | (() => Error);

/** All that can be seen of one call from outside. */
export interface Seen {
  readonly requests: unknown[];
  readonly output?: object;
  readonly error?: unknown;
}

/** What a service may read of a request; no service here verifies a signature. */
const READ =
  /^(?:content-type|accept|x-amz-(?!content-sha256|user-agent)[\w-]+|x-amzn-query-mode)$/;

const seenRequest = ({ method, url, headers, body }: HttpRequest): unknown => ({
  method,
  url,
  body,
  headers: Object.fromEntries(Object.entries(headers).filter(([name]) => READ.test(name))),
  scope: /^AWS4-HMAC-SHA256 Credential=([^,]+), /.exec(headers.authorization ?? '')?.[1],
  invocation: headers['amz-sdk-invocation-id'],
});

const seenError = (error: Error & { $response?: { statusCode: number } }): unknown => ({
  kind: error.constructor.name,
  name: error.name,
  message: error.message,
  fields: { ...error },
  status: error.$response?.statusCode,
});

const CREDENTIALS = { accessKeyId: 'AKTWIN', secretAccessKey: 'secret', sessionToken: 'session' };

/** One client with what it sent and what came of it. */
const watched = (Class: new (options: object) => object, settings: object) => {
  let requests: unknown[] = [];
  let next: Answer | undefined;
  const send = async (request: HttpRequest): Promise<HttpResponse> => {
    requests.push(seenRequest(request));
    request.signal?.throwIfAborted();
    if (next === undefined) throw new Error('no answer');
    if (typeof next === 'function') throw next();
    return { ...next, headers: { ...next.headers } };
  };
  const base = { region: 'us-east-1', credentials: CREDENTIALS, send, ...settings };
  const client = new Class(awsClientOptions(base)) as Client;
  return async (command: Command, answer: Answer, abortSignal?: AbortSignal): Promise<Seen> => {
    [requests, next] = [[], answer];
    const options = abortSignal && { abortSignal };
    return client.send(command, options).then(
      (output) => ({ requests, output }),
      (error) => ({ requests, error: seenError(error) }),
    );
  };
};

/** The SDK's own client and the lean one, made alike. */
export const twinsOf = (Class: ClientClass, settings: object = {}) => ({
  real: watched(Class, settings),
  lean: watched(leanClient(Class) as unknown as new (options: object) => object, settings),
});

export type Twins = ReturnType<typeof twinsOf>;
