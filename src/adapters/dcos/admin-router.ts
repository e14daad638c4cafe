import type * as z from 'zod';
import { OrchestratorRefusedError, OrchestratorUnavailableError } from '../../domain/errors.ts';
import type { HttpResponse, HttpSend } from '../../ports/http.ts';

/** The DC/OS authentication token. Gets the one just refused, so that a cache can let go of it. */
export type TokenSource = (refused?: string) => Promise<string>;

export interface AdminRouterOptions {
  readonly send: HttpSend;
  /** Such as `https://dcos.internal`. */
  readonly baseUrl: string;
  /** Left out where the cluster asks for none. */
  readonly token?: TokenSource;
  readonly callTimeoutMs?: number;
}

export interface Call {
  /** For people and logs, such as `mesos GET_AGENTS`. */
  readonly operation: string;
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
  /** Sent as JSON. */
  readonly body?: object;
  readonly timeoutMs?: number;
  /** Ends the call early; it then counts as unheard. */
  readonly signal?: AbortSignal;
  /** Needs no token, so a cluster can be told apart even while the token's store is down. */
  readonly open?: boolean;
}

/** Resolves with any HTTP answer; rejects with OrchestratorUnavailableError where there was none. */
export type AdminRouter = (call: Call) => Promise<HttpResponse>;

const CALL_TIMEOUT_MS = 10_000;
const REMARK_CHARS_MAX = 200;

/** Of a network error only the code goes on, no cause: its text may quote the request's token. */
const unheard = ({ operation }: Call, code: string): OrchestratorUnavailableError =>
  new OrchestratorUnavailableError(operation, code);

const codeOf = (error: unknown): string => {
  if (!(error instanceof Error)) return 'unknown';
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
};

/** Every call to DC/OS goes through here: token, deadline, and no secret on the way back. */
export const createAdminRouter = ({
  send,
  baseUrl,
  token,
  callTimeoutMs = CALL_TIMEOUT_MS,
}: AdminRouterOptions): AdminRouter => {
  const base = baseUrl.replace(/\/+$/, '');

  const secretFor = async (call: Call, refused?: string): Promise<string | undefined> => {
    if (!token || call.open) return undefined;
    try {
      return await token(refused);
    } catch (error) {
      throw unheard(call, `no token: ${codeOf(error)}`);
    }
  };

  const attempt = async (call: Call, secret: string | undefined): Promise<HttpResponse> => {
    const timeoutMs = call.timeoutMs ?? callTimeoutMs;
    const deadline = new AbortController();
    const timer = setTimeout(() => deadline.abort(), timeoutMs);
    try {
      const response = await send({
        method: call.method,
        url: `${base}${call.path}`,
        headers: {
          // Old Marathons answer GET /v2/tasks in plain text without it.
          accept: 'application/json',
          ...(call.body ? { 'content-type': 'application/json' } : {}),
          ...(secret ? { authorization: `token=${secret}` } : {}),
        },
        ...(call.body ? { body: JSON.stringify(call.body) } : {}),
        signal: call.signal ? AbortSignal.any([deadline.signal, call.signal]) : deadline.signal,
      });
      return secret ? { ...response, body: response.body.replaceAll(secret, '[token]') } : response;
    } catch (error) {
      throw unheard(
        call,
        deadline.signal.aborted ? `timeout after ${timeoutMs} ms` : codeOf(error),
      );
    } finally {
      clearTimeout(timer);
    }
  };

  return async function ask(call) {
    const secret = await secretFor(call);
    const response = await attempt(call, secret);
    // A master that lost its leadership names the leader's own address. Only Admin Router may
    // reach that, and the token belongs nowhere else: ask Admin Router again, once.
    if (response.status === 307) return attempt(call, secret);
    if (response.status === 401 && secret) {
      const fresh = await secretFor(call, secret);
      if (fresh !== secret) return attempt(call, fresh);
    }
    return response;
  };
};

/** What the answer says about itself: Marathon's message, Mesos' plain text, but no HTML page. */
export const remarkOf = ({ body }: HttpResponse): string => {
  const text = messageOf(body) ?? body;
  return text.trimStart().startsWith('<') ? '' : text.trim().slice(0, REMARK_CHARS_MAX);
};

/** The `message` of Marathon's JSON errors; undefined for anybody else's answer. */
export const messageOf = (body: string): string | undefined => {
  const parsed = parseJson(body);
  if (typeof parsed !== 'object' || parsed === null || !('message' in parsed)) return undefined;
  return typeof parsed.message === 'string' ? parsed.message : undefined;
};

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

/** A conflict, a slow reader and a full queue pass; other 4xx, and 501 for an unknown call, stay. */
const isRefusal = (status: number): boolean =>
  status === 501 || (status >= 400 && status < 500 && ![408, 409, 429].includes(status));

const REFUSALS: Readonly<Record<number, string>> = {
  401: 'the token is missing or not valid',
  403: 'the token does not have the right',
};

/** The error for an answer that its caller has no use for. */
export const failureOf = (
  operation: string,
  response: HttpResponse,
): OrchestratorRefusedError | OrchestratorUnavailableError => {
  const code = String(response.status);
  const remark = remarkOf(response);
  if (isRefusal(response.status)) {
    const message = [REFUSALS[response.status], remark].filter(Boolean).join(': ');
    return new OrchestratorRefusedError(operation, code, message || 'no reason given');
  }
  return new OrchestratorUnavailableError(operation, remark ? `${code}: ${remark}` : code);
};

/**
 * The JSON of a 200, checked. Anything else throws: an answer that does not read as expected is
 * no answer, and never an empty list.
 */
export const expectJson = <T>(
  operation: string,
  response: HttpResponse,
  schema: z.ZodType<T>,
): T => {
  if (response.status !== 200) throw failureOf(operation, response);
  const parsed = schema.safeParse(parseJson(response.body));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const where = issue?.path.join('.') || 'the whole of it';
  throw new OrchestratorUnavailableError(
    operation,
    `malformed answer: ${where}: ${issue?.message ?? 'unreadable'}`,
  );
};
