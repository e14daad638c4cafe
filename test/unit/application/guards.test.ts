import { describe, expect, it } from 'vitest';
import { createAssessAgent } from '../../../src/application/assess-agent.ts';
import { createCloseIncident } from '../../../src/application/close-incident.ts';
import { createFenceAgent } from '../../../src/application/fence-agent.ts';
import { createHandOff } from '../../../src/application/hand-off.ts';
import { createHoldIncident } from '../../../src/application/hold-incident.ts';
import { createProtectData } from '../../../src/application/protect-data.ts';
import { createReleaseVolume } from '../../../src/application/release-volume.ts';
import { createUndoProtection } from '../../../src/application/undo-protection.ts';
import { createVerifyRecovery } from '../../../src/application/verify-recovery.ts';
import { IncidentNotFoundError, TokenLostError } from '../../../src/domain/errors.ts';
import type { IncidentPatch } from '../../../src/domain/incident.ts';
import { createWorld, type World } from '../../fakes/world.ts';
import { factsOf, ids, provenFence, t, taskOf } from '../../support/build.ts';

const input = { incidentId: ids.incident, token: 1, volumeId: ids.data };
const assessInput = { ...input, executionArn: 'arn:aws:states:::execution:failover:mine' };
const handOff: IncidentPatch['handOff'] = {
  startedAt: t(25),
  completedAt: t(26),
  agentIds: [ids.agent],
  method: 'wait-unreachable',
  appIds: ['/mysql'],
  heldAppIds: [],
};
const protection: IncidentPatch['protection'] = {
  deactivatedAgentIds: [ids.agent],
  autoScaling: { kind: 'suspended', group: 'agents' },
};
const down = (world: World): void => {
  world.cloud.setInstance(ids.failed, { state: 'stopped' });
  world.clock.advance(25_000);
};

interface Step {
  readonly name: string;
  readonly patch: IncidentPatch;
  readonly ready: (world: World) => void | Promise<void>;
  readonly run: (world: World) => Promise<unknown>;
}

/** Every step, each in a world where it has something to change right away. */
const steps: readonly Step[] = [
  {
    name: 'AssessAgent',
    patch: {},
    ready: (world) => world.hang(),
    run: (world) =>
      createAssessAgent(world.deps)({
        ...assessInput,
        executionArn: world.workflow.arnOf('failover', `fo-${ids.failed}-1-1`),
      }),
  },
  {
    name: 'ProtectData',
    patch: { facts: factsOf() },
    ready: (world) => world.hang(),
    run: (world) => createProtectData(world.deps)(input),
  },
  {
    name: 'FenceAgent',
    patch: { facts: factsOf() },
    ready: (world) => world.hang(),
    run: (world) => createFenceAgent(world.deps)(input),
  },
  {
    name: 'ReleaseVolume',
    patch: { facts: factsOf(), fence: provenFence() },
    ready: async (world) => {
      await world.claimed();
      down(world);
    },
    run: (world) => createReleaseVolume(world.deps)({ ...input, volumeIds: [ids.data] }),
  },
  {
    name: 'HandOff',
    patch: { facts: factsOf(), fence: provenFence() },
    ready: async (world) => {
      await world.claimed({ state: 'released' });
      world.cloud.free(ids.data);
      down(world);
    },
    run: (world) => createHandOff(world.deps)(input),
  },
  {
    name: 'VerifyRecovery',
    patch: { facts: factsOf(), fence: provenFence(), handOff },
    ready: async (world) => {
      await world.claimed({ state: 'released' });
      world.cloud.free(ids.data);
      down(world);
      world.dcos.allTasks = [taskOf({ state: 'TASK_UNREACHABLE' })];
      world.dcos.queued = [{ appId: '/mysql', delayMs: 0 }];
    },
    run: (world) => createVerifyRecovery(world.deps)(input),
  },
  {
    name: 'UndoProtection',
    patch: { facts: factsOf(), protection },
    ready: () => undefined,
    run: (world) => createUndoProtection(world.deps)(input),
  },
  {
    name: 'CloseIncident',
    patch: { facts: factsOf(), protection, recovery: { apps: [], at: t(60) } },
    ready: () => undefined,
    run: (world) => createCloseIncident(world.deps)(input),
  },
];
/** The steps that change the world outside of the ledger while an operator may still say stop. */
const mutating = steps.filter(({ name }) =>
  ['ProtectData', 'FenceAgent', 'ReleaseVolume', 'HandOff', 'VerifyRecovery'].includes(name),
);

const ready = async (step: Step): Promise<World> => {
  const world = createWorld();
  await world.given(step.patch);
  await step.ready(world);
  return world;
};

describe.each(steps)('$name', (step) => {
  it('calls nothing and writes nothing under a token that moved on', async () => {
    const world = await ready(step);
    await world.takenOver();
    const before = await world.incident();
    await expect(step.run(world)).rejects.toThrow(TokenLostError);
    expect(world.book.calls).toEqual([]);
    expect(await world.incident()).toEqual(before);
  });

  it('does not make an incident up', async () => {
    const world = createWorld();
    await step.ready(world);
    await expect(step.run(world)).rejects.toThrow(IncidentNotFoundError);
    expect(world.book.calls).toEqual([]);
  });
});

describe.each(steps.filter(({ name }) => name !== 'CloseIncident'))('$name', (step) => {
  it('calls nothing for an incident that is over', async () => {
    const world = await ready(step);
    await world.ledger.close(ids.incident, 1, { status: 'cancelled' }, world.clock.now());
    await expect(step.run(world)).rejects.toThrow(TokenLostError);
    expect(world.book.calls).toEqual([]);
  });
});

describe.each(mutating)('$name', (step) => {
  it('has something to change in this test', async () => {
    const world = await ready(step);
    await step.run(world);
    expect(world.book.calls.length).toBeGreaterThan(0);
  });

  it('writes the intent of every call down before it makes it, and what became of it', async () => {
    const world = await ready(step);
    await step.run(world);
    expect(world.book.calls.filter(({ intended }) => !intended)).toEqual([]);
    const audit = await world.ledger.audit(ids.incident);
    expect(audit).toHaveLength(world.book.calls.length);
    expect(audit.filter(({ outcome }) => outcome === undefined)).toEqual([]);
  });

  it('changes nothing while the cluster is paused, and goes on after', async () => {
    const world = await ready(step);
    world.paused();
    await step.run(world);
    expect(world.book.calls).toEqual([]);
    world.unpaused();
    await step.run(world);
    expect(world.book.calls.length).toBeGreaterThan(0);
  });

  it('changes nothing while maintenance of the instance is declared', async () => {
    const world = await ready(step);
    world.inMaintenance();
    await step.run(world);
    expect(world.book.calls).toEqual([]);
  });

  it('does not mind a pause that is over, or the maintenance of another instance', async () => {
    const world = await ready(step);
    const until = world.clock.now();
    world.ledger.setControl('prod', {
      paused: { by: 'ops', reason: 'game day', until },
      maintenance: {
        [ids.spare]: { by: 'ops', until: t(99_999) },
        [ids.failed]: { by: 'ops', until },
      },
    });
    await step.run(world);
    expect(world.book.calls.length).toBeGreaterThan(0);
  });
});

describe('HoldIncident', () => {
  it('writes nothing under a token that moved on', async () => {
    const world = createWorld();
    await world.given({});
    await world.takenOver();
    const failure = { error: 'CloudUnavailableError' };
    await expect(createHoldIncident(world.deps)({ ...input, failure })).rejects.toThrow(
      TokenLostError,
    );
    expect((await world.incident()).hold).toBeUndefined();
  });
});
