import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadInfra } from '../../emulator/infra.ts';
import { createIam } from '../../emulator/services/iam/iam.ts';
import { projectDir } from '../support/project-files.ts';

// What the roles mean, asked of an IAM that evaluates them; the template test says how they look.
const account = '123456789012';
const infra = loadInfra({
  folder: join(projectDir, 'infra'),
  account,
  region: 'us-east-1',
  stack: 'ebs-failover-main',
  parameters: { ClusterName: 'prod', DcosUrl: 'https://dcos.internal' },
});
const iam = createIam(infra);

const arn = (rest: string): string => `arn:aws:ec2:us-east-1:${account}:${rest}`;
const TAG = 'ebs-failover:cluster';
const groupArn = `arn:aws:autoscaling:us-east-1:${account}:autoScalingGroup:u:autoScalingGroupName/g`;
const machine = (tags: Record<string, string>) => ({ arn: arn('instance/i-1'), tags });
const volume = (tags: Record<string, string>) => ({ arn: arn('volume/vol-1'), tags });
const ours = { [TAG]: 'prod' };
const theirs = { [TAG]: 'staging' };
const settingTag = (key: string, value: string) => ({
  'aws:TagKeys': [key],
  [`aws:RequestTag/${key}`]: value,
});

const may = (
  role: string,
  action: string,
  targets: Parameters<typeof iam.denial>[1],
  request?: Parameters<typeof iam.denial>[3],
): boolean => {
  const accessKeyId = iam.accessKeyId(infra.resource(role).arn);
  return iam.denial(action, targets, { accessKeyId }, request) === undefined;
};

describe('every role', () => {
  const anything = [{ arn: '*', tags: ours }];
  const bus = [{ arn: infra.resource('EventBus').arn }];
  const token = [{ arn: `arn:aws:secretsmanager:us-east-1:${account}:secret:none-AbCdEf` }];
  const group = [{ arn: groupArn, tags: ours }];
  const run = (name: string) => [
    { arn: `arn:aws:states:us-east-1:${account}:execution:${name}:x` },
  ];
  /** What a function plugs in, and the right that stands and falls with it. */
  const needs: [RegExp, string, Parameters<typeof iam.denial>[1]][] = [
    [/\breads(?:Ahead)?Of\(/, 'ec2:DescribeInstances', anything],
    [/\breadsAheadOf\(/, 'ec2:DescribeSpotInstanceRequests', anything],
    [/\b(?:groups|hooks)Of\(/, 'autoscaling:DescribeAutoScalingInstances', anything],
    [/\beventsOf\(/, 'events:PutEvents', bus],
    [/\b(?:orchestratorOf|secretOf|tellOf)\(/, 'secretsmanager:GetSecretValue', token],
    [/\b(?:workflowOf|executionsOf)\(/, 'states:DescribeExecution', run('ebs-failover-prod')],
    [
      /\bworkflowOf\(/,
      'states:StartExecution',
      [{ arn: infra.resource('FailoverStateMachine').arn }],
    ],
    [/\btellOf\(/, 'sns:Publish', [{ arn: infra.resource('AlarmTopic').arn }]],
    [/\bcreatePowerControl\(/, 'ec2:StopInstances', [machine(ours)]],
    [/\bcreateVolumeControl\(/, 'ec2:DetachVolume', [volume(ours), machine(ours)]],
    [/\bcreateProtectData\b/, 'autoscaling:EnterStandby', group],
  ];

  it.each(infra.functions)('of $key has the rights its wiring needs, and no other', (listed) => {
    const path = `${listed.handler.replace(/\.handler$/, '')}.ts`;
    const wiring = readFileSync(join(projectDir, path), 'utf8');
    const role = `${listed.key.charAt(0).toUpperCase()}${listed.key.slice(1)}Role`;
    const wanted = needs.map(
      ([maker, action]) => `${maker.test(wiring) ? 'may' : 'may not'} ${action}`,
    );
    const given = needs.map(
      ([, action, targets]) => `${may(role, action, targets) ? 'may' : 'may not'} ${action}`,
    );
    expect(given).toEqual(wanted);
  });
});

describe('FenceAgent', () => {
  it.each(['ec2:StopInstances', 'ec2:TerminateInstances'])(
    'may %s agents of its cluster',
    (stop) => {
      expect(may('FenceAgentRole', stop, [machine(ours)])).toBe(true);
    },
  );

  it.each([
    ['another cluster', theirs],
    ['no cluster', {}],
  ])('may not stop a machine of %s, nor a batch with one in it', (_, tags) => {
    expect(may('FenceAgentRole', 'ec2:StopInstances', [machine(tags)])).toBe(false);
    expect(may('FenceAgentRole', 'ec2:StopInstances', [machine(ours), machine(tags)])).toBe(false);
  });
});

describe('ReleaseVolume', () => {
  it('may detach a volume of its cluster from an agent of its cluster', () => {
    expect(may('ReleaseVolumeRole', 'ec2:DetachVolume', [volume(ours), machine(ours)])).toBe(true);
  });

  it.each([
    ['a volume nobody adopted', [volume({}), machine(ours)]],
    ['a volume of another cluster', [volume(theirs), machine(ours)]],
    ['a machine of another cluster', [volume(ours), machine(theirs)]],
  ])('may not detach %s', (_, targets) => {
    expect(may('ReleaseVolumeRole', 'ec2:DetachVolume', targets)).toBe(false);
  });
});

describe('Adopt', () => {
  const tagging = settingTag(TAG, 'prod');

  it('may put a volume without the tag in scope', () => {
    expect(may('AdoptRole', 'ec2:CreateTags', [volume({ Name: 'mysql' })], tagging)).toBe(true);
  });

  it.each([
    ['a volume of another cluster', [volume(theirs)], tagging],
    ['a machine', [machine({})], tagging],
    ['a volume with the name of another cluster', [volume({})], settingTag(TAG, 'staging')],
    ['a volume with another tag', [volume({})], settingTag('Name', 'mysql')],
  ])('may not tag %s', (_, targets, request) => {
    expect(may('AdoptRole', 'ec2:CreateTags', targets, request)).toBe(false);
  });
});

describe.each(['ProtectDataRole', 'FenceAgentRole'])('%s, which claims volumes,', (role) => {
  it('may mark the epoch of a volume in scope, and nothing else of it', () => {
    const epoch = settingTag('ebs-failover:epoch', '7');
    expect(may(role, 'ec2:CreateTags', [volume(ours)], epoch)).toBe(true);
    expect(may(role, 'ec2:CreateTags', [volume({})], epoch)).toBe(false);
    expect(may(role, 'ec2:CreateTags', [volume(theirs)], epoch)).toBe(false);
    expect(may(role, 'ec2:CreateTags', [machine(ours)], epoch)).toBe(false);
    expect(may(role, 'ec2:CreateTags', [volume(ours)], settingTag('Name', 'x'))).toBe(false);
  });

  it('may not put a volume in scope, alone or under cover of an epoch', () => {
    const scope = settingTag(TAG, 'prod');
    const both = { ...scope, 'aws:TagKeys': ['ebs-failover:epoch', TAG] };
    expect(may(role, 'ec2:CreateTags', [volume({})], scope)).toBe(false);
    expect(may(role, 'ec2:CreateTags', [volume(ours)], both)).toBe(false);
  });
});

describe('ProtectData', () => {
  it('may keep volumes through a termination, on agents of its cluster only', () => {
    const keep = 'ec2:ModifyInstanceAttribute';
    for (const role of ['ProtectDataRole', 'AdoptRole']) {
      expect(may(role, keep, [machine(ours), volume(ours)])).toBe(true);
      expect(may(role, keep, [machine(theirs)])).toBe(false);
      expect(may(role, keep, [machine(ours), volume(theirs)])).toBe(false);
      expect(may(role, keep, [machine(ours), volume({})])).toBe(false);
    }
  });

  it('may stop the replacement of agents in groups of its cluster only', () => {
    const standby = 'autoscaling:EnterStandby';
    expect(may('ProtectDataRole', standby, [{ arn: groupArn, tags: ours }])).toBe(true);
    expect(may('ProtectDataRole', standby, [{ arn: groupArn, tags: theirs }])).toBe(false);
  });
});

describe.each(['CloseIncidentRole', 'QuarantineAgentRole'])('%s, which marks machines,', (role) => {
  it('may put the one tag on an agent of its cluster, and nothing else', () => {
    const mark = settingTag('ebs-failover:quarantined', 'prod#i-1#1');
    expect(may(role, 'ec2:CreateTags', [machine(ours)], mark)).toBe(true);
    expect(may(role, 'ec2:CreateTags', [machine(theirs)], mark)).toBe(false);
    expect(may(role, 'ec2:CreateTags', [machine({})], mark)).toBe(false);
    expect(may(role, 'ec2:CreateTags', [volume(ours)], mark)).toBe(false);
    expect(may(role, 'ec2:CreateTags', [machine(ours)], settingTag(TAG, 'prod'))).toBe(false);
    expect(may(role, 'ec2:DeleteTags', [machine(ours)], mark)).toBe(false);
  });
});

describe('Unfence', () => {
  const untag = (targets: Parameters<typeof iam.denial>[1], ...keys: string[]) =>
    may('UnfenceRole', 'ec2:DeleteTags', targets, keys.length === 0 ? {} : { 'aws:TagKeys': keys });

  it('may take the mark of a fenced machine off an agent of its cluster, and no other tag', () => {
    expect(untag([machine(ours)], 'ebs-failover:quarantined')).toBe(true);
    expect(untag([machine(theirs)], 'ebs-failover:quarantined')).toBe(false);
    expect(untag([volume(ours)], 'ebs-failover:quarantined')).toBe(false);
    expect(untag([machine(ours)], TAG)).toBe(false);
    expect(untag([machine(ours)], 'ebs-failover:quarantined', TAG)).toBe(false);
    expect(untag([machine(ours)])).toBe(false);
  });

  it('may write of its cluster only, and start nothing, stop nothing, detach nothing', () => {
    const table = [{ arn: infra.resource('LedgerTable').arn }];
    const keys = (pk: string) => ({ 'dynamodb:LeadingKeys': [pk] });
    expect(may('UnfenceRole', 'dynamodb:PutItem', table, keys('CLUSTER#prod'))).toBe(true);
    expect(may('UnfenceRole', 'dynamodb:PutItem', table, keys('VOLUME#vol-1'))).toBe(false);
    expect(may('UnfenceRole', 'dynamodb:DeleteItem', table, keys('VOLUME#vol-1'))).toBe(false);
    for (const action of ['ec2:StopInstances', 'ec2:DetachVolume', 'ec2:CreateTags']) {
      expect(may('UnfenceRole', action, [machine(ours), volume(ours)])).toBe(false);
    }
  });
});

describe('Look', () => {
  it('may read the ledger, and write nothing, change nothing, start nothing', () => {
    const table = [{ arn: infra.resource('LedgerTable').arn }];
    expect(may('LookRole', 'dynamodb:GetItem', table)).toBe(true);
    expect(may('LookRole', 'dynamodb:Query', table)).toBe(true);
    for (const write of ['PutItem', 'UpdateItem', 'DeleteItem']) {
      expect(may('LookRole', `dynamodb:${write}`, table)).toBe(false);
    }
    for (const change of ['StopInstances', 'DetachVolume', 'CreateTags', 'DeleteTags']) {
      expect(may('LookRole', `ec2:${change}`, [machine(ours), volume(ours)])).toBe(false);
    }
    const started = [{ arn: infra.resource('FailoverStateMachine').arn }];
    expect(may('LookRole', 'states:StartExecution', started)).toBe(false);
  });
});

describe('Operate', () => {
  it('may write switches, incidents and orders of its cluster, and who owns a volume never', () => {
    const table = [{ arn: infra.resource('LedgerTable').arn }];
    const write = (pk: string) =>
      may('OperateRole', 'dynamodb:UpdateItem', table, { 'dynamodb:LeadingKeys': [pk] });
    expect(write('CLUSTER#prod')).toBe(true);
    expect(write('INCIDENT#prod#i-1#1')).toBe(true);
    expect(write('CLUSTER#staging')).toBe(false);
    expect(write('INCIDENT#prod-eu#i-1#1')).toBe(false);
    expect(write('VOLUME#vol-1')).toBe(false);
    expect(write('AGENT#i-1')).toBe(false);
    expect(
      may('OperateRole', 'dynamodb:DeleteItem', table, {
        'dynamodb:LeadingKeys': ['CLUSTER#prod'],
      }),
    ).toBe(false);
  });

  it('touches no machine, no volume and no group', () => {
    const changes = ['ec2:StopInstances', 'ec2:DetachVolume', 'ec2:CreateTags', 'ec2:DeleteTags'];
    for (const action of changes) {
      expect(may('OperateRole', action, [machine(ours), volume(ours)])).toBe(false);
    }
  });
});

describe('SlackActions', () => {
  const invoke = (key: string) =>
    may('SlackActionsRole', 'lambda:InvokeFunction', [
      { arn: infra.functions.find((one) => one.key === key)?.arn ?? '' },
    ]);

  it('may have an order carried out, an explanation made and a message rewritten', () => {
    const called = infra.functions.map(({ key }) => key).filter(invoke);
    expect(called.sort()).toEqual(['look', 'notify', 'operate', 'slackActions']);
  });

  it('may remember requests of its cluster, and read or write nothing else of the ledger', () => {
    const table = [{ arn: infra.resource('LedgerTable').arn }];
    const on = (action: string, pk: string) =>
      may('SlackActionsRole', `dynamodb:${action}`, table, { 'dynamodb:LeadingKeys': [pk] });
    expect([on('GetItem', 'SLACK#prod'), on('PutItem', 'SLACK#prod')]).toEqual([true, true]);
    for (const pk of ['SLACK#staging', 'CLUSTER#prod', 'INCIDENT#prod#i-1#1', 'VOLUME#vol-1']) {
      expect([on('GetItem', pk), on('PutItem', pk), on('UpdateItem', pk)]).toEqual([
        false,
        false,
        false,
      ]);
    }
    expect(on('DeleteItem', 'SLACK#prod')).toBe(false);
  });

  it('touches no machine, no volume and no workflow', () => {
    for (const action of ['ec2:StopInstances', 'ec2:DetachVolume', 'ec2:DescribeInstances']) {
      expect(may('SlackActionsRole', action, [machine(ours), volume(ours)])).toBe(false);
    }
    const started = [{ arn: infra.resource('FailoverStateMachine').arn }];
    expect(may('SlackActionsRole', 'states:StartExecution', started)).toBe(false);
  });
});

describe('the ledger', () => {
  const table = [{ arn: infra.resource('LedgerTable').arn }];
  const another = [{ arn: infra.resource('LedgerTable').arn.replace('table/', 'table/other-') }];

  it('is written by steps and only read by Adopt', () => {
    expect(may('FenceAgentRole', 'dynamodb:UpdateItem', table)).toBe(true);
    expect(may('AdoptRole', 'dynamodb:GetItem', table)).toBe(true);
    expect(may('AdoptRole', 'dynamodb:UpdateItem', table)).toBe(false);
  });

  it('loses nothing but entries of the list of open incidents of its cluster', () => {
    const keys = (pk: string) => ({ 'dynamodb:LeadingKeys': [pk] });
    for (const role of ['IntakeRole', 'SweepRole', 'OpenIncidentRole', 'CloseIncidentRole']) {
      expect(may(role, 'dynamodb:DeleteItem', table, keys('CLUSTER#prod'))).toBe(true);
      expect(may(role, 'dynamodb:DeleteItem', table, keys('CLUSTER#staging'))).toBe(false);
      expect(may(role, 'dynamodb:DeleteItem', table, keys('VOLUME#vol-1'))).toBe(false);
    }
    expect(may('FenceAgentRole', 'dynamodb:DeleteItem', table, keys('CLUSTER#prod'))).toBe(false);
  });

  it('is the only table', () => {
    expect(may('FenceAgentRole', 'dynamodb:GetItem', another)).toBe(false);
  });
});

describe('the workflow', () => {
  const execution = (machineName: string) => [
    { arn: `arn:aws:states:us-east-1:${account}:execution:${machineName}:fo-i-1-1-1` },
  ];

  it('can be looked at by the step that takes an incident over, though it cannot name it', () => {
    expect(
      may('OpenIncidentRole', 'states:DescribeExecution', execution('ebs-failover-prod')),
    ).toBe(true);
    expect(may('OpenIncidentRole', 'states:DescribeExecution', execution('other'))).toBe(false);
  });

  it('is started by intake and the sweep and by no step', () => {
    const machineArn = [{ arn: infra.resource('FailoverStateMachine').arn }];
    expect(may('IntakeRole', 'states:StartExecution', machineArn)).toBe(true);
    expect(may('SweepRole', 'states:StartExecution', machineArn)).toBe(true);
    expect(may('HoldIncidentRole', 'states:StartExecution', machineArn)).toBe(false);
  });
});
