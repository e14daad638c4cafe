import { unmarshall } from '@aws-sdk/util-dynamodb';
import { afterEach, describe, expect, it } from 'vitest';
import { setStage } from '../../emulator/scenes/stage.ts';
import { createChecker } from '../../emulator/sim/checker.ts';
import { observe } from '../../emulator/sim/observer.ts';
import { type Cloud, closeClouds, openCloud } from './cloud.ts';
import { changesOf, incidentOf, order, start, states } from './person.ts';

let checker = createChecker();
afterEach(() => {
  closeClouds();
  expect(checker.violations).toEqual([]);
});

const instanceId = 'i-0a1b2c3d4e5f60718';
const incidentId = `demo#${instanceId}#1`;
/** Two sweeps: the first adopts the volumes, the second knows the inventory. */
const SWEEPS_MS = 130_000;

const staged = async (ApprovalVerdicts = 'Impaired,Ordered'): Promise<Cloud> => {
  const parameters = { ApprovalVerdicts, ApprovalSeconds: '600' };
  const cloud = await openCloud(1, { tables: {}, parameters });
  checker = createChecker();
  observe(cloud, checker.see);
  setStage(cloud, { group: false, alarms: false, instanceId });
  await cloud.pass(SWEEPS_MS);
  return cloud;
};

const stateNow = (cloud: Cloud): string | undefined => {
  const running = cloud.states.executions().findLast(({ status }) => status === 'RUNNING');
  const entered = running?.history.findLast(({ type }) => type === 'StateEntered');
  return entered?.type === 'StateEntered' ? entered.state.name : undefined;
};
const waits = (cloud: Cloud): boolean => stateNow(cloud) === 'AwaitApproval';

/** A person has ordered a failover, and another one is asked. */
const asked = async (): Promise<Cloud> => {
  const cloud = await staged();
  await start(cloud, 'FailoverStateMachine', {
    instanceId,
    reason: 'it is odd',
    requestedBy: 'ben',
  });
  await cloud.until(() => waits(cloud));
  await cloud.pass(2_000);
  return cloud;
};
const answer = (cloud: Cloud, action: 'approve' | 'deny', approvalId = 'a1') =>
  order(cloud, { action, incidentId, approvalId });
const recovered = (cloud: Cloud): boolean =>
  cloud.states.executions().some(({ output = '' }) => output.includes('"recovered"'));

const approvalOf = async (cloud: Cloud) => {
  const rows = await cloud.clock.busy(
    cloud.dynamodb.scan(cloud.infra.resource('LedgerTable').ref) as Promise<never[]>,
  );
  const items = rows.map((row) => unmarshall(row));
  const row = items.find(({ pk, sk }) => pk === `INCIDENT#${incidentId}` && sk === 'STATE');
  return row?.approval as Record<string, unknown> | undefined;
};

describe('a failover that a person must approve', () => {
  it('changes nothing before the answer, and goes on at once after it', async () => {
    const cloud = await asked();
    await cloud.pass(300_000);
    expect(changesOf(cloud)).toEqual([]);
    expect(await incidentOf(cloud, instanceId)).toMatchObject({
      status: 'held',
      hold: { reason: 'approval', says: expect.stringContaining('fence it and move mysql') },
    });
    expect(await answer(cloud, 'approve')).toMatchObject({ kind: 'done' });
    await cloud.until(() => recovered(cloud));
    expect(cloud.states.executions()).toHaveLength(1);
    expect(await approvalOf(cloud)).toMatchObject({
      id: 'a1',
      status: 'approved',
      by: 'ana',
      reason: 'game day',
    });
  });

  it('is not done when it is denied, however often it is looked at', async () => {
    const cloud = await asked();
    expect(await answer(cloud, 'deny')).toMatchObject({ kind: 'done' });
    await cloud.pass(3_600_000);
    expect(changesOf(cloud)).toEqual([]);
    expect(await incidentOf(cloud, instanceId)).toMatchObject({
      hold: {
        reason: 'approval',
        says: 'ana has denied a1: game day. Nothing is done; resume it to be asked again.',
      },
    });
    expect(await answer(cloud, 'approve')).toMatchObject({ kind: 'refused' });
  });

  it('is not done when nobody answers; approved later it goes on', async () => {
    const cloud = await asked();
    await cloud.pass(700_000);
    expect(changesOf(cloud)).toEqual([]);
    expect(await incidentOf(cloud, instanceId)).toMatchObject({
      hold: { reason: 'approval', says: expect.stringContaining('nobody has answered a1') },
    });
    expect(cloud.states.executions().some(({ status }) => status === 'RUNNING')).toBe(false);
    expect(await answer(cloud, 'approve')).toMatchObject({ kind: 'done' });
    await cloud.until(() => recovered(cloud));
  });

  it('is one decision, however often the button is pressed', async () => {
    const cloud = await asked();
    const answers = [await answer(cloud, 'approve'), await answer(cloud, 'approve')];
    expect(answers).toMatchObject([{ kind: 'done' }, { kind: 'unchanged' }]);
    expect(await answer(cloud, 'deny')).toMatchObject({ kind: 'refused' });
    await cloud.until(() => recovered(cloud));
    expect(cloud.states.executions()).toHaveLength(1);
  });

  it('goes on by a new execution when the one that waited was aborted', async () => {
    const cloud = await asked();
    const [execution] = cloud.states.executions();
    await states(cloud, 'StopExecution', { executionArn: execution?.arn });
    await cloud.pass(5_000);
    expect(await answer(cloud, 'approve')).toMatchObject({
      kind: 'done',
      execution: expect.stringContaining('fo-'),
    });
    await cloud.until(() => recovered(cloud));
  });

  it('needs no yes any more once EC2 says down', async () => {
    const cloud = await asked();
    cloud.ec2.stop(instanceId, { skipOsShutdown: true });
    await cloud.until(() => recovered(cloud));
    expect(await approvalOf(cloud)).toMatchObject({ status: 'pending' });
  });

  it('tells nobody its task token', async () => {
    const cloud = await asked();
    const approval = await approvalOf(cloud);
    const token = String(approval?.taskToken);
    expect(token.length).toBeGreaterThan(20);
    const told = [
      ...cloud.trace.map(({ data }) => String(data)),
      ...cloud.slack.messages().map((message) => JSON.stringify(message)),
    ];
    expect(told.filter((text) => text.includes(token))).toEqual([]);
    await answer(cloud, 'approve');
    await cloud.until(() => recovered(cloud));
    const used = await states(cloud, 'SendTaskSuccess', { taskToken: token, output: '{}' });
    expect(used.__type).toMatch(/TaskTimedOut/);
  });
});

describe('a failover that nobody need approve', () => {
  it('is not asked about', async () => {
    const cloud = await staged('Partitioned');
    await start(cloud, 'FailoverStateMachine', { instanceId, reason: 'it is odd' });
    await cloud.until(() => recovered(cloud));
    expect(await approvalOf(cloud)).toBeUndefined();
  });
});
