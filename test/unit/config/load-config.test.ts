import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { Environment } from '../../../src/config/environment.ts';
import { loadConfig } from '../../../src/config/load-config.ts';
import * as sections from '../../../src/config/sections.ts';
import * as slackSections from '../../../src/config/slack-sections.ts';
import { ConfigError } from '../../../src/domain/errors.ts';

const certificate = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n';
const stateMachineArn = 'arn:aws:states:eu-central-1:210987654321:stateMachine:ebs-failover-demo';

const storm = {
  STORM_LIMIT: '4',
  STORM_LIMIT_PERCENT: '30',
  STORM_WINDOW_SECONDS: '900',
  STORM_COOL_DOWN_SECONDS: '300',
};
const stormPolicy = {
  stormLimit: 4,
  stormLimitPercent: 30,
  stormWindowMs: 900_000,
  stormCoolDownMs: 300_000,
};

/** A whole and right environment of each section. */
const right = {
  aws: { AWS_REGION: 'eu-central-1', AWS_ACCESS_KEY_ID: 'AK', AWS_SECRET_ACCESS_KEY: 'hush' },
  home: { ACCOUNT_ID: '210987654321', AWS_REGION: 'eu-central-1' },
  cluster: { CLUSTER_NAME: 'demo' },
  scope: { CLUSTER_NAME: 'demo', AGENT_TAG: 'role=mesos-slave' },
  ledger: { LEDGER_TABLE: 'demo-ledger' },
  events: { EVENT_BUS: 'demo-bus' },
  dcos: {
    DCOS_URL: 'https://dcos.internal',
    DCOS_TOKEN_SECRET_ID: 'dcos/token',
    DCOS_CA_CERTIFICATE: certificate,
  },
  policy: {
    IMPAIRED_GRACE_SECONDS: '60',
    FENCE_TERMINATE: 'never',
    WEAK_FENCE: 'hold',
    WEAK_FENCE_SETTLE_SECONDS: '90',
    FORCE_DETACH: 'after-proof',
    PARTIAL_DEADLINE_SECONDS: '240',
    REXRAY_PREEMPT: 'off',
    PARTITIONED_AGENT: 'ask',
    PARTITIONED_GRACE_SECONDS: '120',
    BLIND_LIMIT: '3',
    BLIND_LIMIT_PERCENT: '25',
    ...storm,
    BLOCK_PERIOD_SECONDS: '600',
    DRAIN_RESERVE_SECONDS: '45',
  },
  drain: { DRAIN_LEAD_SECONDS: '86400', DRAIN_GRACE_SECONDS: '0' },
  pace: { EC2_BUCKET_SHARE_PERCENT: '70' },
  grace: { IMPAIRED_GRACE_SECONDS: '60', ...storm },
  returned: { RETURNED_AGENT: 'quarantine' },
  alerts: {
    ALERT_TOPIC_ARN: 'arn:aws:sns:eu-central-1:210987654321:pagers',
    AWS_REGION: 'eu-central-1',
  },
  approvals: { APPROVAL_VERDICTS: 'Partitioned,Impaired', APPROVAL_SECONDS: '600' },
  workflow: {
    FAILOVER_STATE_MACHINE_ARN: stateMachineArn,
    DRAIN_STATE_MACHINE_ARN: `${stateMachineArn}_drain`,
  },
  warming: { WARM_FUNCTIONS: 'demo-openIncident,demo-assessAgent' },
  adoption: { ADOPT_FUNCTION: 'demo-adopt' },
  slack: { SLACK_CHANNEL: 'C0123456789', SLACK_TOKEN_SECRET_ID: 'slack/token' },
  self: { AWS_LAMBDA_FUNCTION_NAME: 'demo-slackActions' },
  desk: {
    OPERATE_FUNCTION: 'demo-operate',
    LOOK_FUNCTION: 'demo-look',
    NOTIFY_FUNCTION: 'demo-notify',
  },
  slackActions: {
    SLACK_TOKEN_SECRET_ID: 'slack/token',
    SLACK_SIGNING_SECRET_ID: 'slack/signing',
    SLACK_OPERATORS: 'U0ANA,S0ONCALL,W0BEN',
  },
} satisfies Record<Name, Environment>;

const all = { ...sections, ...slackSections };
type Name = keyof typeof all;
const byName: Record<Name, sections.Section> = all;
const read = (name: Name, env: Environment): unknown => loadConfig(env, { it: byName[name] }).it;

const problemsOf = (name: Name, env: Environment): readonly string[] => {
  try {
    read(name, env);
  } catch (error) {
    if (error instanceof ConfigError) return error.details.problems;
    throw error;
  }
  return [];
};

describe('a whole and right environment', () => {
  it.each([
    [
      'aws',
      { region: 'eu-central-1', credentials: { accessKeyId: 'AK', secretAccessKey: 'hush' } },
    ],
    ['home', { account: '210987654321', region: 'eu-central-1' }],
    ['cluster', { name: 'demo' }],
    ['scope', { cluster: 'demo', agentTag: { key: 'role', value: 'mesos-slave' } }],
    ['grace', { impairedGraceMs: 60_000, ...stormPolicy }],
    ['ledger', { tableName: 'demo-ledger' }],
    ['events', { busName: 'demo-bus' }],
    [
      'dcos',
      { url: 'https://dcos.internal', tokenSecretId: 'dcos/token', caCertificate: certificate },
    ],
    [
      'policy',
      {
        impairedGraceMs: 60_000,
        fenceTerminate: 'never',
        weakFence: 'hold',
        weakFenceSettleMs: 90_000,
        forceDetach: 'after-proof',
        partialDeadlineMs: 240_000,
        rexrayPreempt: 'off',
        partitionedAgent: 'ask',
        partitionedGraceMs: 120_000,
        blindLimit: 3,
        blindLimitPercent: 25,
        ...stormPolicy,
        blockPeriodMs: 600_000,
        drainReserveMs: 45_000,
      },
    ],
    ['drain', { leadMs: 86_400_000, graceMs: 0 }],
    ['approvals', { verdicts: ['Impaired', 'Partitioned'], waitMs: 600_000 }],
    [
      'workflow',
      { stateMachineArns: { failover: stateMachineArn, drain: `${stateMachineArn}_drain` } },
    ],
    ['warming', { functionNames: ['demo-openIncident', 'demo-assessAgent'] }],
    ['adoption', { functionName: 'demo-adopt' }],
    ['slack', { kind: 'on', channel: 'C0123456789', tokenSecretId: 'slack/token' }],
    ['self', { functionName: 'demo-slackActions' }],
    ['desk', { operate: 'demo-operate', look: 'demo-look', notify: 'demo-notify' }],
    [
      'slackActions',
      {
        kind: 'on',
        signingSecretId: 'slack/signing',
        tokenSecretId: 'slack/token',
        users: ['U0ANA', 'W0BEN'],
        groups: ['S0ONCALL'],
      },
    ],
  ] as const)('reads as %s', (name, config) => {
    expect(read(name, right[name])).toEqual(config);
  });

  it('reads none and system as nothing', () => {
    const nothing = { DCOS_TOKEN_SECRET_ID: 'none', DCOS_CA_CERTIFICATE: 'system' };
    expect(read('dcos', { ...right.dcos, ...nothing })).toEqual({ url: 'https://dcos.internal' });
    const silent = { SLACK_CHANNEL: 'none', SLACK_TOKEN_SECRET_ID: 'none' };
    expect(read('slack', silent)).toEqual({ kind: 'off' });
    const nobody = { SLACK_SIGNING_SECRET_ID: 'none', SLACK_OPERATORS: 'none' };
    expect(read('slackActions', { ...right.slackActions, ...nobody })).toEqual({ kind: 'off' });
  });

  it('leaves credentials to the SDK where the environment has none', () => {
    expect(read('aws', { AWS_REGION: 'eu-central-1' })).toEqual({ region: 'eu-central-1' });
  });

  it('is frozen, all the way down', () => {
    const config = loadConfig(right.scope, { scope: sections.scope });
    expect([config, config.scope, config.scope.agentTag].every(Object.isFrozen)).toBe(true);
  });
});

const required = Object.entries(right).flatMap(([name, env]) =>
  Object.keys(env)
    .filter((key) => !key.includes('ACCESS_KEY'))
    .map((key) => ({ name: name as Name, key })),
);

describe('a missing or wrong setting', () => {
  it.each(required)('$name names the missing $key and the fix', ({ name, key }) => {
    const problems = problemsOf(name, { ...right[name], [key]: undefined });
    expect(problems).toEqual([
      expect.stringMatching(new RegExp(`^${key} is missing: set it to .`)),
    ]);
  });

  it.each(required)('$name names the empty $key and the fix', ({ name, key }) => {
    const problems = problemsOf(name, { ...right[name], [key]: '' });
    expect(problems).toEqual([expect.stringMatching(new RegExp(`^${key} is wrong: set it to .`))]);
  });

  it.each([
    ['aws', 'AWS_REGION', 'Frankfurt'],
    ['home', 'ACCOUNT_ID', '21098765432'],
    ['cluster', 'CLUSTER_NAME', 'Demo'],
    ['scope', 'CLUSTER_NAME', '*'],
    ['scope', 'AGENT_TAG', 'role'],
    ['scope', 'AGENT_TAG', 'role=*'],
    ['scope', 'AGENT_TAG', 'role=a=b'],
    ['scope', 'AGENT_TAG', '=mesos-slave'],
    ['ledger', 'LEDGER_TABLE', 'a table'],
    ['dcos', 'DCOS_URL', 'dcos.internal'],
    ['dcos', 'DCOS_URL', 'https://dcos.internal/'],
    ['dcos', 'DCOS_TOKEN_SECRET_ID', 'two words'],
    ['dcos', 'DCOS_CA_CERTIFICATE', '/etc/ca.pem'],
    ['policy', 'IMPAIRED_GRACE_SECONDS', '901'],
    ['policy', 'IMPAIRED_GRACE_SECONDS', '-1'],
    ['policy', 'IMPAIRED_GRACE_SECONDS', '1e2'],
    ['policy', 'FENCE_TERMINATE', 'always'],
    ['policy', 'WEAK_FENCE', 'HOLD'],
    ['policy', 'WEAK_FENCE_SETTLE_SECONDS', '29'],
    ['policy', 'FORCE_DETACH', 'true'],
    ['policy', 'PARTIAL_DEADLINE_SECONDS', '9'],
    ['policy', 'PARTIAL_DEADLINE_SECONDS', '241'],
    ['policy', 'REXRAY_PREEMPT', 'false'],
    ['policy', 'PARTITIONED_AGENT', 'hold'],
    ['policy', 'STORM_LIMIT', '0'],
    ['policy', 'STORM_LIMIT', '3.5'],
    ['returned', 'RETURNED_AGENT', 'ignore'],
    ['approvals', 'APPROVAL_VERDICTS', 'Impaired, Down'],
    ['approvals', 'APPROVAL_VERDICTS', 'Blind'],
    ['approvals', 'APPROVAL_VERDICTS', ''],
    ['approvals', 'APPROVAL_SECONDS', '59'],
    ['workflow', 'FAILOVER_STATE_MACHINE_ARN', 'ebs-failover-demo'],
    ['warming', 'WARM_FUNCTIONS', 'demo-openIncident,'],
    ['slack', 'SLACK_CHANNEL', '#incidents'],
    ['slackActions', 'SLACK_OPERATORS', '@ana'],
    ['slackActions', 'SLACK_OPERATORS', 'U0ANA,'],
    ['alerts', 'ALERT_TOPIC_ARN', 'pagers'],
    ['alerts', 'ALERT_TOPIC_ARN', 'arn:aws:sns:eu-central-1:210987654321:pagers.fifo'],
  ] as const)('%s does not take %s=%s', (name, key, value) => {
    const problems = problemsOf(name, { ...right[name], [key]: value });
    expect(problems).toEqual([expect.stringMatching(new RegExp(`^${key} is wrong: set it to .`))]);
  });

  it('does not page into another region, where nobody would hear it', () => {
    const there = { ...right.alerts, ALERT_TOPIC_ARN: 'arn:aws:sns:us-east-1:210987654321:pagers' };
    expect(problemsOf('alerts', there)).toEqual([
      expect.stringMatching(/^ALERT_TOPIC_ARN is in another region: set it to/),
    ]);
  });

  it('does not turn half of a credential into another one', () => {
    const { AWS_SECRET_ACCESS_KEY: _gone, ...half } = right.aws;
    expect(problemsOf('aws', half)).toEqual([expect.stringMatching(/^AWS_SECRET_ACCESS_KEY is/)]);
  });

  it.each(['SLACK_CHANNEL', 'SLACK_TOKEN_SECRET_ID'])(
    'does not silence Slack by %s alone',
    (key) => {
      expect(problemsOf('slack', { ...right.slack, [key]: 'none' })).toEqual([
        expect.stringMatching(new RegExp(`^${key} is "none" although`)),
      ]);
    },
  );

  it.each([
    ['SLACK_SIGNING_SECRET_ID', 'SLACK_OPERATORS'],
    ['SLACK_OPERATORS', 'SLACK_SIGNING_SECRET_ID'],
    ['SLACK_TOKEN_SECRET_ID', 'SLACK_OPERATORS'],
  ])('does not take buttons apart by %s alone', (key, other) => {
    expect(problemsOf('slackActions', { ...right.slackActions, [key]: 'none' })).toEqual([
      expect.stringMatching(new RegExp(`^${key} is "none" although ${other} is set`)),
    ]);
  });

  it('is told together with every other one, and once', () => {
    const { AWS_REGION: _gone, ...env } = { ...right.aws, ...right.home, ...right.policy };
    const load = (): unknown =>
      loadConfig(
        { ...env, WEAK_FENCE: 'maybe' },
        { aws: sections.aws, home: sections.home, policy: sections.policy },
      );
    expect(load).toThrow(
      'configuration: AWS_REGION is missing: set it to an AWS region such as us-east-1; ' +
        'WEAK_FENCE is wrong: set it to hold or settle',
    );
    expect(load).toThrow(ConfigError);
  });

  it('does not show what a variable holds', () => {
    const secret = 'correct horse battery staple';
    for (const { name, key } of required) {
      const problems = problemsOf(name, { ...right[name], [key]: secret });
      expect(problems.join()).not.toContain('horse');
    }
  });
});

interface Parameter {
  readonly Default?: string | number;
  readonly AllowedValues?: readonly string[];
  readonly MinValue?: number;
  readonly MaxValue?: number;
}
const infra = <Shape>(file: string): Record<string, Shape> =>
  parse(readFileSync(new URL(`../../../infra/${file}`, import.meta.url), 'utf8'), { merge: true });
const parameterOf = (key: string): string =>
  key.toLowerCase().replace(/(?:^|_)([a-z])/g, (_match, letter: string) => letter.toUpperCase());

describe('the settings and infra/', () => {
  const parameters = Object.entries(infra<Parameter>('parameters.yml'));
  const bySetting = required.flatMap(({ name, key }) =>
    parameters
      .filter(([parameter]) => parameter === parameterOf(key))
      .map(([, parameter]) => ({ name, key, parameter })),
  );

  it('agree on every value an operator may choose', () => {
    expect(bySetting.length).toBeGreaterThanOrEqual(12);
    for (const { name, key, parameter } of bySetting) {
      const { Default, AllowedValues = [], MinValue, MaxValue } = parameter;
      const allowed = [Default, ...AllowedValues, MinValue, MaxValue].filter(
        // The template itself puts the ARN of the stack's own topic there.
        (value) => value !== undefined && value !== 'own',
      );
      for (const value of allowed) {
        // What belongs together is none together.
        const env = name.startsWith('slack')
          ? Object.fromEntries(Object.keys(right[name]).map((each) => [each, 'none']))
          : { ...right[name], [key]: String(value) };
        expect([key, value, problemsOf(name, env)]).toEqual([key, value, []]);
      }
      const outside = [
        ...(MinValue === undefined ? [] : [MinValue - 1]),
        ...(MaxValue === undefined ? [] : [MaxValue + 1]),
      ];
      for (const value of outside) {
        expect(problemsOf(name, { ...right[name], [key]: String(value) })).toHaveLength(1);
      }
    }
  });

  it('know the same variables', () => {
    const functions = infra<{ environment: object }>('functions.yml');
    const given = Object.values(functions).flatMap(({ environment }) => Object.keys(environment));
    const read = required.map(({ key }) => key).filter((key) => !key.startsWith('AWS_'));
    expect([...new Set(read)].sort()).toEqual([...new Set(given)].sort());
  });
});
