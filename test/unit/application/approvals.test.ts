import { describe, expect, it } from 'vitest';
import { createAssessAgent } from '../../../src/application/assess-agent.ts';
import { createAwaitApproval } from '../../../src/application/await-approval.ts';
import { createIntake } from '../../../src/application/intake.ts';
import { createOperate } from '../../../src/application/operate.ts';
import { TokenLostError } from '../../../src/domain/errors.ts';
import { createWorld, type World } from '../../fakes/world.ts';
import { ids, signalOf, t } from '../../support/build.ts';

const incidentId = ids.incident;
const keys = { incidentId, token: 1 };
const policy = { verdicts: ['Impaired'] as const, waitMs: 600_000 };

const assess = (world: World, token = 1) =>
  createAssessAgent({ ...world.deps, approvals: policy })({
    incidentId,
    token,
    executionArn: world.workflow.arnOf('failover', `fo-${ids.failed}-1-${token}`),
  });
const wait = (world: World, taskToken = 'T1', token = 1) =>
  createAwaitApproval(world.deps)({ incidentId, token, taskToken });
const answer = (world: World, action: 'approve' | 'deny', approvalId = 'a1') =>
  createOperate(world.deps)({ action, incidentId, approvalId, by: 'ana', reason: 'I looked' });

const asked = async (): Promise<World> => {
  const world = createWorld();
  world.hang();
  await world.given();
  expect(await assess(world)).toEqual({ kind: 'needsApproval', waitSeconds: 600 });
  return world;
};

describe('a person who must approve', () => {
  it('is asked once, while the incident is held and nothing is touched', async () => {
    const world = await asked();
    expect(await assess(world)).toMatchObject({ kind: 'needsApproval' });
    expect(world.published).toEqual(['approval-requested']);
    expect(world.book.names).toEqual([]);
    expect(await world.incident()).toMatchObject({
      status: 'held',
      hold: { reason: 'approval', says: expect.stringContaining('Approve or deny a1') },
      approval: { id: 'a1', status: 'pending' },
    });
  });

  it('has the decision written before the execution that waits is told', async () => {
    const world = await asked();
    await wait(world);
    const { answer: tell } = world.workflow;
    Object.assign(world.workflow, {
      answer: async (token: string) => {
        expect(await world.incident()).toMatchObject({ approval: { status: 'approved' } });
        return tell(token);
      },
    });
    expect(await answer(world, 'approve')).toMatchObject({ kind: 'done' });
    expect(world.workflow.answered).toEqual(['T1']);
    expect(world.published).toEqual(['approval-requested', 'approved']);
    expect(await assess(world)).toEqual({ kind: 'proceed' });
  });

  it('is heard although nobody waits yet: the execution passes the answer on', async () => {
    const world = await asked();
    await answer(world, 'deny');
    const { token } = await world.incident();
    await assess(world, token);
    await wait(world, 'T2', token);
    expect(world.workflow.answered).toEqual(['T2']);
    expect(await assess(world, token)).toEqual({ kind: 'hold', reason: 'approval' });
    expect(world.book.names).toEqual([]);
  });

  it('is heard although the execution that waited has died: the next one is started', async () => {
    const world = await asked();
    await wait(world);
    world.workflow.late.add('T1');
    expect(await answer(world, 'approve')).toMatchObject({
      kind: 'done',
      execution: expect.stringContaining('-1-2'),
    });
    expect(await assess(world, 2)).toEqual({ kind: 'proceed' });
  });

  it('answers once: the first answer stands', async () => {
    const world = await asked();
    await wait(world);
    await answer(world, 'approve');
    expect(await answer(world, 'approve')).toMatchObject({ kind: 'unchanged' });
    expect(await answer(world, 'deny')).toMatchObject({ kind: 'refused' });
    expect(await world.incident()).toMatchObject({ approval: { status: 'approved' } });
  });

  it('is told when something else is asked by now, and when nothing is', async () => {
    const world = await asked();
    expect(await answer(world, 'approve', 'a7')).toMatchObject({
      kind: 'refused',
      says: expect.stringContaining('a1 is'),
    });
    const other = createWorld();
    await other.given();
    expect(await answer(other, 'approve')).toMatchObject({ kind: 'refused' });
  });

  it('does not keep news of the machine from waking the incident', async () => {
    const world = await asked();
    world.cloud.setInstance(ids.failed, { state: 'stopped' });
    await createIntake(world.deps)([signalOf({ key: 'stopped', receivedAt: t(9) })]);
    expect(world.workflow.started).toMatchObject([{ input: { token: 2 } }]);
    expect(await assess(world, 2)).toEqual({ kind: 'proceed' });
  });

  it('has a task token kept only for the execution that holds the incident', async () => {
    const world = await asked();
    await world.takenOver();
    await expect(wait(world)).rejects.toThrow(TokenLostError);
    expect(keys.token).toBe(1);
  });
});
