import { drawLogNormalMs, type Rng } from '../../core/random.ts';
import type { Time } from '../../core/time.ts';
import type { Iam } from '../iam/iam.ts';
import type { Outcome } from '../lambda/invocation.ts';
import type { LambdaFunctions } from '../lambda/lambda.ts';
import { type AslMachine, allStates, timeoutKey } from './definition.ts';

/** A failed task as Retry and Catch see it: `name` is matched, `message` becomes the Cause. */
export class TaskError extends Error {
  constructor(name: string, cause: string) {
    super(cause);
    this.name = name;
  }
}

/** Task tokens waiting for SendTaskSuccess or SendTaskFailure. */
export interface TaskTokens {
  /** A fresh token; the next callback task started by the same execution waits for it. */
  issue(): string;
  settle(token: string, result: { output: unknown } | { error: TaskError }): SettleResult;
  /** Awaits the token: the callback half of a `.waitForTaskToken` task. */
  wait(token: string): Promise<unknown>;
  /** The state that waited has ended: later answers come too late. */
  expire(token: string): void;
}
export type SettleResult = 'accepted' | 'unknown' | 'too late';

export const createTaskTokens = (rng: Rng): TaskTokens => {
  type Settle = (result: { output: unknown } | { error: TaskError }) => void;
  const waiting = new Map<string, Settle | 'over' | 'issued'>();
  return {
    issue: () => {
      const token = `AQB8${rng.hex(60)}`;
      waiting.set(token, 'issued');
      return token;
    },
    settle: (token, result) => {
      const waiter = waiting.get(token);
      if (waiter === undefined || waiter === 'issued') return 'unknown';
      if (waiter === 'over') return 'too late';
      waiting.set(token, 'over');
      waiter(result);
      return 'accepted';
    },
    wait: (token) =>
      new Promise((resolve, reject) => {
        waiting.set(token, (result) => {
          if ('error' in result) reject(result.error);
          else resolve(result.output);
        });
      }),
    expire: (token) => waiting.set(token, 'over'),
  };
};

export interface TaskDeps {
  time: Time;
  rng: Rng;
  iam: Iam;
  functions: LambdaFunctions;
  latency: { p50: number; p99: number };
}

/**
 * How Step Functions reports a Lambda that failed (Step Functions guide, error handling): newer
 * runtimes name a timeout, all else that ends a function from outside is unknown.
 */
const lambdaError = ({ failure, crashed, throttled }: Outcome & { ok: false }): TaskError => {
  if (throttled) {
    const cause = `${failure.errorMessage} (Service: Lambda, Status Code: 429)`;
    return new TaskError('Lambda.TooManyRequestsException', cause);
  }
  const isTimeout = failure.errorType === 'Sandbox.Timedout';
  if (!crashed || isTimeout) return new TaskError(failure.errorType, JSON.stringify(failure));
  const what = 'The cause could not be determined because Lambda did not return an error type.';
  return new TaskError(
    'Lambda.Unknown',
    `${what} Returned payload: ${JSON.stringify({ errorMessage: failure.errorMessage })}`,
  );
};

/** What passes from state to state (Step Functions guide, quotas). */
export const PAYLOAD_BYTES_MAX = 262_144;

const LAMBDA_ARN = /^arn:aws:lambda:[^:]+:\d{12}:function:[^:]+$/;
const LAMBDA_INVOKE = /^arn:aws:states:::lambda:invoke(\.waitForTaskToken)?$/;

type TaskHandler = (input: unknown) => Promise<unknown>;

/**
 * One handler per Task state, as the engine wants them: plain Lambda ARNs and the optimized
 * `lambda:invoke` integration, with or without task token. Any other resource is refused when the
 * machine is created, not when it is reached.
 */
export const createTaskHandlers = (
  machine: AslMachine,
  deps: TaskDeps & {
    accessKeyId: string;
    alive: () => boolean;
    /** Told of each call of a function. */
    onCall: () => void;
    takeToken: (stateName: string) => string;
    tokens: TaskTokens;
  },
): Record<string, TaskHandler> => {
  const { time, rng, iam, functions, latency } = deps;
  const call = async (name: string, payload: unknown): Promise<unknown> => {
    const spec = functions.find(name.replace(/:\$LATEST$/, ''));
    const arn = spec?.arn ?? name;
    const caller = { accessKeyId: deps.accessKeyId };
    const why = iam.denial('lambda:InvokeFunction', [{ arn }], caller);
    if (why) throw new TaskError('Lambda.AWSLambdaException', why);
    const delayMs = drawLogNormalMs(rng, latency.p50, latency.p99);
    await new Promise<void>((resolve) => time.after(delayMs, resolve));
    if (!deps.alive()) return new Promise(() => {});
    if (!spec) {
      throw new TaskError('Lambda.ResourceNotFoundException', `Function not found: ${name}`);
    }
    const outcome = await functions.invoke(spec, JSON.stringify(payload));
    deps.onCall();
    if (!outcome.ok) throw lambdaError(outcome);
    if (Buffer.byteLength(JSON.stringify(outcome.payload)) > PAYLOAD_BYTES_MAX) {
      const cause = `The result of ${name} is longer than ${PAYLOAD_BYTES_MAX} bytes`;
      throw new TaskError('States.DataLimitExceeded', cause);
    }
    return outcome.payload;
  };

  const handlerFor = (stateName: string, resource: string): TaskHandler => {
    if (LAMBDA_ARN.test(resource)) return (input) => call(resource, input);
    const optimized = LAMBDA_INVOKE.exec(resource);
    if (!optimized) throw new Error(`${stateName}: ${resource} is not emulated`);
    return async (input) => {
      const { FunctionName, Payload = {} } = input as { FunctionName: string; Payload?: unknown };
      if (!optimized[1]) {
        const result = await call(FunctionName, Payload);
        return { ExecutedVersion: '$LATEST', Payload: result, StatusCode: 200 };
      }
      const answer = deps.tokens.wait(deps.takeToken(stateName));
      await call(FunctionName, Payload);
      return answer;
    };
  };
  /** The function is not told how long it is waited for. */
  const untold =
    (handler: TaskHandler): TaskHandler =>
    (input) => {
      if (typeof input !== 'object' || input === null || !(timeoutKey in input)) {
        return handler(input);
      }
      const { [timeoutKey]: _told, ...rest } = input;
      return handler(rest);
    };
  return Object.fromEntries(
    allStates(machine)
      .filter(([, state]) => state.Type === 'Task')
      .map(([name, state]) => [name, untold(handlerFor(name, state.Resource ?? ''))]),
  );
};
