import { append } from '../../core/log.ts';
import type { Rng } from '../../core/random.ts';
import type { Time } from '../../core/time.ts';
import type { WireResponse } from '../../core/wire.ts';
import type { FunctionSpec } from '../../infra.ts';
import type { Origin, SendRequest } from '../../network.ts';
import {
  type CreateHandler,
  createEnvironment,
  type Environment,
  runAttributed,
} from './environment.ts';
import { failureOf, type Invocation, type Outcome, openInvocation } from './invocation.ts';

/** One finished or running invocation, for traces and reports. Times are epoch ms. */
export interface InvocationRecord {
  invocationId: string;
  functionKey: string;
  startedAt: number;
  cold: boolean;
  zone: string;
  endedAt?: number;
  /** `ok` or the error type. */
  result?: string;
}

/** Seams for trouble; may be changed while it runs. */
export interface LambdaFaults {
  /**
   * How many of its invocations Lambda runs at once now, such as what others in the account have
   * left of their common limit. Absent: as many as the limits allow.
   */
  concurrency?: (functionKey: string, running: number) => number;
}

/** Why an invocation was refused, in the words of the Invoke API. */
export type ThrottleReason =
  | 'ConcurrentInvocationLimitExceeded'
  | 'ReservedFunctionConcurrentInvocationLimitExceeded';

export interface LambdaFunctions {
  /** By name, key or ARN. */
  find(name: string): FunctionSpec | undefined;
  /** Runs the function with a JSON payload and answers what it returned, as JSON would carry it. */
  invoke(spec: FunctionSpec, payload: string): Promise<Outcome>;
  /** As if the machine under a running invocation were gone. False if it is not running. */
  kill(invocationId: string): boolean;
  /** Forgets every idle environment: the next invocations start cold. */
  coolDown(): void;
  /** New code is there: what runs ends in peace, and nothing is begun any more in what is warm. */
  redeploy(): void;
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
  log: (line: string, functionKey: string) => void;
  coldStart: { ms: number; idleMinutes: number };
  faults: LambdaFaults;
}

/** JSON as the runtime writes it: an undefined result is `null`. */
const asJson = (value: unknown): unknown => JSON.parse(JSON.stringify(value ?? null));

const ZONES = ['a', 'b', 'c'] as const;

/** The environments of every function, by key. */
const createPool = (deps: LambdaDeps) => {
  const { time, coldStart, region } = deps;
  const all = new Map<string, Environment[]>();
  let started = 0;
  const keep = (key: string, wanted: (environment: Environment) => boolean): Environment[] => {
    const kept = (all.get(key) ?? []).filter(wanted);
    all.set(key, kept);
    return kept;
  };
  return {
    /** The warmest idle environment, so that the others can grow cold as they do in life. */
    warm: (key: string): Environment | undefined => {
      const oldest = time.now() - coldStart.idleMinutes * 60_000;
      return keep(key, ({ busy, lastUsedAt }) => busy || lastUsedAt > oldest)
        .filter(({ busy }) => !busy)
        .sort((a, b) => b.lastUsedAt - a.lastUsedAt)[0];
    },
    /**
     * A new one, running the module's own initialisation; throws what that throws. Each is in the
     * next zone, so that what took the place of a dead one is elsewhere.
     */
    start: (spec: FunctionSpec): Environment => {
      const create = deps.modules.get(spec.key);
      if (!create) throw new Error(`the module of ${spec.key} was not loaded`);
      const zone = `${region}${ZONES[started % ZONES.length]}`;
      started += 1;
      const environment = createEnvironment({
        spec,
        create,
        region,
        place: { id: started, zone },
        accessKeyId: deps.accessKeyId(spec.roleArn),
        send: deps.send,
        log: (line) => deps.log(line, spec.key),
        now: time.now(),
      });
      all.set(spec.key, [...(all.get(spec.key) ?? []), environment]);
      return environment;
    },
    discard: (key: string, environment: Environment): void => {
      keep(key, (other) => other !== environment);
    },
    coolDown: (): void => {
      for (const key of all.keys()) keep(key, ({ busy }) => busy);
    },
    forget: (): void => all.clear(),
  };
};

/** Concurrency of an account and a region, until AWS raises it. */
const ACCOUNT_CONCURRENCY = 1_000;

/** Counts what runs, booting included, and refuses what is too much. */
const createThrottle = ({ faults }: LambdaDeps) => {
  const running = new Map<string, number>();
  let total = 0;
  const count = ({ key }: FunctionSpec, by: number): void => {
    running.set(key, (running.get(key) ?? 0) + by);
    total += by;
  };
  const reasonFor = (spec: FunctionSpec): ThrottleReason | undefined => {
    const mine = running.get(spec.key) ?? 0;
    if (mine >= (spec.reservedConcurrency ?? Infinity)) {
      return 'ReservedFunctionConcurrentInvocationLimitExceeded';
    }
    const left = faults.concurrency?.(spec.key, mine) ?? Infinity;
    return total >= ACCOUNT_CONCURRENCY || mine >= left
      ? 'ConcurrentInvocationLimitExceeded'
      : undefined;
  };
  return {
    refusal: (spec: FunctionSpec): Outcome | undefined => {
      const errorType = reasonFor(spec);
      const failure = { errorType: errorType ?? '', errorMessage: 'Rate Exceeded.' };
      return errorType && { ok: false, crashed: false, throttled: true, failure };
    },
    enter: (spec: FunctionSpec): void => count(spec, 1),
    leave: (spec: FunctionSpec): void => count(spec, -1),
  };
};

/**
 * Execution environments of Lambda: one invocation at a time in each, a cold start for the first
 * call, after idle minutes and for each further concurrent one; a timeout or crash takes the
 * environment with it. What is too much at once is refused and never runs.
 */
export const createLambdaFunctions = (deps: LambdaDeps): LambdaFunctions => {
  const { time, rng, coldStart } = deps;
  const pool = createPool(deps);
  const running = new Map<string, Invocation>();
  const records: InvocationRecord[] = [];

  const runIn = (spec: FunctionSpec, environment: Environment, cold: boolean, payload: string) =>
    new Promise<Outcome>((resolve) => {
      const onEnd = (outcome: Outcome): void => {
        running.delete(invocation.invocationId);
        record.endedAt = time.now();
        record.result = outcome.ok ? 'ok' : outcome.failure.errorType;
        environment.busy = false;
        environment.lastUsedAt = time.now();
        if (!outcome.ok && outcome.crashed) pool.discard(spec.key, environment);
        resolve(outcome);
      };
      const invocation = openInvocation({ time, rng, spec, environment, onEnd });
      const { invocationId, context, finish } = invocation;
      const startedAt = time.now();
      const { zone } = environment;
      const record: InvocationRecord = {
        invocationId,
        functionKey: spec.key,
        startedAt,
        cold,
        zone,
      };
      environment.busy = true;
      running.set(invocationId, invocation);
      append(records, record);
      runAttributed(invocation, async () => environment.handler(JSON.parse(payload), context)).then(
        (value) => finish({ ok: true, payload: asJson(value) }),
        (error) => finish({ ok: false, crashed: false, failure: failureOf(error) }),
      );
    });
  const bootUp = (): Promise<void> => new Promise((done) => time.after(coldStart.ms, done));
  const run = async (spec: FunctionSpec, payload: string): Promise<Outcome> => {
    const idle = pool.warm(spec.key);
    if (idle) return runIn(spec, idle, false, payload);
    try {
      const environment = pool.start(spec);
      // Taken before it has booted, so that a second caller does not wait for the same one.
      environment.busy = true;
      await bootUp();
      return runIn(spec, environment, true, payload);
    } catch (error) {
      await bootUp();
      return { ok: false, crashed: false, failure: failureOf(error) };
    }
  };
  const throttle = createThrottle(deps);

  return {
    find: (name) => deps.functions.find((f) => [f.arn, f.name, f.key].includes(name)),
    invoke: async (spec, payload) => {
      const refused = throttle.refusal(spec);
      if (refused) return refused;
      throttle.enter(spec);
      return run(spec, payload).finally(() => throttle.leave(spec));
    },
    kill: (invocationId) => {
      const invocation = running.get(invocationId);
      invocation?.kill();
      return invocation !== undefined;
    },
    coolDown: pool.coolDown,
    redeploy: pool.forget,
    records: () => records,
  };
};
