import { afterEach, describe, expect, it } from 'vitest';
import { setStage } from '../../emulator/scenes/stage.ts';
import { type Cloud, closeClouds, openCloud } from './cloud.ts';
import { order } from './person.ts';

afterEach(closeClouds);

const instanceId = 'i-0a1b2c3d4e5f60718';
const SWEEPS_MS = 130_000;
const PARKED_MS = 1_000_000;

const cluster = async (options: Parameters<typeof openCloud>[1] = {}): Promise<Cloud> => {
  const cloud = await openCloud(1, options);
  setStage(cloud, { group: false, alarms: false, instanceId });
  await cloud.pass(SWEEPS_MS);
  return cloud;
};
const subjects = (cloud: Cloud) => cloud.sns.published().map(({ subject }) => subject);
const statusOf = (cloud: Cloud) =>
  cloud.states.executions().flatMap(({ output }) => JSON.parse(output ?? '{}').status ?? []);

describe('the second channel', () => {
  it('is told what needs a person and how it ended, once, while Slack takes nothing', async () => {
    const cloud = await cluster();
    cloud.slack.trouble({ kind: 'error', error: 'token_revoked' });
    await order(cloud, { action: 'pause' });
    cloud.ec2.stop(instanceId);
    await cloud.pass(PARKED_MS);
    expect(subjects(cloud)).toEqual([
      `[demo] ${instanceId} is held: paused`,
      '[demo] Slack takes no messages',
    ]);
    expect(cloud.sns.published()[1]?.message).toContain('token_revoked');

    await order(cloud, { action: 'unpause' });
    await cloud.until(() => statusOf(cloud).includes('recovered'));
    await cloud.pass(60_000);
    expect(subjects(cloud).slice(2)).toEqual([`[demo] ${instanceId} recovered`]);

    cloud.slack.trouble(undefined);
    await cloud.pass(PARKED_MS);
    expect(cloud.slack.messages()).toHaveLength(1);
    expect(subjects(cloud)).toHaveLength(3);
  }, 60_000);

  it('that is gone keeps nothing from Slack, and what it was not told is parked', async () => {
    const cloud = await cluster();
    cloud.sns.deleteTopic(cloud.infra.resource('AlarmTopic').arn);
    cloud.ec2.stop(instanceId);
    await cloud.until(() => statusOf(cloud).includes('recovered'));
    await cloud.pass(300_000);
    expect(cloud.slack.messages()[0]?.text).toContain('recovered');
    const { arn } = cloud.infra.resource('NotifyDeadLetterQueue');
    expect(cloud.sqs.messages(arn)).not.toEqual([]);
    cloud.sns.addTopic(cloud.infra.resource('AlarmTopic').arn);
    await cloud.pass(PARKED_MS);
    expect(subjects(cloud)).toEqual([`[demo] ${instanceId} recovered`]);
    expect(cloud.sqs.messages(arn)).toEqual([]);
  }, 60_000);

  it('may be a topic that the operator has already', async () => {
    const pagers = 'arn:aws:sns:eu-central-1:210987654321:pagers';
    const cloud = await cluster({ parameters: { AlertTopicArn: pagers } });
    cloud.sns.addTopic(pagers);
    cloud.ec2.stop(instanceId);
    await cloud.until(() => statusOf(cloud).includes('recovered'));
    await cloud.pass(60_000);
    expect(cloud.sns.published()).toMatchObject([{ topicArn: pagers }]);
    expect(cloud.infra.ofType('AWS::SNS::Topic')).toEqual([]);
  }, 60_000);

  it('hears of an execution that failed, and that another one has taken over', async () => {
    const cloud = await cluster();
    cloud.ec2.stop(instanceId);
    // Even holding fails: the ledger answers none of the steps.
    cloud.faults.intercept = (_, { accessKeyId, service }) =>
      service === 'dynamodb' && !/(?:Intake|Sweep|Notify)Role$/.test(accessKeyId)
        ? { answer: { status: 500, headers: {}, body: '{"__type":"InternalServerError"}' } }
        : 'pass';
    await cloud.until(() => cloud.states.executions().some(({ status }) => status === 'FAILED'));
    cloud.faults.intercept = () => 'pass';
    await cloud.until(() => statusOf(cloud).includes('recovered'));
    await cloud.pass(60_000);
    expect(subjects(cloud)).toEqual([
      `[demo] ${instanceId} the execution failed`,
      `[demo] ${instanceId} recovered`,
    ]);
  }, 60_000);
});
