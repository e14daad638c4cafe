import { fileURLToPath } from 'node:url';
import { createDurations, type Durations } from './core/durations.ts';
import { Ec2Refusal } from './core/machines.ts';
import { createRng } from './core/random.ts';
import type { Clock } from './core/virtual-time.ts';
import { createDcos, type Dcos } from './dcos/dcos.ts';
import type { RexraySettings } from './dcos/rexray.ts';
import { type Infra, loadInfra } from './infra.ts';
import latency from './latency.json' with { type: 'json' };
import { createPlatform, type Faults, loadModules, type Platform } from './platform.ts';
import { createZonalShifts, type ZonalShifts } from './services/arc/zonal-shifts.ts';
import { type AutoScaling, createAutoScaling } from './services/autoscaling/autoscaling.ts';
import { type Alarms, createAlarms } from './services/cloudwatch/alarms.ts';
import type { MemoryHooks } from './services/dynamodb/memory-engine.ts';
import type { Authorize } from './services/ec2/action.ts';
import { createEc2, type Ec2 } from './services/ec2/ec2.ts';
import { createHealth, type Health } from './services/health/health.ts';
import type { Iam } from './services/iam/iam.ts';
import type { CreateHandler } from './services/lambda/environment.ts';
import type { SlackWorkspace } from './services/slack/model.ts';

export interface WorldOptions {
  /** Decides every duration, latency, id and order in this world. */
  seed: number;
  time: Clock;
  account?: string;
  region?: string;
  /** `2.1`, `1.12.4`; a minor alone means its newest patch. */
  dcosVersion?: string;
  /** How the agents' storage driver is set. */
  rexray?: Partial<RexraySettings>;
  /** False leaves DC/OS and EC2 alone with the failure: nothing of infra/ is deployed. */
  withFailover?: boolean;
  /** Deploys something else of the template than the whole service. */
  deploy?: (template: Infra) => Deployment;
  /** CloudFormation parameters, over the defaults of infra/parameters.yml and of this world. */
  parameters?: Readonly<Record<string, string>>;
  /** What is different of the Slack workspace. */
  slack?: Partial<SlackWorkspace>;
  /** Tables in plain memory instead of dynalite's: quicker, and they may be watched. */
  tables?: MemoryHooks;
}

/** What is deployed in the account, and the handlers of its functions by key. */
export interface Deployment {
  infra: Infra;
  modules: ReadonlyMap<string, CreateHandler>;
}

export interface World extends Platform {
  time: Clock;
  infra: Infra;
  durations: Durations;
  ec2: Ec2;
  autoscaling: AutoScaling;
  alarms: Alarms;
  health: Health;
  zonalShifts: ZonalShifts;
  dcos: Dcos;
  /** Switches for trouble on the network and on the event bus. */
  faults: Faults;
}

const ROOT = fileURLToPath(new URL('..', import.meta.url));
/** Ana may press by herself, Ben because he is on call, Eve not. */
const SLACK = {
  token: 'xoxb-emulated',
  channels: ['C0FAILOVER'],
  signingSecret: 'emulated-signing-secret',
  people: { U0ANA: 'ana', U0BEN: 'ben', U0EVE: 'eve' },
  groups: { S0ONCALL: ['U0BEN'] },
};
const SLACK_SECRET = 'ebs-failover/slack-token';
const SIGNING_SECRET = 'ebs-failover/slack-signing-secret';

/** What an operator of this world has set. */
const PARAMETERS = {
  ClusterName: 'demo',
  DcosUrl: 'https://dcos.internal',
  SlackChannel: 'C0FAILOVER',
  SlackTokenSecretId: SLACK_SECRET,
  SlackSigningSecretId: SIGNING_SECRET,
  SlackOperators: 'U0ANA,S0ONCALL',
};

const deployed = async (template: Infra, options: WorldOptions): Promise<Deployment> => {
  if (options.deploy !== undefined) return options.deploy(template);
  if (options.withFailover === false) {
    const infra = { ...template, functions: [], ofType: () => [] };
    return { infra, modules: new Map() };
  }
  return { infra: template, modules: await loadModules(ROOT, template.functions) };
};

const authorizer =
  (iam: Iam): Authorize =>
  (action, resources, caller, context) => {
    const why = iam.denial(action, resources, caller, context);
    if (why) throw new Ec2Refusal('UnauthorizedOperation', why);
  };

/**
 * The whole emulated cloud, assembled: EC2 and EBS, the DC/OS cluster on it, and the service
 * deployed beside them from the very files in infra/, statemachines/ and functions/. Still empty
 * of machines and apps: a scene seeds them through `ec2` and `dcos`. Call it before time runs:
 * handlers are imported and tables created here. Throws InfraError for bad parameters.
 */
export const createWorld = async (options: WorldOptions): Promise<World> => {
  const { seed, time, account = '123456789012', region = 'us-east-1' } = options;
  const parameters = { ...PARAMETERS, ...options.parameters };
  const template = loadInfra({
    folder: `${ROOT}/infra`,
    account,
    region,
    stack: 'ebs-failover-main',
    parameters,
  });
  const { infra, modules } = await deployed(template, options);
  const rng = createRng(seed);
  const durations = createDurations(seed, latency.world);
  const faults: Faults = {};
  const platform = createPlatform({
    root: ROOT,
    time,
    rng: rng.fork('platform'),
    infra,
    modules,
    latency,
    dcosHost: new URL(parameters.DcosUrl).host,
    slack: { ...SLACK, ...options.slack },
    faults,
    ...(options.tables === undefined ? {} : { tables: options.tables }),
  });
  const { events, trace, iam } = platform;
  const aws = { time, account, region, emit: events.publish };
  const authorize = authorizer(iam);
  const health = createHealth({ ...aws, rng: rng.fork('health') });
  const zonalShifts = createZonalShifts({ ...aws, rng: rng.fork('zonal-shifts') });
  const ec2 = createEc2({ ...aws, rng: rng.fork('ec2'), durations, health, authorize });
  const dcos = createDcos({
    time,
    rng: rng.fork('cluster'),
    machines: ec2,
    durations,
    ...(options.dcosVersion === undefined ? {} : { version: options.dcosVersion }),
    ...(options.rexray === undefined ? {} : { rexray: options.rexray }),
    trace: (line) => trace.push(line),
  });
  const alarms = createAlarms({ ...aws, rng: rng.fork('alarms'), ec2 });
  const autoscaling = createAutoScaling({ ...aws, rng: rng.fork('groups'), ec2, authorize });
  platform.attach('ec2', ec2);
  platform.attach('autoscaling', autoscaling);
  for (const part of ['mesos', 'marathon', 'agent', 'dcos'] as const) platform.attach(part, dcos);
  platform.secrets.put(SLACK_SECRET, SLACK.token);
  platform.secrets.put(SIGNING_SECRET, SLACK.signingSecret);
  await platform.dynamodb.ready();
  platform.scheduler.start();
  return {
    ...platform,
    time,
    infra,
    durations,
    ec2,
    autoscaling,
    alarms,
    health,
    zonalShifts,
    dcos,
    faults,
  };
};
