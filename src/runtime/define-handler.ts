import middy, { type MiddlewareObj } from '@middy/core';
import * as z from 'zod';
import { problemOf } from '../contracts/problem.ts';
import { ParseError } from '../domain/errors.ts';
import type { Telemetry } from './telemetry.ts';

declare const wrapped: unique symbol;

/** Of Lambda's context only the request id is read. */
export interface InvocationContext {
  readonly awsRequestId?: string;
}

/** What Lambda calls. */
export type Invoke = (event: unknown, context?: InvocationContext) => Promise<unknown>;

/** An `Invoke` that came out of `defineHandler`: nothing else passes for one. */
export type LambdaHandler = Invoke & { readonly [wrapped]: true };

export interface HandlerDefinition<Input, Output> {
  /** As in the function list and the state machine, such as `FenceAgent`. */
  readonly name: string;
  readonly input: z.ZodType<Input>;
  readonly output: z.ZodType<Output>;
  readonly telemetry: Telemetry;
}

const WarmUp = z.strictObject({ warmUp: z.literal(true) });
const warm = Object.freeze({ warm: true });

/** What a line says about its subject; the values come from input and output, as far as they go. */
const Subject = z
  .object({ incidentId: z.string(), token: z.number(), volumeId: z.string(), kind: z.string() })
  .partial();
type Subject = z.infer<typeof Subject>;
const subjectOf = (value: unknown): Subject => Subject.safeParse(value).data ?? {};

const parse = <Value>(what: string, schema: z.ZodType<Value>, value: unknown): Value => {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new ParseError(what, problemOf(parsed.error));
};

const described = (error: unknown): { error: string; problem: string; cause?: string } => {
  if (!(error instanceof Error)) return { error: typeof error, problem: String(error) };
  const { name, message, cause } = error;
  const told = { error: name, problem: message };
  return cause instanceof Error ? { ...told, cause: `${cause.name}: ${cause.message}` } : told;
};

/** `handedOff` -> `HandedOff`: one metric per decision, from the closed list of the output. */
const metricOf = (kind: string): string => `${kind.charAt(0).toUpperCase()}${kind.slice(1)}`;

interface Timing extends Record<string, unknown> {
  startedAt: number;
}

/** One line and one count per invocation, whatever becomes of it. */
const observe = ({
  log,
  metrics,
  annotate,
  flush,
}: Telemetry): MiddlewareObj<unknown, unknown, Error, InvocationContext, Timing> => ({
  before: ({ event, context, internal }) => {
    internal.startedAt = Date.now();
    const { incidentId, token, volumeId } = subjectOf(event);
    annotate({ requestId: context.awsRequestId, incidentId, token, volumeId });
  },
  after: ({ response, internal }) => {
    const subject = response === warm ? { kind: 'warmed' } : subjectOf(response);
    log.info('invocation completed', { ...subject, ms: Date.now() - internal.startedAt });
    metrics.count(metricOf(subject.kind ?? 'completed'));
    flush();
  },
  onError: ({ error, internal }) => {
    log.error('invocation failed', { ...described(error), ms: Date.now() - internal.startedAt });
    metrics.count('Failed');
    flush();
  },
});

/**
 * The front door of every function: parses what comes in and what goes out, tells what happened,
 * and lets errors pass as they are, because the workflow routes on `error.name`. A warm-up call
 * `{"warmUp":true}` is answered `{ warm: true }` before the use case hears of it.
 *
 * The invocation rejects with ParseError for an input or output that breaks its contract, and with
 * whatever the use case throws.
 */
export const defineHandler = <Input, Output>(
  { name, input, output, telemetry }: HandlerDefinition<Input, Output>,
  useCase: (input: Input) => Promise<Output>,
): LambdaHandler => {
  const handle = async (event: unknown): Promise<unknown> => {
    if (WarmUp.safeParse(event).success) return warm;
    const answer = await useCase(parse(`${name} input`, input, event));
    return parse(`${name} output`, output, answer);
  };
  // No early timeout: its timer would run beside Lambda's own and could end a call half way.
  const handler = middy(handle, { timeoutEarlyInMillis: 0 }).use(observe(telemetry));
  return handler as Invoke as LambdaHandler;
};
