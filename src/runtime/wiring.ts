import { AutoScalingClient } from '@aws-sdk/client-auto-scaling';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EC2Client } from '@aws-sdk/client-ec2';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SFNClient } from '@aws-sdk/client-sfn';
import type * as z from 'zod';
import { createAutoScaling } from '../adapters/auto-scaling/groups.ts';
import { createHooks } from '../adapters/auto-scaling/hooks.ts';
import { type AwsClientOptions, awsClientOptions } from '../adapters/aws-sdk/client-options.ts';
import { createOrchestrator } from '../adapters/dcos/orchestrator.ts';
import { createPace } from '../adapters/dynamodb/pace-ledger.ts';
import type { LedgerDeps } from '../adapters/dynamodb/table.ts';
import { asDryRun } from '../adapters/ec2/dry-run.ts';
import { createInterruptions } from '../adapters/ec2/interruptions.ts';
import { createEc2Reads } from '../adapters/ec2/reads.ts';
import { createPhaseEvents } from '../adapters/event-bus/phase-events.ts';
import { createHttpSend } from '../adapters/http/send.ts';
import { createFunctions } from '../adapters/lambda/functions.ts';
import { createSecrets } from '../adapters/secrets-manager/secrets.ts';
import {
  createAnswers,
  createExecutions,
  createWorkflow,
} from '../adapters/step-functions/workflow.ts';
import { systemClock } from '../adapters/system/system-clock.ts';
import type * as sections from '../config/sections.ts';
import { clusterTagKey, type Scope } from '../domain/scope.ts';
import type { AutoScaling, LifecycleHooks } from '../ports/auto-scaling.ts';
import type { ComputeReads, Interruptions } from '../ports/compute.ts';
import type { PhaseEvents } from '../ports/events.ts';
import type { HttpSend } from '../ports/http.ts';
import type { Orchestrator } from '../ports/orchestrator.ts';
import type { Pace } from '../ports/pace.ts';
import type { Functions, Workflow } from '../ports/workflow.ts';
import type { Platform } from './function-module.ts';
import type { Telemetry } from './telemetry.ts';

/**
 * What the files in functions/ plug together, one small maker per adapter: a bundle holds only
 * those its function uses.
 */
type Config<Name extends keyof typeof sections> = Readonly<z.infer<(typeof sections)[Name]>>;

/**
 * Shorter than any function's timeout, so that a lost answer surfaces as an error of ours that the
 * workflow can tell from a crash. EC2 answers within 300 ms at p99 on a good day.
 */
const callTimeoutMs = 10_000;

/** The platform's door to the network, or a real one. */
export const networkOf = (platform: Platform, caCertificate = 'system'): HttpSend =>
  platform.send ?? createHttpSend({ timeoutMs: callTimeoutMs, caCertificate });

/** How the function's AWS clients are made: by its role, through the one door. */
export const awsOptions = (aws: Config<'aws'>, platform: Platform): AwsClientOptions =>
  awsClientOptions({ ...aws, send: networkOf(platform) });

export const ledgerOn = (options: AwsClientOptions, { tableName }: Config<'ledger'>) => ({
  client: new DynamoDBClient(options),
  table: tableName,
});

type Parts<All extends readonly object[]> = All extends readonly [
  infer First,
  ...infer Rest extends readonly object[],
]
  ? First & Parts<Rest>
  : unknown;

/** The parts of the ledger a function uses, as one object. */
export const ledgerOf = <const All extends readonly object[]>(...parts: All): Parts<All> => {
  const methods = parts.flatMap((part) =>
    Object.entries(Object.getOwnPropertyDescriptors(Object.getPrototypeOf(part)))
      .filter(([name, { value }]) => name !== 'constructor' && typeof value === 'function')
      .map(([name, { value }]) => [name, value.bind(part)] as const),
  );
  return Object.fromEntries(methods) as Parts<All>;
};

/** Turns at EC2's buckets, of which the share in `pace` is ours. */
export const paceOf = (
  table: LedgerDeps,
  config: { readonly pace: Config<'pace'>; readonly scope: Scope },
): Pace => createPace({ ...table, cluster: config.scope.cluster, ...config.pace });

export const ec2Client = (options: AwsClientOptions): EC2Client => new EC2Client(options);

/** Asks EC2 whether it would do what it is told, and never has it done. */
export const askingClient = (options: AwsClientOptions): EC2Client => asDryRun(ec2Client(options));

export const readsOf = (client: EC2Client, scope: Scope): ComputeReads =>
  createEc2Reads({ client, clusterTag: { key: clusterTagKey, value: scope.cluster } });

/** The reads, and what EC2 takes back: the shapes of Spot requests are large, and few ask. */
export const readsAheadOf = (client: EC2Client, scope: Scope): ComputeReads & Interruptions => ({
  ...readsOf(client, scope),
  ...createInterruptions({ client }),
});

export const hooksOf = (options: AwsClientOptions): LifecycleHooks =>
  createHooks({ client: new AutoScalingClient(options) });

export const groupsOf = (options: AwsClientOptions): AutoScaling =>
  createAutoScaling({ client: new AutoScalingClient(options) });

export const workflowOf = (
  options: AwsClientOptions,
  { stateMachineArns }: Config<'workflow'>,
): Workflow => createWorkflow({ client: new SFNClient(options), stateMachineArns });

export const answersOf = (options: AwsClientOptions): Pick<Workflow, 'answer'> =>
  createAnswers({ client: new SFNClient(options) });

export const executionsOf = (options: AwsClientOptions): Pick<Workflow, 'status'> =>
  createExecutions({ client: new SFNClient(options) });

export const lambdaClient = (options: AwsClientOptions): LambdaClient => new LambdaClient(options);

export const functionsOf = (
  client: LambdaClient,
  { functionNames }: Config<'warming'>,
  { log, metrics }: Telemetry,
): Functions => createFunctions({ client, names: functionNames, log, metrics });

export const eventsOf = (
  options: AwsClientOptions,
  { busName }: Config<'events'>,
  { log, metrics }: Telemetry,
): PhaseEvents =>
  createPhaseEvents({ client: new EventBridgeClient(options), bus: busName, log, metrics });

const secretsOf = (options: AwsClientOptions) =>
  createSecrets({ client: new SecretsManagerClient(options), clock: systemClock });

/** Reads one secret whenever it is needed; the secret itself is kept for five minutes. */
export const secretOf = (options: AwsClientOptions, id: string): (() => Promise<string>) => {
  const secrets = secretsOf(options);
  return () => secrets.read(id);
};

export const orchestratorOf = (
  options: AwsClientOptions,
  { url, tokenSecretId, caCertificate }: Config<'dcos'>,
  platform: Platform,
): Orchestrator =>
  createOrchestrator({
    send: networkOf(platform, caCertificate),
    baseUrl: url,
    callTimeoutMs,
    ...(tokenSecretId === undefined ? {} : { token: secretOf(options, tokenSecretId) }),
  });
