import { describe, expect, it } from 'vitest';
import { createAssessAgent } from '../../../src/application/assess-agent.ts';
import { createAssessDrain } from '../../../src/application/assess-drain.ts';
import { createCloseIncident } from '../../../src/application/close-incident.ts';
import { createDrainAgent } from '../../../src/application/drain-agent.ts';
import { createFenceAgent } from '../../../src/application/fence-agent.ts';
import { createHoldIncident } from '../../../src/application/hold-incident.ts';
import { createIntake } from '../../../src/application/intake.ts';
import { createOpenIncident } from '../../../src/application/open-incident.ts';
import { createProtectData } from '../../../src/application/protect-data.ts';
import { createSweep } from '../../../src/application/sweep.ts';
import { createTurnIncident } from '../../../src/application/turn-incident.ts';
import { createVerifyRecovery } from '../../../src/application/verify-recovery.ts';
import { TokenLostError } from '../../../src/domain/errors.ts';
import type { IncidentId } from '../../../src/domain/ids.ts';
import type { IncidentPatch, Notice } from '../../../src/domain/incident.ts';
import { limits } from '../../../src/domain/policy.ts';
import { createWorld, type World } from '../../fakes/world.ts';
import { appOf, cluster, dcosOf, factsOf, ids, signalOf, t } from '../../support/build.ts';

const input = { incidentId: ids.incident, token: 1 };
const hook = { group: 'agents', hook: 'first', token: 'x' };
const leaving: Notice = { kind: 'leaving', action: 'terminate', hook };
const retiring = (atSeconds: number): Notice => ({
  kind: 'retiring',
  action: 'stop',
  deadline: t(atSeconds),
});

/** An incident that a notice opened, as the steps before left it; AWS says the same to whoever asks. */
const planned = async (notice: Notice, patch: IncidentPatch = {}, world = createWorld()) => {
  if (notice.kind === 'retiring') {
    const notBefore = notice.deadline;
    const event = { code: 'instance-retirement', ...(notBefore && { notBefore }) };
    world.cloud.scheduled.set(ids.failed, [event]);
  }
  if (notice.kind === 'leaving') {
    const member = { group: 'agents', desired: 3, min: 3, suspendedProcesses: [] };
    world.cloud.groups.set(ids.failed, { ...member, lifecycleState: 'Terminating:Wait' });
  }
  const { incident } = await world.ledger.admit(cluster, signalOf({ notice, source: 'health' }));
  const arn = world.workflow.arnOf('drain', incident.executionName);
  await world.ledger.bindExecution(incident.id, 1, arn, world.clock.now());
  if (Object.keys(patch).length > 0) {
    await world.ledger.save(incident.id, 1, patch, world.clock.now());
  }
  return world;
};

const assess = (world: World, executionName = `fo-${ids.failed}-1-1`) => {
  const executionArn = world.workflow.arnOf('drain', executionName);
  return createAssessDrain(world.deps)({ ...input, executionArn });
};
const holdOf = async (world: World) => (await world.incident()).hold;

describe('AssessDrain', () => {
  it('lets a machine that works, with room beside its data, be moved', async () => {
    const world = await planned(retiring(3_600));
    expect(await assess(world)).toEqual({ kind: 'proceed' });
    expect(await world.incident()).toMatchObject({
      verdict: { kind: 'Retiring' },
      facts: { volumes: [{ volumeId: ids.data }] },
    });
    expect(world.book.calls).toEqual([]);
  });

  it('evicts nobody without a place to go, even when its time is up', async () => {
    for (const deadline of [3_600, 30]) {
      const world = await planned(retiring(deadline));
      world.dcos.listed = world.dcos.listed.filter(({ agentId }) => agentId === ids.agent);
      expect(await assess(world)).toEqual({ kind: 'hold', reason: 'no-placement' });
      expect(world.book.calls).toEqual([]);
    }
  });

  it('hands over what has no time left, and what has failed', async () => {
    expect(await assess(await planned(retiring(30)))).toEqual({ kind: 'failover' });
    const world = await planned(retiring(3_600));
    world.cloud.setInstance(ids.failed, { state: 'stopped' });
    expect(await assess(world)).toEqual({ kind: 'failover' });
  });

  it('waits for the window, and looks again when it begins or the plan may have changed', async () => {
    const world = await planned(retiring(86_400 + 600));
    expect(await assess(world)).toEqual({ kind: 'hold', reason: 'not-due' });
    expect((await holdOf(world))?.retryAt).toBe(t(600));
    const later = await planned(retiring(10 * 86_400));
    await assess(later);
    expect((await holdOf(later))?.retryAt).toBe(t(3_600));
  });

  it('does not let HoldIncident wait for what is hours away', async () => {
    const world = await planned(retiring(86_400 + 600));
    await assess(world);
    const held = createHoldIncident(world.deps)(input);
    expect(await held).toMatchObject({ kind: 'ended', status: 'held' });
  });

  it('looks at a held move before a failover would be late', async () => {
    const world = await planned(retiring(90));
    world.dcos.listed = world.dcos.listed.filter(({ agentId }) => agentId === ids.agent);
    for (const seconds of [0, 40, 40]) {
      world.clock.advance(seconds * 1_000);
      await assess(world);
      const { retryAt = 0 } = (await holdOf(world)) ?? {};
      expect(retryAt).toBeLessThanOrEqual(Math.max(t(30), world.clock.now() + 5_000));
    }
  });

  it('gives up what AWS has called off, but not at the first look', async () => {
    const world = await planned(retiring(3_600));
    world.cloud.scheduled.clear();
    expect(await assess(world)).toMatchObject({ kind: 'watch' });
    world.clock.advance(limits.watchMs);
    expect(await assess(world)).toEqual({ kind: 'cancelled' });
  });

  it('moves one agent with a schedule at a time, and the next when that one is over', async () => {
    const other = 'prod#i-00000000000000099#1' as IncidentId;
    const world = await planned(retiring(3_600));
    const busy = await world.ledger.admit(
      cluster,
      signalOf({ instanceId: ids.other, notice: retiring(3_600) }),
    );
    await world.ledger.takeSlot(cluster, busy.incident.id);
    expect(await assess(world)).toEqual({ kind: 'hold', reason: 'another-move' });
    await world.ledger.close(busy.incident.id, 1, { status: 'recovered' }, t(1));
    expect(await assess(world)).toEqual({ kind: 'proceed' });
    expect(await world.ledger.takeSlot(cluster, other)).toBe(ids.incident);
  });

  it('lets a hook and a Spot machine past whoever is moved', async () => {
    const world = await planned(leaving);
    await world.ledger.takeSlot(cluster, 'prod#i-00000000000000099#1' as IncidentId);
    expect(await assess(world)).toEqual({ kind: 'proceed' });
  });

  it('keeps the hook waiting, and not at every look', async () => {
    const world = await planned(leaving);
    await assess(world);
    await assess(world);
    expect(world.book.names).toEqual(['RecordLifecycleActionHeartbeat']);
    world.clock.advance(limits.heartbeatMs);
    await assess(world);
    expect(world.book.names).toHaveLength(2);
    expect(world.book.calls.every(({ intended }) => intended)).toBe(true);
  });

  it('moves nothing where DC/OS cannot keep the tasks off the agent', async () => {
    const world = await planned(leaving);
    world.dcos.dcos = dcosOf({ deactivateAgent: false });
    expect(await assess(world)).toEqual({ kind: 'hold', reason: 'cannot-drain' });
  });

  it('moves nothing while REX-Ray would take a volume from a task that still ends', async () => {
    const world = await planned(leaving, {}, createWorld({ rexrayPreempt: 'on' }));
    expect(await assess(world)).toEqual({ kind: 'hold', reason: 'cannot-drain' });
  });

  it('holds for local persistent volumes, a pause and a maintenance like a failover', async () => {
    const local = await planned(leaving);
    local.dcos.allApps = [appOf({ hasLocalVolumes: true })];
    expect(await assess(local)).toEqual({ kind: 'hold', reason: 'local-persistent-volumes' });
    const paused = await planned(leaving);
    paused.paused();
    expect(await assess(paused)).toEqual({ kind: 'hold', reason: 'paused' });
    const kept = await planned(leaving);
    kept.inMaintenance();
    expect(await assess(kept)).toEqual({ kind: 'hold', reason: 'maintenance' });
  });

  it('goes on with a move that is under way, whatever the plan says now', async () => {
    const world = await planned(retiring(3_600), {
      facts: factsOf(),
      drain: { startedAt: t(0) },
    });
    world.cloud.scheduled.clear();
    world.clock.advance(limits.watchMs);
    expect(await assess(world)).toEqual({ kind: 'proceed' });
  });

  it('gives an incident that is no drain to the failover', async () => {
    const world = createWorld();
    await world.ledger.admit(cluster, signalOf());
    expect(await assess(world)).toEqual({ kind: 'failover' });
  });
});

describe('ProtectData of a planned move', () => {
  it('claims and keeps the data, and asks nothing of the group', async () => {
    const world = await planned(leaving, { facts: factsOf() });
    expect(await createProtectData(world.deps)(input)).toEqual({ kind: 'protected' });
    expect(world.book.names.sort()).toEqual(['CreateTags', 'DEACTIVATE_AGENT']);
  });

  it('forgets no shelter that a failover had given before', async () => {
    const autoScaling = { kind: 'standby', group: 'agents' } as const;
    const world = await planned(leaving, {
      facts: factsOf(),
      protection: { deactivatedAgentIds: [], autoScaling },
    });
    await createProtectData(world.deps)(input);
    expect((await world.incident()).protection?.autoScaling).toEqual(autoScaling);
  });

  it('puts no Spot machine that EC2 takes back into Standby, as a failover either', async () => {
    const notice: Notice = { kind: 'interrupted', action: 'terminate', deadline: t(120) };
    const world = await planned(notice, { facts: factsOf(), mode: 'failover' });
    const member = { group: 'agents', desired: 3, min: 3, suspendedProcesses: [] };
    world.cloud.groups.set(ids.failed, { ...member, lifecycleState: 'InService' });
    await createProtectData(world.deps)(input);
    expect(world.book.names).not.toContain('EnterStandby');
    expect((await world.incident()).protection?.autoScaling.kind).toBe('replacement-accepted');
  });
});

/** Its task ends after a while, and REX-Ray lets go some time later. */
const letGoAfter = (world: World, endMs: number, freeMs = endMs): void => {
  world.dcos.end = (task) => {
    world.clock.after(endMs, () => world.dcos.ended(task));
    if (Number.isFinite(freeMs)) world.clock.after(freeMs, () => world.cloud.free(ids.data));
  };
};

describe('DrainAgent', () => {
  const ready = (notice: Notice = retiring(3_600), patch: IncidentPatch = {}) =>
    planned(notice, { facts: factsOf(), ...patch });
  const drain = (world: World) => createDrainAgent(world.deps)(input);

  it('drains the agent once, waits until the volume is off it, and touches no volume', async () => {
    const world = await ready();
    letGoAfter(world, 2_000, 4_000);
    expect(await drain(world)).toEqual({ kind: 'drained' });
    expect(world.book.names).toEqual(['DRAIN_AGENT']);
    expect(world.book.calls[0]).toMatchObject({ detail: { graceMs: 60_000 }, intended: true });
    expect(await world.incident()).toMatchObject({
      drain: { method: 'drain-agent', completedAt: world.clock.now() },
      handOff: { method: 'drain', agentIds: [ids.agent], appIds: ['/mysql'], heldAppIds: [] },
    });
    expect(await drain(world)).toEqual({ kind: 'drained' });
  });

  it('believes two reads, not one', async () => {
    const world = await ready();
    letGoAfter(world, 1_000, Number.POSITIVE_INFINITY);
    let looks = 0;
    const { volumes } = world.cloud;
    world.deps.compute.volumes = async (wanted) => {
      looks += 1;
      // Stale once: the next read shows it attached again.
      if (looks === 3) world.cloud.free(ids.data);
      const answer = await volumes.call(world.cloud, wanted);
      if (looks === 3) world.cloud.attach(ids.data, ids.failed);
      return answer;
    };
    expect(await drain(world)).toEqual({ kind: 'waiting', waitSeconds: 1 });
    expect((await world.incident()).drain?.completedAt).toBeUndefined();
  });

  it('does not take a volume that EC2 does not show for one that is off', async () => {
    const world = await ready();
    letGoAfter(world, 1_000, Number.POSITIVE_INFINITY);
    world.cloud.volumesById.delete(ids.data);
    expect(await drain(world)).toEqual({ kind: 'waiting', waitSeconds: 1 });
  });

  it('deactivates an agent that is too old to drain, and ends the tasks with volumes', async () => {
    const world = await ready();
    letGoAfter(world, 1_000);
    world.dcos.drainAnswers.push('unsupported');
    expect(await drain(world)).toEqual({ kind: 'drained' });
    expect(world.book.names).toEqual(['DRAIN_AGENT', 'DEACTIVATE_AGENT', 'DELETE /v2/apps/tasks']);
    expect((await world.incident()).drain?.method).toBe('kill-tasks');
  });

  it('ends no task on an agent that still takes new ones', async () => {
    const world = await ready();
    world.dcos.drainAnswers.push('unsupported');
    world.dcos.dcos = dcosOf({ deactivateAgent: false });
    expect(await drain(world)).toEqual({ kind: 'waiting', waitSeconds: 1 });
    expect(world.book.names).not.toContain('DELETE /v2/apps/tasks');
  });

  it('asks again in the next invocation if the answer was lost', async () => {
    const world = await ready();
    letGoAfter(world, 1_000);
    const lost = new Error('reset');
    world.book.fail('DRAIN_AGENT', lost, 'before');
    await expect(drain(world)).rejects.toBe(lost);
    expect(await world.incident()).toMatchObject({ drain: { method: 'drain-agent' } });
    expect(await drain(world)).toEqual({ kind: 'drained' });
    expect(world.book.names).toEqual(['DRAIN_AGENT', 'DRAIN_AGENT']);
  });

  it('goes over to a failover when the machine goes down, and says what it saw', async () => {
    const world = await ready();
    letGoAfter(world, 60_000);
    world.clock.after(3_000, () => world.cloud.setInstance(ids.failed, { state: 'stopping' }));
    expect(await drain(world)).toEqual({ kind: 'failover' });
    expect((await world.incident()).verdict?.kind).toBe('Down');
  });

  it('goes over to a failover when its time is up, and writes down what nothing takes back', async () => {
    const world = await ready(leaving, { drain: { startedAt: t(0), acceptedAt: t(0) } });
    world.clock.advance(limits.leavingMs - 60_000);
    expect(await drain(world)).toEqual({ kind: 'failover' });
    expect(await world.incident()).toMatchObject({
      verdict: { kind: 'Leaving' },
      drain: { foreseen: { kind: 'leaving', launchTime: ids.launched } },
    });
  });

  it('gives tasks no longer than a failover leaves them', async () => {
    const notice: Notice = { kind: 'interrupted', action: 'terminate', deadline: t(120) };
    const world = await ready(notice);
    world.cloud.marked.set(ids.failed, 'terminate');
    world.clock.advance(30_000);
    letGoAfter(world, 1_000);
    await drain(world);
    expect(world.book.calls[0]?.detail).toEqual({ graceMs: 30_000 });
  });

  it('is held, and fences nothing, while a volume does not come free and nothing ends', async () => {
    const asked: Notice = { kind: 'asked', action: 'maintenance' };
    const world = await ready(asked, { drain: { startedAt: t(0), acceptedAt: t(0) } });
    world.clock.advance(60_000 + limits.drainStuckMs);
    expect(await drain(world)).toEqual({ kind: 'hold', reason: 'drain-stuck' });
    expect(world.book.calls).toEqual([]);
  });

  it('stops before anything while the cluster is paused', async () => {
    const world = await ready();
    world.paused();
    expect(await drain(world)).toEqual({ kind: 'hold', reason: 'paused' });
  });
});

describe('the end of a planned move', () => {
  it('is seen by VerifyRecovery, which writes the new owner', async () => {
    const world = await planned(leaving, { facts: factsOf() });
    await world.claimed();
    letGoAfter(world, 1_000, 900);
    await createDrainAgent(world.deps)(input);
    world.clock.advance(20_000);
    expect(await createVerifyRecovery(world.deps)(input)).toEqual({ kind: 'recovered' });
    expect(await world.ledger.ownership(ids.data)).toMatchObject({
      state: 'owned',
      owner: ids.spare,
      epoch: 1,
    });
    const closed = await createCloseIncident(world.deps)(input);
    expect(closed).toMatchObject({ status: 'recovered' });
    expect(closed.summary).toContain('moved while it worked');
    expect(world.book.names.at(-1)).toBe('CompleteLifecycleAction');
  });

  it('lets the group go on where there was nothing to move, and frees the slot', async () => {
    const world = await planned(leaving, { facts: factsOf({ volumes: [] }) });
    await world.ledger.takeSlot(cluster, ids.incident);
    await createCloseIncident(world.deps)(input);
    expect(world.book.names).toEqual(['CompleteLifecycleAction']);
    const next = 'prod#i-00000000000000099#1' as IncidentId;
    expect(await world.ledger.takeSlot(cluster, next)).toBe(next);
  });

  it('does not let the group go on while data may be on the machine', async () => {
    const world = await planned(leaving, { facts: factsOf() });
    expect(await createCloseIncident(world.deps)(input)).toMatchObject({ status: 'cancelled' });
    expect(world.book.names).toEqual([]);
  });

  it('bears with a hook that is over', async () => {
    const world = await planned(leaving, { facts: factsOf({ volumes: [] }) });
    world.cloud.hookAnswer = { kind: 'over', code: 'ValidationError' };
    expect(await createCloseIncident(world.deps)(input)).toMatchObject({ kind: 'closed' });
  });
});

describe('TurnIncident', () => {
  const turn = (world: World, from: 'failover' | 'drain' = 'drain') =>
    createTurnIncident(world.deps)({ ...input, from });

  it('takes the incident over, in its other mode, and starts the other workflow', async () => {
    const world = await planned(leaving);
    await world.ledger.takeSlot(cluster, ids.incident);
    const execution = world.workflow.arnOf('failover', `fo-${ids.failed}-1-2`);
    expect(await turn(world)).toEqual({ kind: 'turned', execution });
    expect(await world.incident()).toMatchObject({ mode: 'failover', token: 2, status: 'open' });
    expect(world.workflow.started).toMatchObject([{ mode: 'failover', input: { token: 2 } }]);
    const next = 'prod#i-00000000000000099#1' as IncidentId;
    expect(await world.ledger.takeSlot(cluster, next)).toBe(next);
  });

  it('turns a failover of what works into a drain', async () => {
    const world = createWorld();
    await world.given();
    await turn(world, 'failover');
    expect(await world.incident()).toMatchObject({ mode: 'drain', token: 2 });
    expect(world.workflow.started).toMatchObject([{ mode: 'drain' }]);
  });

  it('is completed by its repetition when it died before it could start anything', async () => {
    const world = await planned(leaving);
    world.workflow.failNext = new Error('lost');
    await expect(turn(world)).rejects.toThrow('lost');
    await turn(world);
    expect(await world.incident()).toMatchObject({ token: 2 });
    expect(world.workflow.started).toHaveLength(1);
  });

  it('gives up when somebody else has the incident', async () => {
    const world = await planned(leaving);
    await world.takenOver();
    await expect(turn(world)).rejects.toBeInstanceOf(TokenLostError);
    expect(world.workflow.started).toEqual([]);
  });
});

describe('a failover and what is announced', () => {
  const executionArn = (world: World) => world.workflow.arnOf('failover', `fo-${ids.failed}-1-1`);

  it('plans for a machine that works instead of forgetting what is announced', async () => {
    const world = createWorld();
    await world.ledger.admit(cluster, signalOf());
    await world.ledger.admit(cluster, signalOf({ key: 'plan', notice: retiring(86_400) }));
    world.cloud.scheduled.set(ids.failed, [{ code: 'instance-stop', notBefore: t(86_400) }]);
    const assessed = createAssessAgent(world.deps)({ ...input, executionArn: executionArn(world) });
    expect(await assessed).toEqual({ kind: 'planned' });
  });

  const turned = (deadline: number, patch: IncidentPatch = {}) =>
    planned(retiring(deadline), { facts: factsOf(), mode: 'failover', ...patch });

  it('fences what works once its time is up, by a read made just before', async () => {
    const world = await turned(50);
    expect(await createFenceAgent(world.deps)(input)).toMatchObject({ kind: 'fenced' });
    expect(world.book.names).toEqual(['StopInstances']);
  });

  it('fences nothing if AWS has moved its schedule meanwhile', async () => {
    const world = await turned(50);
    world.cloud.scheduled.set(ids.failed, [{ code: 'instance-stop', notBefore: t(86_400) }]);
    const fenced = createFenceAgent(world.deps)(input);
    expect(await fenced).toEqual({ kind: 'hold', reason: 'not-due' });
    expect(world.book.names).toEqual([]);
  });

  it('fences nothing if AWS has called it off meanwhile', async () => {
    const world = await turned(50);
    world.cloud.scheduled.clear();
    expect(await createFenceAgent(world.deps)(input)).toEqual({ kind: 'cancelled' });
    expect(world.book.names).toEqual([]);
  });

  it('fences no machine that its group terminates unless the drain has read so', async () => {
    const patch = { facts: factsOf(), mode: 'failover' } as const;
    const unseen = await planned(leaving, patch);
    unseen.clock.advance(limits.leavingMs);
    expect(await createFenceAgent(unseen.deps)(input)).toMatchObject({ kind: 'hold' });
    const foreseen = {
      kind: 'leaving',
      at: t(0),
      launchTime: ids.launched,
      says: 'Terminating:Wait',
      deadline: t(30),
    } as const;
    const seen = await planned(leaving, { ...patch, drain: { foreseen } });
    expect(await createFenceAgent(seen.deps)(input)).toMatchObject({ kind: 'fenced' });
  });
});

describe('who starts which workflow', () => {
  it('intake starts the drain for what is announced, and wakes it when it fails', async () => {
    const world = createWorld();
    const admit = createIntake(world.deps);
    await admit([signalOf({ notice: retiring(86_400 * 3) })]);
    expect(world.workflow.started).toMatchObject([{ mode: 'drain', input: { token: 1 } }]);
    world.cloud.scheduled.set(ids.failed, [{ code: 'instance-stop', notBefore: t(86_400 * 3) }]);
    expect(await assess(world)).toMatchObject({ reason: 'not-due' });
    expect(await admit([signalOf({ key: 'failed' })])).toMatchObject([{ kind: 'woken' }]);
    expect(world.workflow.started.at(-1)).toMatchObject({ mode: 'drain', input: { token: 2 } });
  });

  it('the sweep resumes a planned move in its own workflow', async () => {
    const world = await planned(leaving);
    world.clock.advance(120_000);
    await createSweep(world.deps)();
    expect(world.workflow.started).toMatchObject([{ mode: 'drain', input: { token: 2 } }]);
  });

  it('the sweep tells a held move that its machine has failed, though no event did', async () => {
    const world = await planned(retiring(86_400 * 3));
    await assess(world);
    world.cloud.setInstance(ids.failed, { state: 'stopped' });
    world.workflow.statuses.set(world.workflow.arnOf('drain', `fo-${ids.failed}-1-1`), 'SUCCEEDED');
    world.clock.advance(60_000);
    expect(await createSweep(world.deps)()).toMatchObject({ found: [ids.failed] });
    expect((await world.incident()).signals.at(-1)?.source).toBe('sweep');
    expect(world.workflow.started).toMatchObject([{ mode: 'drain', input: { token: 2 } }]);
  });

  const request = (world: World, mode?: 'drain') => ({
    instanceId: ids.failed,
    reason: 'new kernel',
    requestedBy: 'ana',
    executionArn: world.workflow.arnOf(mode ?? 'failover', 'by-hand'),
    executionName: 'by-hand',
    ...(mode === undefined ? {} : { mode }),
  });

  it('a person who starts the drain opens one, which orders no fence', async () => {
    const world = createWorld();
    const opened = await createOpenIncident(world.deps)(request(world, 'drain'));
    expect(opened).toMatchObject({ kind: 'opened' });
    expect(await world.incident()).toMatchObject({
      mode: 'drain',
      signals: [{ says: 'ana asked for a drain: new kernel', notice: { kind: 'asked' } }],
    });
  });

  it('a person who wants a failover of what is held as a move gets one', async () => {
    const world = await planned(leaving);
    const opened = await createOpenIncident(world.deps)(request(world));
    expect(opened).toMatchObject({ kind: 'opened', token: 2 });
    expect(await world.incident()).toMatchObject({ mode: 'failover' });
  });

  it('a person who wants to drain what is failed over is told so', async () => {
    const world = createWorld();
    await world.given();
    const opened = await createOpenIncident(world.deps)(request(world, 'drain'));
    expect(opened).toMatchObject({
      kind: 'refused',
      says: expect.stringContaining('is a failover'),
    });
  });

  it('a person meets the running execution of the other workflow by its own name', async () => {
    const world = createWorld();
    await createIntake(world.deps)([signalOf({ notice: leaving })]);
    const joined = await createOpenIncident(world.deps)(request(world));
    const execution = world.workflow.arnOf('drain', `fo-${ids.failed}-1-1`);
    expect(joined).toMatchObject({ kind: 'joined', execution });
  });
});
