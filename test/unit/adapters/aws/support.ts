import type { InstanceId, VolumeId } from '../../../../src/domain/ids.ts';
import type { HttpRequest, HttpResponse, HttpSend } from '../../../../src/ports/http.ts';
import type { Log, Metrics } from '../../../../src/ports/system.ts';

export const agent = 'i-0123456789abcdef0' as InstanceId;
export const otherAgent = 'i-0fedcba9876543210' as InstanceId;
export const mysqlVolume = 'vol-0123456789abcdef0' as VolumeId;
export const logsVolume = 'vol-0fedcba9876543210' as VolumeId;
export const requestId = '59dbff89-35bd-4eac-99ed-be587ed81234';

/** What the SDK throws for an error AWS answered; `wire.test.ts` shows that it is this. */
export const awsError = (code: string, message = 'no reason given', httpStatusCode = 400): Error =>
  Object.assign(new Error(message), {
    name: code,
    $fault: httpStatusCode < 500 ? 'client' : 'server',
    $metadata: { httpStatusCode, requestId },
  });

/** What Node throws when the connection breaks. */
export const lostConnection = (code = 'ECONNRESET'): Error =>
  Object.assign(new Error('socket hang up'), { code });

/** An accepted call. */
export const accepted = { $metadata: { httpStatusCode: 200, requestId } };

/** One network door that remembers what went through it. */
export const networkAnswering = (
  answer: Partial<HttpResponse> | Error,
): { readonly send: HttpSend; readonly sent: HttpRequest[] } => {
  const sent: HttpRequest[] = [];
  return {
    sent,
    send: async (request) => {
      sent.push(request);
      if (answer instanceof Error) throw answer;
      return { status: 200, headers: {}, body: '', ...answer };
    },
  };
};

export const textOf = (body: string | Uint8Array | undefined): string =>
  typeof body === 'string' ? body : new TextDecoder().decode(body);

/** Metrics and a log that can be looked at afterwards. */
export const recorder = (): {
  readonly metrics: Metrics;
  readonly log: Log;
  readonly counted: string[];
  readonly logged: { readonly message: string; readonly keys: unknown }[];
} => {
  const counted: string[] = [];
  const logged: { message: string; keys: unknown }[] = [];
  const write = (message: string, keys?: unknown): void => {
    logged.push({ message, keys });
  };
  return {
    counted,
    logged,
    metrics: { count: (name) => counted.push(name) },
    log: { info: write, warn: write, error: write },
  };
};
