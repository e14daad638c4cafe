import { uuid } from '../../core/aws-event.ts';
import type { Rng } from '../../core/random.ts';
import type { Time } from '../../core/time.ts';
import type { WireResponse } from '../../core/wire.ts';
import type { FunctionSpec } from '../../infra.ts';
import type { Origin, SendRequest } from '../../network.ts';
import {
  type CreateHandler,
  createEnvironment,
  type Environment,
  type Invocation,
  runAttributed,
} from './environment.ts';

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
    };

/** One finished or running invocation, for traces and reports. */
export interface InvocationRecord {
  invocationId: string;
  functionKey: string;
  startedAt: number;
  cold: boolean;
  endedAt?: number;
  /** `ok` or the error type. */
  result?: string;
}

export interface LambdaFunctions {
  /** By name, key or ARN. */
  find(name: string): FunctionSpec | undefined;
  /** Runs the function with a JSON payload and answers what it returned, as JSON would carry it. */
  invoke(spec: FunctionSpec, payload: string): Promise<Outcome>;
  /** As if the machine under a running invocation were gone. False if it is not running. */
  kill(invocationId: string): boolean;
  /** Forgets every idle environment: the next invocations start cold. */
  coolDown(): void;
  records(): readonly InvocationRecord[];
}

export interface LambdaDeps {
  time: Time;
  rng: Rng;
  region: string;
  functions: readonly FunctionSpec[];
  /** The module of each function key, imported before time starts. */
  modules: ReadonlyMap<string, CreateHandler>;
  accessKeyId: (roleArn: string) => string;
  send: (request: SendRequest, origin?: Origin) => Promise<WireResponse>;
  log: (line: string, functionKey: string, invocationId: string | undefined) => void;
  coldStart: { ms: number; idleMinutes: number };
}

const failureOf = (thrown: unknown): FunctionFailure => {
  if (!(thrown instanceof Error)) return { errorType: 'Error', errorMessage: String(thrown) };
  // The trace names files of this machine; only its first line is the same everywhere.
  const trace = [`${thrown.name}: ${thrown.message}`];
  return { errorType: thrown.name, errorMessage: thrown.message, trace };
};

/** JSON as the runtime writes it: an undefined result is `null`. */
const asJson = (value: unknown): unknown => JSON.parse(JSON.stringify(value ?? null));

/**
 * Execution environments of Lambda: one invocation at a time in each, a cold start for the first
 * call, after idle minutes and for each further concurrent one; a timeout or crash takes the
 * environment with it.
 */
export const createLambdaFunctions = (deps: LambdaDeps): LambdaFunctions => {
  const { time, rng, coldStart } = deps;
  const environments = new Map<string, Environment[]>();
  const running = new Map<string, Invocation>();
  const records: InvocationRecord[] = [];

  /** The warmest idle environment, so that the others can grow cold as they do in life. */
  const warm = (key: string): Environment | undefined => {
    const idleMs = coldStart.idleMinutes * 60_000;
    const usable = (environments.get(key) ?? []).filter(
      ({ busy, lastUsedAt }) => busy || time.now() - lastUsedAt < idleMs,
    );
    environments.set(key, usable);
    return usable.filter(({ busy }) => !busy).sort((a, b) => b.lastUsedAt - a.lastUsedAt)[0];
  };

  const start = (spec: FunctionSpec): Environment => {
    const create = deps.modules.get(spec.key);
    if (!create) throw new Error(`the module of ${spec.key} was not loaded`);
    return createEnvironment({
      spec,
      create,
      region: deps.region,
      accessKeyId: deps.accessKeyId(spec.roleArn),
      send: deps.send,
      log: (line, invocation) => deps.log(line, spec.key, invocation?.invocationId),
      now: time.now(),
    });
  };

  const open = (
    spec: FunctionSpec,
    cold: boolean,
    onEnd: (outcome: Outcome | undefined) => void,
  ): Invocation => {
    const invocationId = uuid(rng);
    let live = true;
    const failure = (errorType: string, what: string): Outcome => ({
      ok: false,
      crashed: true,
      failure: { errorType, errorMessage: `RequestId: ${invocationId} Error: ${what}` },
    });
    const invocation: Invocation = {
      invocationId,
      functionName: spec.key,
      startedAt: time.now(),
      cold,
      alive: () => live,
      kill: () => invocation.end('killed'),
      end: (reason) => {
        if (!live) return;
        live = false;
        running.delete(invocationId);
        if (reason === 'returned') return onEnd(undefined);
        const seconds = spec.timeoutSeconds.toFixed(2);
        onEnd(
          reason === 'killed'
            ? failure('Runtime.ExitError', 'Runtime exited with error: signal: killed')
            : failure('Sandbox.Timedout', `Task timed out after ${seconds} seconds`),
        );
      },
    };
    running.set(invocationId, invocation);
    return invocation;
  };

  const runIn = (spec: FunctionSpec, environment: Environment, cold: boolean, payload: string) =>
    new Promise<Outcome>((resolve) => {
      environment.busy = true;
      let answer: Outcome | undefined;
      const record: InvocationRecord = {
        invocationId: '',
        functionKey: spec.key,
        startedAt: time.now(),
        cold,
      };
      const timeoutMs = spec.timeoutSeconds * 1000;
      const cancelTimeout = time.after(timeoutMs, () => invocation.end('timed out'));
      const invocation = open(spec, cold, (crash) => {
        cancelTimeout();
        const outcome = crash ?? (answer as Outcome);
        record.endedAt = time.now();
        record.result = outcome.ok ? 'ok' : outcome.failure.errorType;
        environment.busy = false;
        environment.lastUsedAt = time.now();
        if (crash) {
          const others = environments.get(spec.key) ?? [];
          environments.set(
            spec.key,
            others.filter((other) => other !== environment),
          );
        }
        resolve(outcome);
      });
      record.invocationId = invocation.invocationId;
      records.push(record);
      const context = {
        functionName: spec.name,
        invokedFunctionArn: spec.arn,
        awsRequestId: invocation.invocationId,
        getRemainingTimeInMillis: () => Math.max(0, invocation.startedAt + timeoutMs - time.now()),
      };
      const finish = (outcome: Outcome): void => {
        answer = outcome;
        invocation.end('returned');
      };
      runAttributed(invocation, async () => environment.handler(JSON.parse(payload), context)).then(
        (value) => finish({ ok: true, payload: asJson(value) }),
        (error) => finish({ ok: false, crashed: false, failure: failureOf(error) }),
      );
    });

  const sleep = (ms: number): Promise<void> => new Promise((done) => time.after(ms, done));

  return {
    find: (name) => deps.functions.find((f) => name === f.arn || name === f.name || name === f.key),
    invoke: async (spec, payload) => {
      const idle = warm(spec.key);
      if (idle) return runIn(spec, idle, false, payload);
      // Taken before the cold start, so that a second caller does not wait for the same one.
      let environment: Environment;
      try {
        environment = start(spec);
      } catch (error) {
        await sleep(coldStart.ms);
        return { ok: false, crashed: false, failure: failureOf(error) };
      }
      environment.busy = true;
      environments.get(spec.key)?.push(environment);
      await sleep(coldStart.ms);
      return runIn(spec, environment, true, payload);
    },
    kill: (invocationId) => {
      const invocation = running.get(invocationId);
      invocation?.kill();
      return invocation !== undefined;
    },
    coolDown: () => {
      for (const [key, all] of environments) {
        environments.set(
          key,
          all.filter(({ busy }) => busy),
        );
      }
    },
    records: () => records,
  };
};
