import { uuid } from '../../core/aws-event.ts';
import type { Rng } from '../../core/random.ts';
import type { Time } from '../../core/time.ts';
import type { FunctionSpec } from '../../infra.ts';
import type { Origin } from '../../network.ts';
import type { Environment, LambdaContext } from './environment.ts';

/** Lambda's own words for a failed run: the payload of an answer with FunctionError. */
export interface FunctionFailure {
  errorType: string;
  errorMessage: string;
  trace?: string[];
}

export type Outcome =
  | { ok: true; payload: unknown }
  | {
      ok: false;
      failure: FunctionFailure;
      /** The environment died or ran out of time: the handler itself said nothing. */
      crashed: boolean;
      /** No environment was free for it and none could be had: it never ran. */
      throttled?: true;
    };

/** One run of a handler: alive until the first of its answer, its timeout and its death. */
export interface Invocation extends Origin {
  readonly environment: Pick<Environment, 'id' | 'zone'>;
  readonly context: LambdaContext;
  /** The handler came to an end; too late after a timeout or crash. */
  finish(outcome: Outcome): void;
}

export const failureOf = (thrown: unknown): FunctionFailure => {
  if (!(thrown instanceof Error)) return { errorType: 'Error', errorMessage: String(thrown) };
  // The trace names files of this machine; only its first line is the same everywhere.
  const trace = [`${thrown.name}: ${thrown.message}`];
  return { errorType: thrown.name, errorMessage: thrown.message, trace };
};

/** Starts the clock of one run; `onEnd` is called once, whatever ends it. */
export const openInvocation = (deps: {
  time: Time;
  rng: Rng;
  spec: FunctionSpec;
  environment: Pick<Environment, 'id' | 'zone'>;
  onEnd: (outcome: Outcome) => void;
}): Invocation => {
  const { time, rng, spec, environment, onEnd } = deps;
  const invocationId = uuid(rng);
  const timeoutMs = spec.timeoutSeconds * 1000;
  const endsAt = time.now() + timeoutMs;
  let live = true;
  const end = (outcome: Outcome): void => {
    if (!live) return;
    live = false;
    cancelTimeout();
    onEnd(outcome);
  };
  const crash = (errorType: string, what: string): void => {
    const errorMessage = `RequestId: ${invocationId} Error: ${what}`;
    end({ ok: false, crashed: true, failure: { errorType, errorMessage } });
  };
  const cancelTimeout = time.after(timeoutMs, () => {
    const seconds = spec.timeoutSeconds.toFixed(2);
    crash('Sandbox.Timedout', `Task timed out after ${seconds} seconds`);
  });
  return {
    invocationId,
    functionName: spec.key,
    environment,
    alive: () => live,
    finish: end,
    kill: () => crash('Runtime.ExitError', 'Runtime exited with error: signal: killed'),
    context: {
      functionName: spec.name,
      invokedFunctionArn: spec.arn,
      awsRequestId: invocationId,
      getRemainingTimeInMillis: () => Math.max(0, endsAt - time.now()),
    },
  };
};
