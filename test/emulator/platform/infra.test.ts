import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { InfraError, loadInfra } from '../../../emulator/infra.ts';
import { ACCOUNT, REGION, stackInfra } from './fixture.ts';

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

/** A stack of one resource, to plant a mistake in. */
const withResource = (resource: string) => {
  const folder = mkdtempSync(join(tmpdir(), 'infra-'));
  folders.push(folder);
  writeFileSync(join(folder, 'parameters.yml'), '{}');
  writeFileSync(join(folder, 'functions.yml'), '{}');
  writeFileSync(join(folder, 'stack.yml'), `Resources: { One: ${resource} }`);
  return loadInfra({ folder, account: ACCOUNT, region: REGION, stack: 'test', parameters: {} });
};

describe('conditions of the infrastructure files', () => {
  /** One topic, made only where the setting says so, and a queue named after the choice. */
  const withCondition = (
    mine: string,
    conditions = 'Mine: { Fn::Equals: [{ Ref: Own }, yes] }',
  ) => {
    const folder = mkdtempSync(join(tmpdir(), 'infra-'));
    folders.push(folder);
    writeFileSync(join(folder, 'parameters.yml'), 'Own: { Type: String }');
    writeFileSync(join(folder, 'functions.yml'), '{}');
    const choice = '{ Fn::If: [Mine, mine, theirs] }';
    const stack = `Conditions:
  ${conditions}
  Theirs: { Fn::Not: [{ Fn::Equals: [{ Ref: Own }, yes] }] }
Resources:
  Topic: { Type: AWS::SNS::Topic, Condition: Mine }
  Other: { Type: AWS::SNS::Topic, Condition: Theirs }
  Queue: { Type: AWS::SQS::Queue, Properties: { QueueName: ${choice} } }`;
    writeFileSync(join(folder, 'stack.yml'), stack);
    const parameters = { Own: mine };
    return loadInfra({ folder, account: ACCOUNT, region: REGION, stack: 'test', parameters });
  };

  it.each([
    { own: 'yes', topics: ['Topic'], queue: 'mine' },
    { own: 'no', topics: ['Other'], queue: 'theirs' },
  ])('decide what is made and what is chosen: $own', ({ own, topics, queue }) => {
    const infra = withCondition(own);
    expect(infra.ofType('AWS::SNS::Topic').map(({ logicalId }) => logicalId)).toEqual(topics);
    expect(infra.resource('Queue').properties.QueueName).toBe(queue);
  });

  it('keep anybody from referring to what is not made', () => {
    expect(() => withCondition('no').resource('Topic')).toThrow('Topic is not made');
  });

  it.each([
    ['another one', 'Yours: { Fn::Equals: [a, b] }', 'no condition is called Mine'],
    ['what is not emulated', 'Mine: { Fn::Or: [a, b] }', 'is not understood here'],
  ])('are not guessed: %s', (_, conditions, complaint) => {
    expect(() => withCondition('yes', conditions).ofType('AWS::SNS::Topic')).toThrow(complaint);
  });
});

describe('the infrastructure files', () => {
  it('give a function its own environment, with every reference resolved', () => {
    const [count, callback] = stackInfra().functions;
    expect(count).toEqual({
      key: 'count',
      name: 'test-count',
      arn: 'arn:aws:lambda:us-east-1:123456789012:function:test-count',
      handler: 'functions/count.handler',
      timeoutSeconds: 10,
      environment: { TABLE: 'test-CountTable', BUS: 'news-blue', COLOR: 'green' },
      roleArn: 'arn:aws:iam::123456789012:role/test-CountRole',
    });
    expect(callback?.environment).toEqual(count?.environment);
  });

  it('name resources as CloudFormation does, by type', () => {
    const infra = stackInfra();
    const named = (id: string) => {
      const { ref, arn } = infra.resource(id);
      return { ref, arn };
    };
    expect(named('DeadLetters')).toEqual({
      ref: 'https://sqs.us-east-1.amazonaws.com/123456789012/test-DeadLetters',
      arn: 'arn:aws:sqs:us-east-1:123456789012:test-DeadLetters',
    });
    expect(named('CountStateMachine').ref).toBe(
      'arn:aws:states:us-east-1:123456789012:stateMachine:count-blue',
    );
    expect(named('NewsRule').arn).toBe(
      'arn:aws:events:us-east-1:123456789012:rule/news-blue/test-NewsRule',
    );
    expect(named('CountTable').ref).toBe('test-CountTable');
  });

  it.each([
    { parameters: {}, complaint: 'ClusterName has no default' },
    { parameters: { ClusterName: 'Blue' }, complaint: 'ClusterName does not accept Blue' },
    { parameters: { ClusterName: 'b', Color: 'pink' }, complaint: 'Color does not accept pink' },
    { parameters: { ClusterName: 'b', Patience: '10' }, complaint: 'Patience does not accept 10' },
    { parameters: { ClusterName: 'b', Patience: 'x' }, complaint: 'Patience does not accept x' },
    { parameters: { ClusterName: 'b', Colour: 'red' }, complaint: 'Colour is not declared' },
  ])('refuse $parameters: $complaint', ({ parameters, complaint }) => {
    const load = () => stackInfra(parameters as Record<string, string>);
    expect(load).toThrow(InfraError);
    expect(load).toThrow(complaint);
  });

  it('accept a number within its bounds', () => {
    const { parameters } = stackInfra({ ClusterName: 'b', Patience: '9' });
    expect(parameters).toEqual({ ClusterName: 'b', Color: 'green', Patience: '9' });
  });

  it.each([
    {
      mistake: 'a reference to nothing',
      value: '{ Ref: Two }',
      complaint: 'nothing is called Two',
    },
    { mistake: 'an unknown intrinsic', value: '{ "Fn::Base64": x }', complaint: 'Fn::Base64' },
    {
      mistake: 'an unknown attribute',
      value: '{ "Fn::GetAtt": [One, Color] }',
      complaint: 'One has no attribute Color',
    },
  ])('do not pass over $mistake', ({ value, complaint }) => {
    const infra = withResource(`{ Type: AWS::SQS::Queue, Properties: { X: ${value} } }`);
    expect(() => infra.resource('One')).toThrow(complaint);
  });

  it('are those of the service itself', () => {
    const infra = loadInfra({
      folder: 'infra',
      account: ACCOUNT,
      region: REGION,
      stack: 'ebs-failover-main',
      parameters: { ClusterName: 'demo', DcosUrl: 'https://dcos.internal' },
    });
    const intake = infra.functions.find(({ key }) => key === 'intake');
    expect(intake?.environment).toMatchObject({
      CLUSTER_NAME: 'demo',
      ACCOUNT_ID: ACCOUNT,
      LEDGER_TABLE: 'ebs-failover-main-LedgerTable',
      FAILOVER_STATE_MACHINE_ARN:
        'arn:aws:states:us-east-1:123456789012:stateMachine:ebs-failover-demo',
    });
    for (const type of ['AWS::IAM::Role', 'AWS::Events::Rule', 'AWS::Lambda::Permission']) {
      expect(infra.ofType(type).length).toBeGreaterThan(0);
    }
  });
});
