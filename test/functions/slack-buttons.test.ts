import { afterEach, describe, expect, it } from 'vitest';
import { setStage } from '../../emulator/scenes/stage.ts';
import { closeClouds, openCloud } from './cloud.ts';
import { changesOf, incidentOf, order } from './person.ts';
import {
  channelOf,
  incidentId,
  instanceId,
  opened,
  ordersOf,
  partitioned,
  press,
  said,
  settled,
} from './slack-kit.ts';

afterEach(closeClouds);

describe('Hold and Resume', () => {
  it('stop the incident before its next change, and let it go on', async () => {
    const cloud = await opened();
    cloud.ec2.faults.stuckStop = () => 50_000;
    cloud.ec2.stop(instanceId, { skipOsShutdown: true });
    await said(cloud, '[Hold]');
    const held = await press(cloud, { action: 'hold' });
    expect(held).toMatchObject({ status: 200, isFine: true });
    expect(held.told).toBe(
      `*Done:* nothing more is changed for ${incidentId} until somebody resumes it`,
    );
    expect(await incidentOf(cloud, instanceId)).toMatchObject({ status: 'held' });
    await said(cloud, 'ana (U0ANA) in Slack');
    await said(cloud, '[Resume]');
    const before = changesOf(cloud).length;
    await cloud.pass(200_000);
    expect(changesOf(cloud)).toHaveLength(before);
    expect((await press(cloud, { action: 'resume' })).told).toBe(`*Done:* ${incidentId} goes on`);
    await said(cloud, 'recovered');
    expect(channelOf(cloud)).not.toContain('[Hold]');
    expect(channelOf(cloud)).toContain('[Explain]');
  });
});

describe('Acknowledge', () => {
  it('asks first, names the hold, and has the machine fenced that EC2 finds well', async () => {
    const cloud = await partitioned();
    expect(channelOf(cloud)).toContain('Acknowledge partitioned?');
    expect(changesOf(cloud)).toEqual([]);
    const { told } = await press(cloud, { action: 'acknowledge' });
    expect(told).toContain('*Done:* partitioned of');
    await said(cloud, 'recovered');
    expect(ordersOf(cloud)).toMatchObject([
      {
        action: 'acknowledge',
        by: 'ana (U0ANA) in Slack',
        reason: 'pressed acknowledge in Slack',
        outcome: 'done',
        hold: 'partitioned',
      },
    ]);
  });
});

describe('Explain', () => {
  it('tells the person alone why it is acted upon or not, and changes nothing', async () => {
    const cloud = await partitioned();
    const { told } = await press(cloud, { action: 'explain' });
    expect(told).toContain(`${instanceId}: held (partitioned)`);
    expect(told).toContain('*Verdict:* Partitioned');
    expect(told).toMatch(/mesos: .*/);
    expect(changesOf(cloud)).toEqual([]);
    expect(ordersOf(cloud)).toEqual([]);
  });

  it('is there when all is over, too', async () => {
    const cloud = await opened();
    cloud.ec2.stop(instanceId, { skipOsShutdown: true });
    await said(cloud, 'recovered');
    const { told } = await press(cloud, { action: 'explain' });
    expect(told).toContain(instanceId);
  });
});

describe('Let the storm through', () => {
  it('asks first, and for a quarter of an hour nobody waits', async () => {
    const cloud = await openCloud(1, { tables: {} });
    const { crowd } = setStage(cloud, {
      group: false,
      alarms: true,
      instanceId,
      crowd: 7,
      spares: 8,
    });
    await cloud.pass(130_000);
    for (const agent of [{ instanceId }, ...crowd]) cloud.ec2.hang(agent.instanceId);
    await said(cloud, '[Let the storm through]');
    expect(channelOf(cloud)).toContain('Let the storm through? For 15 minutes');
    const { told } = await press(cloud, { action: 'acknowledge-storm' });
    expect(told).toContain('*Done:* the storm brake lets everything through until');
    const until = Number(ordersOf(cloud)[0]?.until);
    expect(until - cloud.clock.now()).toBeGreaterThan(14 * 60_000);
    expect(until - cloud.clock.now()).toBeLessThanOrEqual(15 * 60_000);
    await said(cloud, 'storm over');
  });
});

describe('whoever presses', () => {
  it('twice at once has one effect', async () => {
    const cloud = await partitioned();
    const [first, second] = await settled(
      cloud,
      Promise.all([
        cloud.slack.press({ action: 'acknowledge' }),
        cloud.slack.press({ action: 'acknowledge' }),
      ]),
    );
    expect([first.isFine, second.isFine]).toEqual([true, true]);
    await cloud.until(() => ordersOf(cloud).length === 2);
    const outcomes = ordersOf(cloud).map(({ outcome }) => outcome);
    expect(outcomes.sort()).toEqual(['done', 'unchanged']);
    await said(cloud, 'recovered');
    const stops = changesOf(cloud).filter(({ operation }) => operation === 'StopInstances');
    expect(stops).toHaveLength(1);
  });

  it('may do so as one of a group', async () => {
    const cloud = await partitioned();
    const { told } = await press(cloud, { action: 'hold', user: 'U0BEN' });
    expect(told).toContain('*Done:*');
    expect(ordersOf(cloud)).toMatchObject([{ by: 'ben (U0BEN) in Slack' }]);
  });

  it('has an answer within three seconds, however cold the function is', async () => {
    const cloud = await partitioned();
    cloud.lambda.coolDown();
    const { isFine, tookMs } = await press(cloud, { action: 'hold' });
    expect([isFine, tookMs < 1_500]).toEqual([true, true]);
  });

  it('is told when the order is too late', async () => {
    const cloud = await opened();
    cloud.ec2.faults.stuckStop = () => 20_000;
    cloud.ec2.stop(instanceId, { skipOsShutdown: true });
    await said(cloud, '[Hold]');
    // The same button, in a window that somebody has left open since.
    const { blocks } = structuredClone(cloud.slack.messages()[0] ?? { blocks: [] });
    await press(cloud, { action: 'hold' });
    await order(cloud, { action: 'resume', incidentId });
    await said(cloud, 'recovered');
    Object.assign(cloud.slack.messages()[0] ?? {}, { blocks });
    const { told } = await press(cloud, { action: 'hold' });
    expect(told).toBe(`*Refused:* incident ${incidentId} is over: it was recovered`);
  });

  it('is told by the bot where the answer cannot be given by the address that came along', async () => {
    const cloud = await partitioned();
    cloud.faults.intercept = (_request, { operation }) =>
      operation === 'response_url'
        ? { answer: { status: 404, headers: {}, body: 'expired_url' } }
        : 'pass';
    expect((await press(cloud, { action: 'hold' })).told).toContain('*Done:*');
  });

  it('is told when nobody knows whether it was done', async () => {
    const cloud = await partitioned();
    const operate = cloud.iam.accessKeyId(cloud.infra.resource('OperateRole').arn);
    cloud.faults.intercept = (_request, { accessKeyId, operation }) =>
      accessKeyId === operate && operation === 'PutItem'
        ? { answer: { status: 500, headers: {}, body: '{}' } }
        : 'pass';
    const { told } = await press(cloud, { action: 'hold' });
    expect(told).toContain('It is not known whether this was done');
    expect(told).toContain('LedgerUnavailableError');
  });
});

describe('where nobody may press', () => {
  const silent = { SlackSigningSecretId: 'none', SlackOperators: 'none' };

  it('messages have no buttons', async () => {
    const cloud = await partitioned({ parameters: silent });
    expect(channelOf(cloud)).not.toMatch(/^\[/m);
    expect(channelOf(cloud)).toContain('*Way out:*');
  });
});
