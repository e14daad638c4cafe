import type { AwsEvent } from '../core/aws-event.ts';
import { Ec2Refusal } from '../core/machines.ts';
import type { VirtualTime } from '../core/virtual-time.ts';
import type { WireRequest, WireResponse } from '../core/wire.ts';
import type { CrashInfo, Verdict } from '../network.ts';
import type { Route } from '../routing.ts';
import type { MemoryHooks } from '../services/dynamodb/memory-engine.ts';
import type { Ec2Call, Ec2Faults } from '../services/ec2/faults.ts';
import { currentInvocation } from '../services/lambda/environment.ts';
import type { Invocation } from '../services/lambda/invocation.ts';
import type { World } from '../world.ts';
import type { SimStage } from './stage.ts';

/** A request on its way from a function to a service. */
export interface Passing extends Route {
  functionName: string;
  invocationId: string;
  body: string;
}

type Hooks = {
  request: (passing: Passing) => Verdict | undefined;
  crash: (info: CrashInfo) => boolean;
  ec2: (call: Omit<Ec2Call, 'outcome'>) => void;
  stop: NonNullable<Ec2Faults['stuckStop']>;
  detach: NonNullable<Ec2Faults['slowDetach']>;
  afterStop: NonNullable<Ec2Faults['postStopWrites']>;
  paging: NonNullable<Ec2Faults['paging']>;
  deliver: (event: AwsEvent, targetArn: string) => readonly { delayMs: number }[] | undefined;
  /** How many of this function may run at once. */
  concurrency: (functionName: string, running: number) => number;
  /** How far the clock of this invocation is off, ms. */
  clock: (invocation: Invocation) => number;
};

/** Where faults are planted: the seams of the world, shared by all faults of a run. */
export interface Site {
  world: World;
  stage: SimStage;
  time: VirtualTime;
  /** The tables behind the ledger. */
  tables: MemoryHooks;
  /** The fault changed a response, a delivery or a clock that the service saw. */
  hit(id: string): void;
  /** Consulted until the faults end. The first to say something decides. */
  on<Name extends keyof Hooks>(name: Name, hook: Hooks[Name]): void;
  /** Called when the faults end: what lasts must be put right. */
  heal(undo: () => void): void;
  /** Once, so long after the failure, if faults are still on. */
  later(delayMs: number, effect: () => void): void;
  /** Tells whoever watches that a fault answers this read, in the service's place, with this. */
  served(passing: Passing, answer: WireResponse): void;
  /** Sends a request as an operator, past all faults; resolves with the body. */
  operator(service: Attended, request: OperatorRequest): Promise<string>;
}

/** What people reach past the functions. */
type Attended = 'autoscaling' | 'dynamodb' | 'ec2' | 'states';

export interface OperatorRequest {
  /** `DeleteVolume`, `StartExecution`, `PutItem`. */
  operation: string;
  body: Record<string, unknown>;
}

const TARGET = {
  states: 'AWSStepFunctions',
  dynamodb: 'DynamoDB_20120810',
} as const;

/** API versions of the query protocol. */
const VERSION = { autoscaling: '2011-01-01', ec2: '2016-11-15' } as const;

const operatorRequest = (service: Attended, { operation, body }: OperatorRequest): WireRequest => {
  const url = `https://${service}.us-east-1.amazonaws.com/`;
  const scope = `Credential=OPERATOR/20261122/us-east-1/${service}/aws4_request`;
  const authorization = `AWS4-HMAC-SHA256 ${scope}, SignedHeaders=host, Signature=0`;
  const date = { 'x-amz-date': '20261123T030000Z' };
  if (service === 'states' || service === 'dynamodb') {
    return {
      method: 'POST',
      url,
      headers: {
        'content-type': 'application/x-amz-json-1.0',
        'x-amz-target': `${TARGET[service]}.${operation}`,
        authorization,
        ...date,
      },
      body: JSON.stringify(body),
    };
  }
  const fields = new URLSearchParams({ Action: operation, Version: VERSION[service] });
  for (const [name, value] of Object.entries(body)) fields.set(name, String(value));
  const headers = { 'content-type': 'application/x-www-form-urlencoded', authorization, ...date };
  return { method: 'POST', url, headers, body: fields.toString() };
};

type Planted = { [Name in keyof Hooks]: Hooks[Name][] };

const sum = (values: number[]): number => values.reduce((total, value) => total + value, 0);

const plantInEc2 = (faults: Ec2Faults, hooks: Planted, isLive: () => boolean): void => {
  faults.onCall = (call) => {
    if (isLive() && call.caller.invocationId !== undefined)
      for (const hook of hooks.ec2) hook(call);
  };
  faults.stuckStop = (id, method) =>
    isLive() ? sum(hooks.stop.map((hook) => hook(id, method))) : 0;
  faults.slowDetach = (id, forced) =>
    isLive() ? sum(hooks.detach.map((hook) => hook(id, forced))) : 0;
  faults.postStopWrites = (id) => (isLive() ? sum(hooks.afterStop.map((hook) => hook(id))) : 0);
  faults.paging = () => {
    for (const hook of isLive() ? hooks.paging : []) {
      const paging = hook();
      if (paging) return paging;
    }
    return undefined;
  };
};

/**
 * The site, the switch that ends every fault on it, and until when something that was planted may
 * still happen, epoch ms.
 */
export const createSite = (deps: {
  world: World;
  stage: SimStage;
  time: VirtualTime;
  tables?: MemoryHooks;
  hit: (id: string) => void;
  served?: Site['served'];
}): { site: Site; end: () => void; restlessUntil: () => number } => {
  const { world, stage, time, hit, tables = {}, served = () => {} } = deps;
  const hooks: Planted = {
    request: [],
    crash: [],
    ec2: [],
    stop: [],
    detach: [],
    afterStop: [],
    paging: [],
    deliver: [],
    concurrency: [],
    clock: [],
  };
  const undos: (() => void)[] = [];
  let live = true;
  let restlessUntil = time.now();
  const expect = (delayMs: number): void => {
    restlessUntil = Math.max(restlessUntil, time.now() + delayMs);
  };

  world.faults.crashPoint = (info) => live && hooks.crash.some((hook) => hook(info));
  world.faults.intercept = (request, { invocationId, ...route }) => {
    if (!live || invocationId === undefined) return 'pass';
    const line = world.network.calls().findLast((call) => call.invocationId === invocationId);
    const functionName = line?.functionName ?? '';
    const { service, operation } = route;
    const passing = { service, operation, invocationId, functionName, body: request.body };
    for (const hook of hooks.request) {
      const verdict = hook(passing);
      if (verdict) return verdict;
    }
    return 'pass';
  };
  world.faults.deliver = (event, targetArn) => {
    if (!live) return [{ delayMs: 0 }];
    for (const hook of hooks.deliver) {
      const deliveries = hook(event, targetArn);
      if (deliveries === undefined) continue;
      for (const { delayMs } of deliveries) expect(delayMs);
      return deliveries;
    }
    return [{ delayMs: 0 }];
  };
  world.faults.concurrency = (...asked) =>
    live ? Math.min(...hooks.concurrency.map((hook) => hook(...asked))) : Infinity;
  plantInEc2(world.ec2.faults, hooks, () => live);
  const clockSkewMs = (): number => {
    const invocation = live ? currentInvocation() : undefined;
    return invocation === undefined ? 0 : sum(hooks.clock.map((hook) => hook(invocation)));
  };
  const site: Site = {
    world,
    stage,
    time,
    tables,
    hit,
    served,
    on: (name, hook) => {
      if (name === 'clock' && hooks.clock.length === 0) time.skew(clockSkewMs);
      hooks[name].push(hook as never);
    },
    heal: (undo) => void undos.push(undo),
    later: (delayMs, effect) => {
      expect(delayMs);
      time.after(delayMs, () => {
        if (live) unlessRefused(effect);
      });
    },
    operator: async (service, request) => {
      const wire = operatorRequest(service, request);
      const { body } = await world[service].handle(wire, { accessKeyId: 'OPERATOR' });
      return body;
    },
  };
  return {
    site,
    restlessUntil: () => restlessUntil,
    end: () => {
      live = false;
      for (const undo of undos) undo();
    },
  };
};

/** What EC2 would answer a function's request with this body, told to nobody and past all faults. */
export const askEc2 = ({ world }: Pick<Site, 'world'>, body: string): WireResponse => {
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  const request = { method: 'POST', url: 'https://ec2/', headers, body };
  const answer = world.ec2.handle(request, { accessKeyId: 'OPERATOR' });
  if (answer instanceof Promise) throw new TypeError('EC2 answers at once');
  return answer;
};

/** A hand may meet a machine or a disk that is not in a state for it, or gone: nothing happens. */
const unlessRefused = (effect: () => void): void => {
  try {
    effect();
  } catch (error) {
    if (!(error instanceof Ec2Refusal)) throw error;
  }
};

/** EC2 refuses a function's call with this code. Thrown inside an `ec2` hook. */
export const refuseCall = (code: string): never => {
  throw new Ec2Refusal(code, `${code}, by the simulator`);
};
