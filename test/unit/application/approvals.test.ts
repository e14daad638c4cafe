import { describe, expect, it } from 'vitest';
import { createAssessAgent } from '../../../src/application/assess-agent.ts';
import { createAwaitApproval } from '../../../src/application/await-approval.ts';
import { createFenceAgent } from '../../../src/application/fence-agent.ts';
import { createIntake } from '../../../src/application/intake.ts';
import { createOperate } from '../../../src/application/operate.ts';
import { TokenLostError } from '../../../src/domain/errors.ts';
import type { LaunchTime } from '../../../src/domain/ids.ts';
import { createWorld, type World } from '../../fakes/world.ts';
import { checksOf, factsOf, ids, provenFence, signalOf, t } from '../../support/build.ts';

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
  expect(await assess(world)).toEqual({ kind: 'needsApproval', waitSeconds: 60 });
  return world;
};

describe('a person who must approve', () => {
  it('is asked once, while the incident is held and nothing is touched', async () => {
    const world = await asked();
    expect(await assess(world)).toMatchObject({ kind: 'needsApproval' });
    // Told again, should the bus have lost it: a repeat says the same.
    expect(world.published).toEqual(['approval-requested', 'approval-requested']);
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

  it('has the machine looked at once a minute meanwhile, and no longer than there is time', async () => {
    const world = await asked();
    world.clock.advance(570_000);
    expect(await assess(world)).toEqual({ kind: 'needsApproval', waitSeconds: 30 });
    world.cloud.checks.set(ids.failed, checksOf());
    world.dcos.silent.clear();
    expect(await assess(world)).toMatchObject({ kind: 'cancelled' });
  });

  it('who stays silent is told so once, and again when the hold is looked at', async () => {
    const world = await asked();
    for (let look = 0; look < 10; look += 1) {
      world.clock.advance(60_000);
      await assess(world);
    }
    expect(await world.incident()).toMatchObject({
      hold: { looks: 0, says: expect.stringMatching(/^nobody has answered a1 in time/) },
    });
    await assess(world);
    expect(await world.incident()).toMatchObject({ hold: { looks: 1 } });
    expect(world.book.names).toEqual([]);
  });

  it('who has denied is asked again when somebody resumes it; the old answer is over', async () => {
    const world = await asked();
    await answer(world, 'deny');
    const { token: denied } = await world.incident();
    expect(await assess(world, denied)).toEqual({ kind: 'hold', reason: 'approval' });
    const resume = { action: 'resume', incidentId, by: 'ben', reason: 'look again' } as const;
    expect(await createOperate(world.deps)(resume)).toMatchObject({ kind: 'done' });
    const { approval, token } = await world.incident();
    expect(approval).toMatchObject({ id: 'a1', status: 'withdrawn', by: 'ben' });
    expect(await answer(world, 'approve')).toMatchObject({ kind: 'refused' });
    expect(await assess(world, token)).toMatchObject({ kind: 'needsApproval' });
    expect(await world.incident()).toMatchObject({ approval: { id: 'a2', status: 'pending' } });
  });

  it('is heard although a person holds the incident, and wakes nobody then', async () => {
    const world = await asked();
    const hold = { action: 'hold', incidentId, by: 'ben', reason: 'wait' } as const;
    await createOperate(world.deps)(hold);
    expect(await answer(world, 'approve')).toEqual({
      kind: 'done',
      says: expect.stringContaining('a1'),
    });
    expect(world.workflow.started).toEqual([]);
  });
});

describe('a machine that was started again after the yes', () => {
  const restarted = '2026-11-23T07:00:00.000Z' as LaunchTime;
  const fence = (world: World) =>
    createFenceAgent({ ...world.deps, approvals: policy })({ incidentId, token: 1 });
  const approved = async (): Promise<World> => {
    const world = await asked();
    await wait(world);
    await answer(world, 'approve');
    expect(await assess(world)).toEqual({ kind: 'proceed' });
    return world;
  };

  it('is not fenced before somebody has said yes to that start, too', async () => {
    const world = await approved();
    world.cloud.setInstance(ids.failed, { launchTime: restarted });
    expect(await fence(world)).toEqual({ kind: 'hold', reason: 'unknown-incarnation' });
    expect(world.book.names).not.toContain('StopInstances');
    expect(await assess(world)).toMatchObject({ kind: 'needsApproval' });
    expect(await world.incident()).toMatchObject({
      approval: { id: 'a2', launchTime: restarted, status: 'pending' },
    });
    await answer(world, 'approve', 'a2');
    const { token } = await world.incident();
    expect(await assess(world, token)).toEqual({ kind: 'proceed' });
  });

  it('is asked about although it was down before, and nobody is asked about that', async () => {
    const world = createWorld();
    world.cloud.setInstance(ids.failed, { state: 'stopped' });
    await world.given();
    expect(await assess(world)).toEqual({ kind: 'proceed' });
    world.cloud.setInstance(ids.failed, { state: 'running', launchTime: restarted });
    world.hang();
    expect(await fence(world)).toEqual({ kind: 'hold', reason: 'unknown-incarnation' });
    expect(world.book.names).not.toContain('StopInstances');
    expect(await assess(world)).toMatchObject({ kind: 'needsApproval' });
  });

  it('is asked about although the fence had begun; a proof needs no other yes', async () => {
    const world = await approved();
    const rung = { method: 'skip', launchTime: ids.launched, requestedAt: t(1), acceptedAt: t(1) };
    const begun = { since: t(1), rungs: [rung], voided: [ids.launched] } as const;
    await world.ledger.save(incidentId, 1, { fence: begun as never }, t(2));
    expect(await assess(world)).toEqual({ kind: 'proceed' });
    world.cloud.setInstance(ids.failed, { launchTime: restarted });
    expect(await assess(world)).toMatchObject({ kind: 'needsApproval' });
    expect(await fence(world)).toEqual({ kind: 'hold', reason: 'unknown-incarnation' });
    await world.ledger.save(incidentId, 1, { facts: factsOf(), fence: provenFence() }, t(3));
    expect(await assess(world)).toEqual({ kind: 'proceed' });
  });
});
