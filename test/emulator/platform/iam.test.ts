import { describe, expect, it } from 'vitest';
import { loadInfra } from '../../../emulator/infra.ts';
import { createIam } from '../../../emulator/services/iam/iam.ts';
import { evaluate, type Statement } from '../../../emulator/services/iam/policy.ts';
import { ACCOUNT, REGION, stackInfra } from './fixture.ts';

const volume = 'arn:aws:ec2:us-east-1:123456789012:volume/vol-1';
const allow = (more: Partial<Statement> = {}): Statement => ({
  Effect: 'Allow',
  Action: 'ec2:DetachVolume',
  Resource: '*',
  ...more,
});

describe('a policy', () => {
  it.each([
    { Action: 'ec2:DetachVolume', decision: 'allowed' },
    { Action: 'EC2:detachvolume', decision: 'allowed' },
    { Action: 'ec2:Detach*', decision: 'allowed' },
    { Action: ['ec2:AttachVolume', '*'], decision: 'allowed' },
    { Action: 'ec2:Describe*', decision: 'denied' },
    { Action: 'ec2:DetachVolum', decision: 'denied' },
  ])('decides $decision for the action $Action', ({ Action, decision }) => {
    expect(evaluate([allow({ Action })], 'ec2:DetachVolume', volume, {})).toBe(decision);
  });

  it.each([
    { Resource: 'arn:aws:ec2:*:*:volume/*', decision: 'allowed' },
    { Resource: 'arn:aws:ec2:us-east-1:123456789012:volume/vol-?', decision: 'allowed' },
    { Resource: 'arn:aws:ec2:*:*:instance/*', decision: 'denied' },
    { Resource: 'arn:aws:ec2:us.east-1:123456789012:volume/vol-1', decision: 'denied' },
  ])('decides $decision for the resource $Resource', ({ Resource, decision }) => {
    expect(evaluate([allow({ Resource })], 'ec2:DetachVolume', volume, {})).toBe(decision);
  });

  it('lets a Deny win over any Allow', () => {
    const deny: Statement = { Effect: 'Deny', Action: 'ec2:*', Resource: '*' };
    expect(evaluate([allow(), deny], 'ec2:DetachVolume', volume, {})).toBe('explicitly denied');
  });

  it('allows nothing by itself', () => {
    expect(evaluate([], 'ec2:DetachVolume', volume, {})).toBe('denied');
  });

  it('reads NotAction and NotResource as everything else', () => {
    const statement: Statement = { Effect: 'Allow', NotAction: 'iam:*', NotResource: volume };
    expect(evaluate([statement], 'ec2:DetachVolume', `${volume}2`, {})).toBe('allowed');
    expect(evaluate([statement], 'ec2:DetachVolume', volume, {})).toBe('denied');
    expect(evaluate([statement], 'iam:PassRole', `${volume}2`, {})).toBe('denied');
  });

  const tag = 'aws:ResourceTag/ebs-failover:cluster';
  it.each([
    ['StringEquals', { [tag]: 'demo' }, { [tag]: 'demo' }, true],
    ['StringEquals', { [tag]: 'demo' }, { [tag]: 'other' }, false],
    ['StringEquals', { [tag]: 'demo' }, {}, false],
    ['StringEquals', { [tag]: ['demo', 'other'] }, { [tag]: 'other' }, true],
    ['StringEqualsIfExists', { [tag]: 'demo' }, {}, true],
    ['StringNotEquals', { [tag]: 'demo' }, { [tag]: 'demo' }, false],
    ['StringNotEquals', { [tag]: 'demo' }, {}, true],
    ['StringLike', { [tag]: 'de*' }, { [tag]: 'demo' }, true],
    ['StringNotLike', { [tag]: 'de*' }, { [tag]: 'demo' }, false],
    ['Null', { [tag]: 'true' }, {}, true],
    ['Null', { [tag]: 'true' }, { [tag]: 'demo' }, false],
    ['Null', { [tag]: 'false' }, { [tag]: 'demo' }, true],
    ['ForAllValues:StringEquals', { 'aws:TagKeys': ['a', 'b'] }, { 'aws:TagKeys': ['a'] }, true],
    ['ForAllValues:StringEquals', { 'aws:TagKeys': ['a'] }, { 'aws:TagKeys': ['a', 'x'] }, false],
    ['ForAllValues:StringEquals', { 'aws:TagKeys': ['a'] }, {}, true],
    ['ForAnyValue:StringEquals', { 'aws:TagKeys': ['a'] }, { 'aws:TagKeys': ['a', 'x'] }, true],
    ['ForAnyValue:StringEquals', { 'aws:TagKeys': ['a'] }, { 'aws:TagKeys': ['x'] }, false],
    ['ForAnyValue:StringEquals', { 'aws:TagKeys': ['a'] }, {}, false],
  ] as const)('%s %j on %j is %s', (operator, wanted, context, holds) => {
    const statement = allow({
      Condition: { [operator]: wanted } as Statement['Condition'] & object,
    });
    expect(evaluate([statement], 'ec2:DetachVolume', volume, context)).toBe(
      holds ? 'allowed' : 'denied',
    );
  });

  it('refuses to guess what an unknown operator means', () => {
    const statement = allow({ Condition: { NumericLessThan: { 'aws:x': '3' } } });
    expect(() => evaluate([statement], 'ec2:DetachVolume', volume, { 'aws:x': '2' })).toThrow(
      'NumericLessThan',
    );
  });
});

describe('the account', () => {
  const iam = createIam(stackInfra());
  const table = 'arn:aws:dynamodb:us-east-1:123456789012:table/test-CountTable';
  const role = { accessKeyId: 'ASIACountRole' };

  it('knows a role by the access key that its functions sign with', () => {
    const infra = stackInfra();
    const [count] = infra.functions;
    expect(iam.accessKeyId(count?.roleArn ?? '')).toBe('ASIACountRole');
    expect(() => iam.accessKeyId('arn:aws:iam::1:role/none')).toThrow('arn:aws:iam::1:role/none');
  });

  it('denies in the words of AWS and allows what the role says', () => {
    expect(iam.denial('dynamodb:UpdateItem', [{ arn: table }], role)).toBeUndefined();
    expect(iam.denial('dynamodb:DeleteTable', [{ arn: table }], role)).toBe(
      'User: arn:aws:sts::123456789012:assumed-role/test-CountRole/function is not authorized to ' +
        `perform: dynamodb:DeleteTable on resource: ${table} because no identity-based policy ` +
        'allows the dynamodb:DeleteTable action',
    );
  });

  it('denies a call when one of its resources is not allowed', () => {
    const targets = [{ arn: table }, { arn: `${table}2` }];
    expect(iam.denial('dynamodb:UpdateItem', targets, role)).toContain(`${table}2`);
  });

  it('lets people do everything', () => {
    expect(iam.denial('ec2:TerminateInstances', [{ arn: '*' }], { accessKeyId: 'AKIA1' })).toBe(
      undefined,
    );
  });
});

describe('the roles of the service', () => {
  const infra = loadInfra({
    folder: 'infra',
    account: ACCOUNT,
    region: REGION,
    stack: 'ebs-failover-main',
    parameters: { ClusterName: 'demo', DcosUrl: 'https://dcos.internal' },
  });
  const iam = createIam(infra);
  const instance = (cluster?: string) => ({
    arn: 'arn:aws:ec2:us-east-1:123456789012:instance/i-1',
    tags: cluster === undefined ? {} : { 'ebs-failover:cluster': cluster },
  });
  const may = (role: string, action: string, target: { arn: string }): boolean =>
    iam.denial(action, [target], { accessKeyId: `ASIA${role}` }) === undefined;

  it.each([
    { role: 'FenceAgentRole', cluster: 'demo', allowed: true },
    { role: 'FenceAgentRole', cluster: 'other', allowed: false },
    { role: 'FenceAgentRole', cluster: undefined, allowed: false },
    { role: 'AssessAgentRole', cluster: 'demo', allowed: false },
    { role: 'SweepRole', cluster: 'demo', allowed: false },
  ])('$role may stop a machine of cluster $cluster: $allowed', ({ role, cluster, allowed }) => {
    expect(may(role, 'ec2:StopInstances', instance(cluster))).toBe(allowed);
  });
});
