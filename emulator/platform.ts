import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { createEventFactory } from './core/aws-event.ts';
import type { Rng } from './core/random.ts';
import type { Clock } from './core/virtual-time.ts';
import type { Service } from './core/wire.ts';
import type { FunctionSpec, Infra } from './infra.ts';
import { createNetwork, type LatencyTable, type Network, type NetworkFaults } from './network.ts';
import { createRouter, type ServiceName } from './routing.ts';
import { createDynamoDb, type DynamoDb } from './services/dynamodb/dynamodb.ts';
import type { MemoryHooks } from './services/dynamodb/memory-engine.ts';
import { createEventBridge, type EventBridge, type EventFaults } from './services/events/events.ts';
import { createIam, type Iam } from './services/iam/iam.ts';
import { createLambdaService, type LambdaService } from './services/lambda/api.ts';
import type { CreateHandler } from './services/lambda/environment.ts';
import { createEventSources } from './services/lambda/event-sources.ts';
import {
  createLambdaFunctions,
  type LambdaFaults,
  type LambdaFunctions,
} from './services/lambda/lambda.ts';
import { createScheduler, type Scheduler } from './services/scheduler/scheduler.ts';
import {
  createSecretsManager,
  type SecretsManager,
} from './services/secretsmanager/secrets-manager.ts';
import type { SlackWorkspace } from './services/slack/model.ts';
import { createSlack, type Slack } from './services/slack/slack.ts';
import { createSns, type Sns } from './services/sns/sns.ts';
import { createSqs, type Sqs } from './services/sqs/sqs.ts';
import { readDefinition } from './services/states/definition.ts';
import type { Execution, Machine } from './services/states/execution.ts';
import { createStates, type States } from './services/states/states.ts';
import { createSts } from './services/sts/sts.ts';

/** One line of what happened, in order; two runs of one seed give the same lines. */
export interface TraceLine {
  /** Epoch ms. */
  at: number;
  source: string;
  text: string;
  data?: unknown;
}

/** `latency.json` as far as the platform reads it. */
export interface PlatformLatency {
  calls: LatencyTable;
  deliveries: Record<'eventBridgeToTarget' | 'stepFunctionsToLambda', { p50: number; p99: number }>;
  coldStart: { ms: number; idleMinutes: number };
}

/** Trouble that may be switched on and off while the world runs. */
export type Faults = NetworkFaults & EventFaults & LambdaFaults;

export interface Platform {
  network: Network;
  iam: Iam;
  lambda: LambdaFunctions & LambdaService;
  states: States;
  events: EventBridge;
  scheduler: Scheduler;
  dynamodb: DynamoDb;
  sns: Sns;
  sqs: Sqs;
  secrets: SecretsManager;
  slack: Slack;
  /** Puts a service behind its host name; before that its host refuses connections. */
  attach(name: ServiceName, service: Service): void;
  trace: TraceLine[];
}

/**
 * Imports every handler module of the function list. Done before time moves, because an import is
 * real work that the clock does not wait for. Throws for a module without `createHandler`.
 */
export const loadModules = async (
  root: string,
  functions: readonly FunctionSpec[],
): Promise<Map<string, CreateHandler>> => {
  const modules = new Map<string, CreateHandler>();
  for (const { key, handler } of functions) {
    const path = `${handler.slice(0, handler.lastIndexOf('.'))}.ts`;
    const exported: { createHandler?: unknown } = await import(
      pathToFileURL(join(root, path)).href
    );
    if (typeof exported.createHandler !== 'function') {
      throw new Error(`${path} exports no createHandler`);
    }
    modules.set(key, exported.createHandler as CreateHandler);
  }
  return modules;
};

/** `FailoverStateMachine` -> `statemachines/failover.asl.json`. */
const definitionFile = (root: string, logicalId: string): string => {
  const name = logicalId.replace(/StateMachine$/, '');
  const kebab = name.replaceAll(/(?<=.)([A-Z])/g, '-$1').toLowerCase();
  return join(root, 'statemachines', `${kebab}.asl.json`);
};

const readMachines = (root: string, infra: Infra, iam: Iam, createdAt: number): Machine[] =>
  infra.ofType('AWS::StepFunctions::StateMachine').map(({ logicalId, arn, properties }) => {
    const source = readFileSync(definitionFile(root, logicalId), 'utf8');
    const substitutions = (properties.DefinitionSubstitutions ?? {}) as Record<string, string>;
    const roleArn = String(properties.RoleArn);
    return {
      arn,
      name: arn.slice(arn.lastIndexOf(':') + 1),
      roleArn,
      accessKeyId: iam.accessKeyId(roleArn),
      definition: readDefinition(source, substitutions),
      createdAt,
    };
  });

/** `Step Functions Execution Status Change`, as Step Functions tells the default bus. */
const statusEvent = ({ arn, name, machine, status, startedAt, stoppedAt, input }: Execution) => ({
  source: 'aws.states',
  detailType: 'Step Functions Execution Status Change',
  resources: [arn],
  detail: {
    executionArn: arn,
    stateMachineArn: machine.arn,
    name,
    status,
    startDate: startedAt,
    stopDate: stoppedAt ?? null,
    input,
    inputDetails: { included: true },
  },
});

export interface PlatformDeps {
  /** The folder that holds infra/, statemachines/ and functions/. */
  root: string;
  time: Clock;
  rng: Rng;
  infra: Infra;
  modules: ReadonlyMap<string, CreateHandler>;
  latency: PlatformLatency;
  dcosHost: string;
  slack: SlackWorkspace;
  faults: Faults;
  /** Tables in plain memory that may be watched and made to lag, instead of dynalite's. */
  tables?: MemoryHooks;
}

const createServices = (
  deps: PlatformDeps & {
    network: Network;
    iam: Iam;
    tell: (source: string, text: string, data?: unknown) => void;
  },
) => {
  const { root, time, infra, latency, faults, network, iam, tell } = deps;
  const { account, region } = infra;
  const fork = (label: string): Rng => deps.rng.fork(label);
  const sqs = createSqs({ time, rng: fork('sqs'), iam, queues: infra.ofType('AWS::SQS::Queue') });
  const sns = createSns({ time, rng: fork('sns'), iam, topics: infra.ofType('AWS::SNS::Topic') });
  const functions = createLambdaFunctions({
    time,
    rng: fork('lambda'),
    region,
    functions: infra.functions,
    modules: deps.modules,
    accessKeyId: iam.accessKeyId,
    send: network.send,
    log: (line, key) => tell(key, 'log', line),
    coldStart: latency.coldStart,
    faults,
  });
  const common = { time, infra, iam, sqs, functions };
  const lambdaApi = createLambdaService({ ...common, rng: fork('lambda-api') });
  const lambda = { ...functions, ...lambdaApi };
  const events = createEventBridge({
    ...common,
    rng: fork('events'),
    lambda,
    latency: latency.deliveries.eventBridgeToTarget,
    faults,
  });
  const states = createStates({
    time,
    rng: fork('states'),
    iam,
    functions,
    latency: latency.deliveries.stepFunctionsToLambda,
    machines: readMachines(root, infra, iam, time.now()),
  });
  const dynamodb = createDynamoDb({
    time,
    rng: fork('dynamodb'),
    iam,
    account,
    region,
    tables: infra.ofType('AWS::DynamoDB::Table'),
    ...(deps.tables === undefined ? {} : { memory: deps.tables }),
  });
  const secrets = createSecretsManager({ time, rng: fork('secrets'), iam, account, region });
  const slack = createSlack({
    time,
    send: network.send,
    interactivityUrl: lambda.urlOf('slackActions'),
    ...deps.slack,
  });
  createEventSources(common);
  const scheduler = createScheduler({ ...common, rng: fork('scheduler'), lambda });
  const awsEvent = createEventFactory({ time, rng: fork('status-events'), account, region });
  states.onStatus((execution) => events.publish(awsEvent(statusEvent(execution))));
  states.onTransition(({ kind, state, error }) =>
    tell('workflow', `${kind} ${state ?? ''}`, error),
  );
  events.onDelivery(({ rule, outcome, event }) => tell('events', `${rule} ${outcome}`, event.id));

  return { lambda, states, events, scheduler, dynamodb, sns, sqs, secrets, slack };
};

/**
 * The serverless half of the emulated cloud: everything that infra/ declares, wired as deployed.
 * EC2, Auto Scaling and the cluster are attached to its network from outside.
 */
export const createPlatform = (deps: PlatformDeps): Platform => {
  const { time, infra, latency, faults } = deps;
  const trace: TraceLine[] = [];
  const tell = (source: string, text: string, data?: unknown): void => {
    trace.push(
      data === undefined
        ? { at: time.now(), source, text }
        : { at: time.now(), source, text, data },
    );
  };

  const iam = createIam(infra);
  const services: Partial<Record<ServiceName, Service>> = {};
  const network = createNetwork({
    time,
    rng: deps.rng.fork('network'),
    latency: latency.calls,
    route: createRouter({ region: infra.region, dcosHost: deps.dcosHost }),
    services,
    faults,
    onAnswer: ({ service, operation, functionName = 'outside', status }) =>
      tell(functionName, `${service} ${operation}`, status),
  });
  const api = createServices({ ...deps, network, iam, tell });
  const { lambda, states, events, dynamodb, sns, sqs, secrets, slack } = api;
  Object.assign(services, { lambda, states, events, dynamodb, sns, sqs, slack });
  services.secretsmanager = secrets;
  services.sts = createSts({ infra, rng: deps.rng.fork('sts') });
  return {
    ...api,
    network,
    iam,
    trace,
    attach: (name, service) => {
      services[name] = service;
    },
  };
};
