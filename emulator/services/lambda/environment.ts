import { AsyncLocalStorage } from 'node:async_hooks';
import type { WireResponse } from '../../core/wire.ts';
import type { FunctionSpec } from '../../infra.ts';
import type { Origin, SendRequest } from '../../network.ts';
import type { Invocation } from './invocation.ts';

/** What Lambda hands a handler beside the event. */
export interface LambdaContext {
  functionName: string;
  invokedFunctionArn: string;
  awsRequestId: string;
  getRemainingTimeInMillis(): number;
}
export type Handler = (event: unknown, context: LambdaContext) => Promise<unknown>;

/** The handler's only way out: its network and its log. */
export interface Platform {
  send(request: SendRequest): Promise<WireResponse>;
  log(line: string): void;
}

/** What a function module exports; called once per cold start, so all state of a handler is in it. */
export type CreateHandler = (
  env: Record<string, string | undefined>,
  platform: Platform,
) => Handler;

/** One execution environment: a handler instance that runs one invocation at a time. */
export interface Environment {
  handler: Handler;
  /** Counts from 1 over all functions. */
  id: number;
  /** Availability zone of the machine it is on. */
  zone: string;
  busy: boolean;
  /** Epoch ms. */
  lastUsedAt: number;
}

const current = new AsyncLocalStorage<Invocation>();

/** The invocation whose code runs right now, if any does. */
export const currentInvocation = (): Invocation | undefined => current.getStore();

/** Runs a handler so that everything it starts, however late, is known to be its own. */
export const runAttributed = (
  invocation: Invocation,
  run: () => Promise<unknown>,
): Promise<unknown> => current.run(invocation, run);

/** A fresh environment: the function's own variables and its role's credentials, nothing more. */
export const createEnvironment = (deps: {
  spec: FunctionSpec;
  create: CreateHandler;
  region: string;
  place: Pick<Environment, 'id' | 'zone'>;
  accessKeyId: string;
  send: (request: SendRequest, origin?: Origin) => Promise<WireResponse>;
  log: (line: string) => void;
  now: number;
}): Environment => {
  const { spec, region, accessKeyId, send, log } = deps;
  const env = {
    ...spec.environment,
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    AWS_LAMBDA_FUNCTION_NAME: spec.name,
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: 'emulated',
    AWS_SESSION_TOKEN: 'emulated',
  };
  const handler = deps.create(env, { send: (request) => send(request, current.getStore()), log });
  return { handler, ...deps.place, busy: false, lastUsedAt: deps.now };
};
