import { afterEach, describe, expect, it } from 'vitest';
import { type Cloud, closeClouds } from './cloud.ts';
import { changesOf, incidentOf, start } from './person.ts';
import { channelOf, incidentId, instanceId, opened, ordersOf, press, said } from './slack-kit.ts';

afterEach(closeClouds);

const parameters = { ApprovalVerdicts: 'Ordered,Down', ApprovalSeconds: '600' };

/** A person has ordered a failover, and another one is asked. */
const asked = async (): Promise<Cloud> => {
  const cloud = await opened({ parameters });
  const input = { instanceId, reason: 'it is odd', requestedBy: 'ben' };
  await start(cloud, 'FailoverStateMachine', input);
  await said(cloud, '[Approve]');
  return cloud;
};

describe('Approve and Deny', () => {
  it('are asked with what will be done; approved it goes on, and the buttons are gone', async () => {
    const cloud = await asked();
    expect(channelOf(cloud)).toContain(
      '[Approve]  asks: Approve a1? It will fence it and move mysql',
    );
    await cloud.pass(120_000);
    expect(changesOf(cloud)).toEqual([]);
    const { isFine, told } = await press(cloud, { action: 'approve' });
    expect(isFine).toBe(true);
    expect(told).toContain(`*Done:* a1 of ${incidentId} is approved`);
    await said(cloud, 'recovered');
    expect(channelOf(cloud)).not.toContain('[Approve]');
    expect(channelOf(cloud)).toContain(
      'approved by ana (U0ANA) in Slack (pressed approve in Slack)',
    );
    expect(ordersOf(cloud)).toMatchObject([
      { action: 'approve', approvalId: 'a1', outcome: 'done' },
    ]);
  });

  it('denied nothing is done', async () => {
    const cloud = await asked();
    expect((await press(cloud, { action: 'deny' })).told).toContain('is denied');
    await cloud.pass(600_000);
    expect(changesOf(cloud)).toEqual([]);
    expect(channelOf(cloud)).not.toContain('[Approve]');
    expect(await incidentOf(cloud, instanceId)).toMatchObject({ status: 'held' });
  });

  it('are no task token, and pressed twice one decision', async () => {
    const cloud = await asked();
    const sent = JSON.stringify(cloud.slack.messages());
    expect(sent).toContain('approvalId');
    expect(sent).not.toContain('taskToken');
    const { blocks } = structuredClone(cloud.slack.messages()[0] ?? { blocks: [] });
    await press(cloud, { action: 'approve' });
    await said(cloud, 'recovered');
    Object.assign(cloud.slack.messages()[0] ?? {}, { blocks });
    expect((await press(cloud, { action: 'deny' })).told).toContain('*Refused:*');
    const stops = changesOf(cloud).filter(({ operation }) => operation === 'StopInstances');
    expect(stops).toHaveLength(1);
  });

  it('of a plan that has changed are refused, and nothing is changed', async () => {
    const cloud = await asked();
    const { blocks } = structuredClone(cloud.slack.messages()[0] ?? { blocks: [] });
    // Started again: what was to be fenced is another incarnation.
    cloud.ec2.stop(instanceId, { skipOsShutdown: true });
    await cloud.pass(60_000);
    cloud.ec2.start(instanceId);
    await said(cloud, 'Approve or deny a2');
    const message = cloud.slack.messages()[0];
    const before = changesOf(cloud).length;
    Object.assign(message ?? {}, { blocks });
    const { told } = await press(cloud, { action: 'approve' });
    expect(told).toContain('*Refused:* a1 is not asked any more, the plan has changed');
    await cloud.pass(60_000);
    expect(changesOf(cloud)).toHaveLength(before);
  });
});
