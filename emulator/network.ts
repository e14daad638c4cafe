import { append } from './core/log.ts';
import type { Rng } from './core/random.ts';
import { drawLogNormalMs } from './core/random.ts';
import type { Time } from './core/time.ts';
import type { WireRequest, WireResponse } from './core/wire.ts';
import { type Caller, type Service, WireError } from './core/wire.ts';
import { credentialOf, type Route, type ServiceName } from './routing.ts';

/** What a handler, a scene or the local port hands to the network. */
export interface SendRequest {
  method: string;
  url: string;
  headers: Record<string, string>;
  body?: string | Uint8Array;
  signal?: AbortSignal;
}

/** The invocation a request belongs to. A dead one's requests reach nothing. */
export interface Origin {
  readonly invocationId: string;
  readonly functionName: string;
  alive(): boolean;
  kill(): void;
}

/** A moment of a request at which its sender may be made to crash. */
export interface CrashInfo {
  /** Before it was applied; applied but not answered; answered (recorded by the caller). */
  moment: 'before' | 'applied' | 'answered';
  service: ServiceName;
  operation: string;
  functionName: string;
  invocationId: string;
}

/** What becomes of a request besides its ordinary way; the parts may be combined. */
export interface Verdict {
  /** On top of the drawn latency, before it is applied. Milliseconds. */
  delayMs?: number;
  /** Never applied, and the caller sees a broken connection. */
  dropRequest?: WireError;
  /** Never applied, answered by somebody else: a 5xx, a throttle. */
  answer?: WireResponse;
  /** Applied, and answered in other words: what a proxy or a confused master would say. */
  rewrite?: (answer: WireResponse) => WireResponse;
  /** Applied, but the caller sees a broken connection. */
  dropAnswer?: WireError;
  /** The caller sees a broken connection at once, and it is applied so much later. Milliseconds. */
  lateMs?: number;
}

/** Seams for injected trouble; all absent in a healthy world. May be changed while it runs. */
export interface NetworkFaults {
  intercept?: (request: WireRequest, caller: Caller & Route) => 'pass' | Verdict;
  crashPoint?: (info: CrashInfo) => boolean;
}

/** One line of the call log. Times are epoch ms. */
export interface Call {
  at: number;
  answeredAt?: number;
  service: ServiceName;
  operation: string;
  accessKeyId: string;
  functionName?: string;
  invocationId?: string;
  /** The service saw it, whatever became of the answer. */
  applied: boolean;
  /** HTTP status, or the error code of the connection; absent while it is on its way. */
  status?: number | string;
}

export interface Network {
  send(request: SendRequest, origin?: Origin): Promise<WireResponse>;
  calls(): readonly Call[];
  /** Applied calls per service and operation, of functions only unless told otherwise. */
  counts(include?: (call: Call) => boolean): Partial<Record<ServiceName, Record<string, number>>>;
}

export type LatencyTable = Record<string, { p50: number; p99: number }>;

/** Services that no step waits for, such as SQS. Milliseconds. */
const OTHER_SERVICES = { p50: 20, p99: 100 };

const DCOS_PARTS: readonly ServiceName[] = ['mesos', 'marathon', 'agent', 'dcos'];

const abortError = (signal: AbortSignal): unknown =>
  signal.reason ?? new DOMException('This operation was aborted', 'AbortError');

const toWire = (request: SendRequest): WireRequest => ({
  method: request.method,
  url: request.url,
  headers: Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [name.toLowerCase(), value]),
  ),
  body:
    typeof request.body === 'object'
      ? new TextDecoder().decode(request.body)
      : (request.body ?? ''),
});

const isFunctions = (call: Call): boolean => call.functionName !== undefined;

const countCalls = (calls: readonly Call[]): ReturnType<Network['counts']> => {
  const totals: ReturnType<Network['counts']> = {};
  for (const { service, operation } of calls) {
    const operations = totals[service] ?? {};
    totals[service] = operations;
    operations[operation] = (operations[operation] ?? 0) + 1;
  }
  return totals;
};

const LATE = new WireError('ECONNRESET', 'socket hang up');

const fateOf = (verdict: 'pass' | Verdict = 'pass'): Verdict => (verdict === 'pass' ? {} : verdict);

/** A promise that nobody will ever hear of again: the fate of a dead invocation's requests. */
const lost = (): Promise<never> => new Promise(() => {});

/**
 * The emulated network. Each request takes a round trip drawn for its service, half before it is
 * applied and half before the answer arrives, is attributed to the invocation that sent it, and
 * is written to the call log. Rejects with a WireError (`ENOTFOUND` for an unknown host) or the
 * AbortError of the request's signal: an aborted request may still be applied, as in life.
 */
export const createNetwork = (deps: {
  time: Time;
  rng: Rng;
  latency: LatencyTable;
  route: (request: WireRequest) => Route | undefined;
  services: Partial<Record<ServiceName, Service>>;
  faults: NetworkFaults;
  /** Told of every call when its sender learns how it ended. */
  onAnswer?: (call: Call) => void;
}): Network => {
  const { time, latency, route, services, faults } = deps;
  const log: Call[] = [];
  const streams = new Map<string, Rng>();
  const drawMs = (service: ServiceName): number => {
    const name = DCOS_PARTS.includes(service) ? 'dcos' : service;
    const stream = streams.get(name) ?? deps.rng.fork(`network/${name}`);
    streams.set(name, stream);
    const { p50, p99 } = latency[name] ?? OTHER_SERVICES;
    return drawLogNormalMs(stream, p50, p99);
  };
  const after = (ms: number): Promise<void> => new Promise((resolve) => time.after(ms, resolve));

  const travel = async (wire: WireRequest, origin: Origin | undefined): Promise<WireResponse> => {
    const where = route(wire);
    if (!where) {
      await after(1);
      throw new WireError('ENOTFOUND', `getaddrinfo ENOTFOUND ${new URL(wire.url).hostname}`);
    }
    const caller: Caller = { accessKeyId: credentialOf(wire)?.accessKeyId ?? '' };
    if (origin) caller.invocationId = origin.invocationId;
    const { accessKeyId } = caller;
    const call: Call = { at: time.now(), ...where, accessKeyId, applied: false };
    if (origin) Object.assign(call, { functionName: origin.functionName, ...caller });
    append(log, call);

    const crash = (moment: CrashInfo['moment']): boolean => {
      if (!origin) return false;
      const { invocationId, functionName } = origin;
      if (faults.crashPoint?.({ moment, ...where, functionName, invocationId })) origin.kill();
      return !origin.alive();
    };
    const ended = (status: number | string): void => {
      call.status = status;
      call.answeredAt = time.now();
      deps.onAnswer?.(call);
    };
    const fail = (error: WireError): never => {
      ended(error.code);
      throw error;
    };
    const roundTripMs = drawMs(where.service);
    await after(roundTripMs / 2);
    const fate = fateOf(faults.intercept?.(wire, { ...caller, ...where }));
    if (fate.delayMs) await after(fate.delayMs);
    if (crash('before')) return lost();
    if (fate.dropRequest) return fail(fate.dropRequest);
    const service = services[where.service];
    if (fate.lateMs) {
      time.after(fate.lateMs, () => {
        call.applied = service !== undefined;
        void Promise.resolve(service?.handle(wire, caller)).then(() => ended(LATE.code));
      });
      throw LATE;
    }
    call.applied = service !== undefined && fate.answer === undefined;
    const answer = fate.answer ?? (await service?.handle(wire, caller));
    const response = answer && (fate.rewrite?.(answer) ?? answer);
    if (!response) {
      return fail(new WireError('ECONNREFUSED', `connect ECONNREFUSED ${where.service}`));
    }
    if (crash('applied')) return lost();
    await after(roundTripMs / 2);
    if (origin && !origin.alive()) return lost();
    if (fate.dropAnswer) return fail(fate.dropAnswer);
    ended(response.status);
    if (crash('answered')) return lost();
    return response;
  };

  return {
    send: (request, origin) => {
      if (origin && !origin.alive()) return lost();
      const { signal } = request;
      if (signal?.aborted) return Promise.reject(abortError(signal));
      const answer = travel(toWire(request), origin);
      if (!signal) return answer;
      return new Promise((resolve, reject) => {
        const onAbort = (): void => reject(abortError(signal));
        signal.addEventListener('abort', onAbort, { once: true });
        answer.finally(() => signal.removeEventListener('abort', onAbort)).then(resolve, reject);
      });
    },
    calls: () => log,
    counts: (include = isFunctions) => countCalls(log.filter((c) => c.applied && include(c))),
  };
};
