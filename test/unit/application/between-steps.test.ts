import { describe, expect, it } from 'vitest';
import { createAssessAgent } from '../../../src/application/assess-agent.ts';
import { createFenceAgent } from '../../../src/application/fence-agent.ts';
import { createHandOff } from '../../../src/application/hand-off.ts';
import { createReleaseVolume } from '../../../src/application/release-volume.ts';
import { createSweep } from '../../../src/application/sweep.ts';
import { createVerifyRecovery } from '../../../src/application/verify-recovery.ts';
import { CloudAmbiguousError, CorruptRecordError } from '../../../src/domain/errors.ts';
import { incidentIdOf } from '../../../src/domain/ids.ts';
import type { Fence, HandOff } from '../../../src/domain/incident.ts';
import { type Invoke, runFailover } from '../../fakes/failover.ts';
import { createWorld, type World } from '../../fakes/world.ts';
import {
  checksOf,
  cluster,
  factsOf,
  ids,
  instanceOf,
  provenFence,
  rungOf,
  signalOf,
  t,
  taskOf,
} from '../../support/build.ts';

/* The world does not stand still between two steps, nor while one of them looks. */

const input = { incidentId: ids.incident, token: 1 };
const fence = (world: World) => createFenceAgent(world.deps)(input);
const release = (world: World, token = 1) =>
  createReleaseVolume(world.deps)({ ...input, token, volumeIds: [ids.data] });
const toTheEnd = (world: World): Promise<string> => {
  const invoke: Invoke = (_, step) => step(world.deps);
  return runFailover(world, invoke, 1);
};
const provenAt = async (world: World) => (await world.incident()).fence?.proof?.[0].launchTime;
/** The answer to the next command of this method is lost after EC2 took it. */
const loseAnswer = (world: World, method: string): void => {
  world.book.onCall = ({ detail }) => {
    if ((detail as { method?: string }).method !== method) return;
    world.book.onCall = undefined;
    const lost = new CloudAmbiguousError('StopInstances', 'ECONNRESET');
    world.book.fail('StopInstances', lost, 'after');
  };
};

const proven = async (): Promise<World> => {
  const world = createWorld();
  await world.given({ facts: factsOf(), fence: provenFence() });
  await world.claimed();
  world.cloud.setInstance(ids.failed, { state: 'stopped' });
  world.clock.advance(21_000);
  return world;
};
const released = async (): Promise<World> => {
  const world = await proven();
  world.cloud.free(ids.data);
  await release(world);
  return world;
};

describe('the fenced instance is started again', () => {
  it('before Mesos was told: nobody is told while it runs', async () => {
    const world = await released();
    world.cloud.restart(ids.failed, ids.relaunched);
    expect(await createHandOff(world.deps)(input)).toEqual({ kind: 'hold', reason: 'proof-void' });
    expect(world.book.calls).toEqual([]);
  });

  it('before Mesos was told: it is fenced again under the same incident, then handed over', async () => {
    const world = await released();
    world.cloud.restart(ids.failed, ids.relaunched);
    world.hang();
    expect(await toTheEnd(world)).toBe('recovered');
    expect(world.book.names[0]).toBe('StopInstances');
    expect(await provenAt(world)).toBe(ids.relaunched);
  });

  it('and a stale read of its earlier life proves nothing', async () => {
    const world = await proven();
    world.cloud.restart(ids.failed, ids.relaunched);
    world.hang();
    await release(world);
    const running = world.cloud.instances.get(ids.failed) ?? instanceOf();
    world.cloud.instances.set(ids.failed, instanceOf({ state: 'stopped' }));
    world.clock.after(1_000, () => world.cloud.instances.set(ids.failed, running));
    await fence(world);
    expect(await provenAt(world)).not.toBe(ids.launched);
  });

  it('only according to one stale read: the incident still comes to its end', async () => {
    const world = await proven();
    world.cloud.setInstance(ids.failed, { state: 'running' });
    await release(world);
    expect((await world.incident()).fence?.proof).toBeUndefined();
    world.cloud.setInstance(ids.failed, { state: 'stopped' });
    expect(await toTheEnd(world)).toBe('recovered');
    expect(await provenAt(world)).toBe(ids.launched);
  });
});

describe('an execution that lost its token', () => {
  it('writes over no record that a later one wrote', async () => {
    const world = await proven();
    world.cloud.free(ids.data);
    const asleep = Promise.withResolvers<void>();
    const wake = Promise.withResolvers<void>();
    const { ledger } = world;
    const advance = ledger.advance.bind(ledger);
    ledger.advance = async (...args) => {
      ledger.advance = advance;
      asleep.resolve();
      await wake.promise;
      return advance(...args);
    };
    const stale = release(world);
    await asleep.promise;
    await world.takenOver();
    world.cloud.attach(ids.data, ids.other);
    await release(world, 2);
    wake.resolve();
    expect(await stale).toEqual({ kind: 'held' });
    expect((await ledger.ownership(ids.data))?.state).toBe('held');
  });
});

describe('an operator pauses the cluster while a step looks', () => {
  it('and the ladder stops before its next rung', async () => {
    const world = createWorld();
    const begun: Fence = { since: t(0), rungs: [rungOf('skip', 0)], voided: [] };
    await world.given({ facts: factsOf(), fence: begun });
    world.cloud.setInstance(ids.failed, { state: 'stopping' });
    world.clock.advance(60_000);
    world.clock.after(10_000, () => world.paused());
    expect(await fence(world)).toEqual({ kind: 'hold', reason: 'paused' });
    expect(world.book.calls).toEqual([]);
  });

  it('and no volume is detached any more', async () => {
    const world = await proven();
    world.cloud.setInstance(ids.failed, { state: 'terminated' });
    world.clock.after(5_000, () => world.paused());
    expect((await release(world)).kind).toBe('held');
    expect(world.book.calls).toEqual([]);
  });
});

describe('a stop whose answer was lost', () => {
  it('is not cancelled on the next read, which may be older than the stop', async () => {
    const world = createWorld();
    await world.given({ facts: factsOf() });
    world.hang();
    world.cloud.downMs.skip = Number.POSITIVE_INFINITY;
    loseAnswer(world, 'skip');
    await expect(fence(world)).rejects.toThrow(CloudAmbiguousError);
    // EC2's reads lag: they still show a machine that is well.
    world.cloud.setInstance(ids.failed, { state: 'running' });
    world.cloud.checks.set(ids.failed, checksOf());
    world.dcos.silent.clear();
    expect((await fence(world)).kind).toBe('waiting');
    const executionArn = world.workflow.arnOf('failover', (await world.incident()).executionName);
    const assess = () => createAssessAgent(world.deps)({ ...input, executionArn });
    expect((await assess()).kind).toBe('watch');
    world.clock.advance(60_000);
    expect((await assess()).kind).toBe('cancelled');
  });

  it('is no point of no return when its repeat meets the wrong state and the machine runs', async () => {
    const world = createWorld();
    await world.given({ facts: factsOf() });
    world.hang();
    const lost = new CloudAmbiguousError('StopInstances', 'ECONNRESET');
    world.book.fail('StopInstances', lost);
    await expect(fence(world)).rejects.toThrow(CloudAmbiguousError);
    world.cloud.refusals.set('skip', 'wrong-state');
    world.clock.advance(10_000);
    world.clock.after(2_000, () => {
      world.cloud.checks.set(ids.failed, checksOf());
      world.dcos.silent.clear();
    });
    expect((await fence(world)).kind).toBe('waiting');
    const { fence: written } = await world.incident();
    expect(written?.rungs).toMatchObject([{ method: 'skip' }]);
    expect(written?.rungs[0]).not.toHaveProperty('acceptedAt');
    world.clock.advance(60_000);
    expect(await fence(world)).toEqual({ kind: 'cancelled' });
  });

  it('counts as sent when its repeat finds the machine stopped, Force as weak', async () => {
    const world = createWorld();
    await world.given({ facts: factsOf() });
    world.hang();
    world.cloud.refusals.set('skip', 'skip-unsupported');
    loseAnswer(world, 'force');
    await expect(fence(world)).rejects.toThrow(CloudAmbiguousError);
    // One read lags, so the command is given again; by then the machine is down.
    world.cloud.setInstance(ids.failed, { state: 'running' });
    world.cloud.refusals.set('force', 'wrong-state');
    world.clock.after(100, () => world.cloud.setInstance(ids.failed, { state: 'stopped' }));
    await fence(world);
    expect((await world.incident()).fence).toMatchObject({ method: 'force', strength: 'weak' });
  });
});

describe('what is written late', () => {
  it('does not undo what was written after it: the first rung stays in the ledger', async () => {
    const world = createWorld();
    await world.given({ facts: factsOf() });
    world.hang();
    world.cloud.downMs.skip = Number.POSITIVE_INFINITY;
    const { ledger } = world;
    const save = ledger.save.bind(ledger);
    // The first write takes longer than the reads and the stop beside it.
    ledger.save = async (...args) => {
      ledger.save = save;
      for (let i = 0; i < 200; i += 1) await Promise.resolve();
      return save(...args);
    };
    await fence(world);
    expect((await world.incident()).fence?.rungs.map(({ method }) => method)).toEqual(['skip']);
  });
});

describe('EC2 is slow to let go', () => {
  it('and a volume is not held before the partial deadline, over several invocations', async () => {
    const world = await proven();
    world.cloud.detachMs = Number.POSITIVE_INFINITY;
    let decision = await release(world);
    while (decision.kind === 'waiting') {
      world.clock.advance(decision.waitSeconds * 1000);
      decision = await release(world);
    }
    expect(decision.kind).toBe('held');
    expect(world.clock.now() - t(20)).toBeGreaterThanOrEqual(60_000);
    expect(world.clock.now() - t(20)).toBeLessThan(70_000);
    expect((await world.ledger.ownership(ids.data))?.state).toBe('claimed');
  });
});

describe('Mesos is slow to say what became of the agent', () => {
  it('and is not asked for ever: Marathon is told instead after a minute', async () => {
    const world = await released();
    world.dcos.goneAnswers.push(...Array.from({ length: 500 }, () => 'in-transition' as const));
    let decision = await createHandOff(world.deps)(input);
    while (decision.kind === 'waiting') {
      world.clock.advance(decision.waitSeconds * 1000);
      decision = await createHandOff(world.deps)(input);
    }
    expect(decision.kind).toBe('handedOff');
    expect((await world.incident()).handOff?.method).toBe('wait-unreachable');
    expect(world.book.names.length).toBeLessThan(70);
  });

  it('and Marathon replaces its task however late it is called unreachable', async () => {
    const world = await released();
    const handOff: HandOff = {
      startedAt: t(25),
      completedAt: t(26),
      agentIds: [ids.agent],
      method: 'wait-unreachable',
      appIds: ['/mysql'],
      heldAppIds: [],
    };
    await world.ledger.save(ids.incident, 1, { handOff }, t(26));
    world.clock.advance(1_200_000);
    world.dcos.allTasks = [taskOf({ state: 'TASK_UNREACHABLE' })];
    expect(await createVerifyRecovery(world.deps)(input)).toEqual({
      kind: 'hold',
      reason: 'recovery-not-seen',
    });
    expect(world.book.names).toEqual(['DELETE /v2/apps/tasks']);
  });
});

describe('a terminated instance forgets its volumes', () => {
  it('but the incident remembers what it saw at its first look', async () => {
    const world = createWorld();
    await world.given({ facts: factsOf() });
    await world.claimed();
    const { privateIp: _, ...gone } = instanceOf({ state: 'terminated', devices: [], tags: [] });
    world.cloud.instances.set(ids.failed, gone);
    world.cloud.free(ids.data);
    world.dcos.allTasks = [];
    const executionArn = world.workflow.arnOf('failover', (await world.incident()).executionName);
    expect(await createAssessAgent(world.deps)({ ...input, executionArn })).toEqual({
      kind: 'proceed',
    });
    expect((await world.incident()).facts).toMatchObject({
      agentIds: [ids.agent],
      privateIp: '10.0.0.7',
      volumes: [{ volumeId: ids.data }],
      tasks: [{ id: 'mysql.1' }],
    });
  });
});

describe('a record that nobody can read', () => {
  it('does not keep the sweep from taking up the others', async () => {
    const world = createWorld();
    await world.ledger.admit(cluster, signalOf());
    world.clock.advance(300_000);
    const { ledger } = world;
    const edited = incidentIdOf(cluster, ids.other, 1);
    const incident = ledger.incident.bind(ledger);
    ledger.openIncidents = async () => [edited, ids.incident];
    ledger.incident = async (id) => {
      if (id === edited) throw new CorruptRecordError(`INCIDENT#${id}/STATE`, 'was edited');
      return incident(id);
    };
    expect((await createSweep(world.deps)()).resumed).toEqual([ids.incident]);
    expect(world.counted).toContain('IncidentNotResumed');
  });
});
