import { describe, expect, it } from 'vitest';
import { createAssessAgent } from '../../../src/application/assess-agent.ts';
import { createFenceAgent } from '../../../src/application/fence-agent.ts';
import { createQuarantineAgent } from '../../../src/application/quarantine-agent.ts';
import { createSweep } from '../../../src/application/sweep.ts';
import { OrchestratorUnavailableError, TokenLostError } from '../../../src/domain/errors.ts';
import type { Quarantine } from '../../../src/domain/quarantine.ts';
import { runFailover } from '../../fakes/failover.ts';
import { createWorld, type World } from '../../fakes/world.ts';
import {
  agentOf,
  agentTags,
  appOf,
  attachmentOf,
  before,
  clusterTag,
  dcosOf,
  ids,
  instanceOf,
  newAgentId,
  quarantineOf,
  recordOf,
  signalOf,
  spareAgent,
  t,
  taskOf,
  volumeOf,
} from '../../support/build.ts';

const input = { incidentId: ids.incident, token: 1 };
const atHost = (change: Parameters<typeof agentOf>[0] = {}) =>
  agentOf({ agentId: newAgentId, ...change });

/** The failed agent was fenced, its app runs on the spare one, and somebody has started its host. */
const returned = async (change: Partial<Quarantine> = {}): Promise<World> => {
  const world = createWorld();
  await world.ledger.saveQuarantine('prod', quarantineOf(change));
  world.cloud.restart(ids.failed, before.relaunched);
  world.cloud.setInstance(ids.failed, { devices: instanceOf().devices.slice(0, 1) });
  world.cloud.attach(ids.data, ids.spare);
  world.dcos.allTasks = [taskOf({ host: '10.0.0.8', agentId: ids.spareAgent })];
  world.dcos.listed = [atHost(), ...world.dcos.listed.slice(1)];
  return world;
};
const withIncident = async (world: World): Promise<World> => {
  await world.given();
  return world;
};
const assess = async (world: World, change: Partial<World['deps']> = {}) => {
  const { executionName } = await world.incident();
  const executionArn = world.workflow.arnOf('failover', executionName);
  return createAssessAgent({ ...world.deps, ...change })({ ...input, executionArn });
};
const quarantine = (world: World) => createQuarantineAgent(world.deps)(input);
const whole = async (world: World, change: Partial<World['deps']> = {}) => {
  const invoke = <T>(_: string, step: (deps: World['deps']) => Promise<T>) =>
    step({ ...world.deps, ...change });
  return runFailover(world, invoke, 1);
};

describe('AssessAgent, of a fenced host that runs again,', () => {
  it('calls it returned, however well it is, and remembers the start it saw', async () => {
    const world = await withIncident(await returned());
    expect(await assess(world)).toEqual({ kind: 'returned' });
    const { facts, verdict } = await world.incident();
    expect(verdict?.kind).toBe('Returned');
    expect(facts).toMatchObject({ launchTime: before.relaunched, volumes: [] });
    expect(world.book.calls).toEqual([]);
  });

  it('does not take its old volume for its own while that is between two owners', async () => {
    const world = await withIncident(await returned());
    await createSweep(world.deps)();
    world.cloud.free(ids.data);
    expect(await assess(world)).toEqual({ kind: 'returned' });
    expect((await world.incident()).facts?.volumes).toEqual([]);
  });

  it('lets it be fenced again if a volume of the cluster is on it', async () => {
    const world = await withIncident(await returned());
    world.cloud.attach(ids.data, ids.failed);
    expect(await assess(world)).toEqual({ kind: 'proceed' });
    expect((await world.incident()).facts?.volumes).toMatchObject([{ volumeId: ids.data }]);
  });

  it('lets it be fenced again where that is the policy, with nothing on it', async () => {
    const world = await withIncident(await returned());
    expect(await assess(world, { returnedAgent: 'fence' })).toEqual({ kind: 'proceed' });
  });

  it('lets it be fenced again if a person has ordered its failover', async () => {
    const world = await returned();
    await world.ledger.admit('prod', signalOf({ source: 'operator', says: 'ana asked' }));
    await world.given();
    expect(await assess(world)).toEqual({ kind: 'proceed' });
  });

  it('asks a person about a volume on it that nobody can name', async () => {
    const world = await withIncident(await returned());
    world.cloud.setVolume(ids.data, { tags: [clusterTag], attachments: [attachmentOf()] });
    expect(await assess(world)).toMatchObject({ kind: 'hold', reason: 'ambiguous-scope' });
  });

  it('holds while the masters cannot be asked', async () => {
    const world = await withIncident(await returned());
    const down = async () => Promise.reject(new OrchestratorUnavailableError('GET_AGENTS', '503'));
    world.dcos.agents = down;
    expect(await assess(world)).toMatchObject({ kind: 'hold', reason: 'blind' });
  });

  it('has nothing against it once it is un-fenced', async () => {
    const world = await withIncident(await returned());
    const lifted = { by: 'ana', reason: 'repaired', at: t(0) };
    await world.ledger.saveQuarantine('prod', quarantineOf({ lifted }));
    expect(await assess(world)).toEqual({ kind: 'cancelled' });
  });
});

describe('QuarantineAgent', () => {
  const assessed = async (change: Partial<Quarantine> = {}): Promise<World> => {
    const world = await withIncident(await returned(change));
    await assess(world);
    return world;
  };

  it('takes offers from whatever agent registers there, and tags the machine for people', async () => {
    const world = await assessed();
    expect(await quarantine(world)).toEqual({ kind: 'quarantined' });
    expect(world.book.calls).toMatchObject([
      { call: 'DEACTIVATE_AGENT', target: newAgentId, intended: true },
      { call: 'CreateTags', target: ids.failed, intended: true },
    ]);
    const run = { launchTime: before.relaunched, agentIds: [newAgentId] };
    expect((await world.incident()).quarantine).toMatchObject(run);
    expect((await world.ledger.quarantine('prod', ids.failed))?.returned).toMatchObject(run);
  });

  it('repeats nothing that is done', async () => {
    const world = await assessed();
    await quarantine(world);
    await quarantine(world);
    expect(world.book.names).toEqual(['DEACTIVATE_AGENT', 'CreateTags']);
  });

  it('waits while the host may still register, and ends when Mesos goes on refusing it', async () => {
    const world = await assessed();
    world.dcos.listed = world.dcos.listed.slice(1);
    expect(await quarantine(world)).toEqual({ kind: 'waiting', waitSeconds: 5 });
    world.clock.advance(180_000);
    expect(await quarantine(world)).toEqual({ kind: 'quarantined' });
    expect((await world.incident()).quarantine?.agentIds).toEqual([]);
  });

  it('does not call it quarantined before the master lists no active agent there', async () => {
    const world = await assessed();
    world.book.onCall = ({ call }) => {
      if (call !== 'DEACTIVATE_AGENT') return;
      const late = atHost({ agentId: ids.agent });
      if (!world.dcos.listed.includes(late)) world.dcos.listed = [...world.dcos.listed, late];
      world.book.onCall = undefined;
    };
    expect(await quarantine(world)).toMatchObject({ kind: 'waiting' });
    expect((await world.incident()).quarantine).toBeUndefined();
    expect(await quarantine(world)).toEqual({ kind: 'quarantined' });
    expect(world.book.names.filter((call) => call === 'DEACTIVATE_AGENT')).toHaveLength(2);
  });

  it.each<[string, (world: World) => void]>([
    ['a volume of the cluster is on it', (world) => world.cloud.attach(ids.data, ids.failed)],
    ['it goes off again', (world) => world.cloud.setInstance(ids.failed, { state: 'stopping' })],
  ])('changes nothing and has it looked at anew when %s', async (_, happens) => {
    const world = await assessed();
    happens(world);
    expect(await quarantine(world)).toEqual({ kind: 'changed', waitSeconds: 1 });
    expect(world.book.calls).toEqual([]);
  });

  it('has it looked at anew if a volume comes while it is quarantined', async () => {
    const world = await assessed();
    world.book.onCall = () => world.cloud.attach(ids.data, ids.failed);
    expect(await quarantine(world)).toMatchObject({ kind: 'changed' });
    expect((await world.incident()).quarantine).toBeUndefined();
  });

  it('holds, and says what can be done, where this Mesos cannot keep work from an agent', async () => {
    const world = await assessed();
    world.dcos.dcos = dcosOf({ version: '1.13.4', deactivateAgent: false });
    expect(await quarantine(world)).toEqual({ kind: 'hold', reason: 'returned-agent' });
    expect((await world.incident()).hold?.says).toMatch(/a1b2-S77.*DC\/OS 1\.13\.4.*Stop the inst/);
    expect(world.book.calls).toEqual([]);
  });

  it('quarantines on such a Mesos too while its old id is refused', async () => {
    const world = await assessed();
    world.dcos.dcos = dcosOf({ version: '1.13.4', deactivateAgent: false });
    world.dcos.listed = world.dcos.listed.slice(1);
    world.clock.advance(180_000);
    expect(await quarantine(world)).toEqual({ kind: 'quarantined' });
  });

  it('touches no machine that is not the cluster’s any more', async () => {
    const world = await assessed();
    world.cloud.setInstance(ids.failed, { tags: agentTags.slice(1) });
    expect(await quarantine(world)).toMatchObject({ kind: 'hold', reason: 'ambiguous-scope' });
    expect(world.book.calls).toEqual([]);
  });

  it('gives way to a person who un-fences it', async () => {
    const world = await assessed();
    const lifted = { by: 'ana', reason: 'repaired', at: t(0) };
    await world.ledger.saveQuarantine('prod', quarantineOf({ lifted }));
    expect(await quarantine(world)).toEqual({ kind: 'cancelled' });
    expect(world.book.calls).toEqual([]);
  });

  it('changes nothing while the cluster is paused, nor under a token that is over', async () => {
    const world = await assessed();
    world.paused();
    expect(await quarantine(world)).toMatchObject({ kind: 'hold', reason: 'paused' });
    world.unpaused();
    await world.takenOver();
    await expect(quarantine(world)).rejects.toThrow(TokenLostError);
    expect(world.book.calls).toEqual([]);
  });

  it('does not take an unknown instance for gone', async () => {
    const world = await assessed();
    world.cloud.instances.delete(ids.failed);
    expect(await quarantine(world)).toMatchObject({ kind: 'hold', reason: 'unknown-incarnation' });
  });

  it('passes on what Mesos did not answer', async () => {
    const world = await assessed();
    world.book.fail('DEACTIVATE_AGENT', new OrchestratorUnavailableError('DEACTIVATE', '503'));
    await expect(quarantine(world)).rejects.toThrow(OrchestratorUnavailableError);
    expect((await world.incident()).quarantine).toBeUndefined();
  });
});

describe('a returned host, from signal to end,', () => {
  it('ends recovered, without a fence, and its volume’s new owner is left alone', async () => {
    const world = await withIncident(await returned());
    expect(await whole(world)).toBe('recovered');
    const { fence, handOff, status } = await world.incident();
    expect({ fence, handOff, status }).toEqual({ status: 'recovered' });
    expect(world.book.names).toEqual(['DEACTIVATE_AGENT', 'CreateTags']);
    expect(world.cloud.volumesById.get(ids.data)?.attachments[0]?.instanceId).toBe(ids.spare);
  });

  it('is fenced by policy, with nothing to detach, and stays in quarantine', async () => {
    const world = await withIncident(await returned());
    expect(await whole(world, { returnedAgent: 'fence' })).toBe('recovered');
    expect(world.book.names).not.toContain('DetachVolume');
    expect(world.book.names).toContain('StopInstances');
    expect(await world.ledger.quarantine('prod', ids.failed)).toMatchObject({
      incidentId: ids.incident,
      launchTime: before.relaunched,
    });
  });

  it('is fenced by policy although Mesos does not know it', async () => {
    const world = await withIncident(await returned());
    world.dcos.listed = world.dcos.listed.slice(1);
    expect(await whole(world, { returnedAgent: 'fence' })).toBe('recovered');
  });

  it('with a volume that was attached to it is fenced, and the volume goes to its app', async () => {
    const world = await withIncident(await returned());
    await world.ledger.claim(undefined, recordOf({ incidentId: quarantineOf().incidentId }), t(0));
    const owned = recordOf({ incidentId: quarantineOf().incidentId, state: 'owned' });
    await world.ledger.advance({ ...owned, owner: ids.spare }, t(0));
    world.cloud.attach(ids.data, ids.failed);
    world.dcos.allTasks = [taskOf({ agentId: newAgentId })];
    expect(await whole(world)).toBe('recovered');
    expect(await world.ledger.ownership(ids.data)).toMatchObject({ epoch: 2, owner: ids.spare });
    expect(world.cloud.volumesById.get(ids.data)?.attachments[0]?.instanceId).toBe(ids.spare);
  });
});

describe('FenceAgent, of a returned host that is well,', () => {
  const about = async (): Promise<World> => {
    const world = await withIncident(await returned());
    await assess(world, { returnedAgent: 'fence' });
    return world;
  };

  it('needs no other fault than that it runs', async () => {
    const world = await about();
    expect(await createFenceAgent(world.deps)(input)).toMatchObject({ kind: 'fenced' });
  });

  it('does not fence another start than the one that was assessed', async () => {
    const world = await about();
    world.cloud.restart(ids.failed, new Date(t(-5)).toISOString() as typeof before.relaunched);
    expect(await createFenceAgent(world.deps)(input)).toEqual({ kind: 'cancelled' });
    expect(world.book.names).toEqual([]);
  });

  it('does not fence blind', async () => {
    const world = await about();
    const down = async () => Promise.reject(new OrchestratorUnavailableError('GET_AGENTS', '503'));
    world.dcos.agents = down;
    expect(await createFenceAgent(world.deps)(input)).toMatchObject({ reason: 'blind' });
    expect(world.book.names).toEqual([]);
  });
});

describe('the sweep', () => {
  const sweep = (world: World) => createSweep(world.deps)();
  const found = async (world: World) => (await sweep(world)).returned;
  const dealtWith = async (world: World): Promise<void> => {
    await whole(world);
    world.workflow.started.splice(0);
  };

  it('finds a fenced host that runs again, and has it looked at', async () => {
    const world = await returned();
    expect(await sweep(world)).toMatchObject({ returned: [ids.failed], found: [] });
    const { signals } = await world.incident();
    expect(signals).toMatchObject([{ source: 'sweep', instanceId: ids.failed }]);
    expect(signals[0]?.says).toMatch(/prod#i-\w+#7 had fenced it.*agent a1b2-S77 takes work/);
    expect(world.workflow.started).toHaveLength(1);
    expect(world.counted).toContain('ReturnedHostFound');
  });

  it('finds it while it is starting, and although Mesos does not answer', async () => {
    const world = await returned();
    world.cloud.setInstance(ids.failed, { state: 'pending' });
    world.book.fail('agents', new OrchestratorUnavailableError('GET_AGENTS', '503'));
    expect(await sweep(world)).toMatchObject({ blind: true, returned: [ids.failed] });
  });

  it('finds it once, and leaves it alone while it is as it was left', async () => {
    const world = await returned();
    expect(await found(world)).toEqual([ids.failed]);
    expect(await found(world)).toEqual([]);
    await dealtWith(world);
    world.clock.advance(60_000);
    expect(await found(world)).toEqual([]);
  });

  it.each<[string, (world: World) => void]>([
    [
      'another agent registers there',
      (world) => {
        world.dcos.listed = [...world.dcos.listed, atHost({ agentId: ids.agent })];
      },
    ],
    [
      'a volume of the cluster is attached to it',
      (world) => world.cloud.attach(ids.data, ids.failed),
    ],
    [
      'it is started once more',
      (world) =>
        world.cloud.restart(ids.failed, new Date(t(200)).toISOString() as typeof before.launched),
    ],
  ])('finds it again when %s', async (_, happens) => {
    const world = await returned();
    await found(world);
    await dealtWith(world);
    happens(world);
    expect(await found(world)).toEqual([ids.failed]);
  });

  it('finds the same again after ten minutes if it is still so, not each minute', async () => {
    const world = await returned();
    await found(world);
    await dealtWith(world);
    world.dcos.listed = [atHost(), ...world.dcos.listed.slice(1)];
    expect(await found(world)).toEqual([]);
    world.clock.advance(600_000);
    expect(await found(world)).toEqual([ids.failed]);
  });

  it('keeps no inventory of it, has nothing adopted from it, and misses nothing of it', async () => {
    const world = await returned();
    world.cloud.setVolume(ids.data, {
      tags: volumeOf().tags.slice(0, 1),
      attachments: [attachmentOf()],
    });
    expect(await sweep(world)).toMatchObject({ found: [] });
    expect(await world.ledger.inventory(ids.failed)).toBeUndefined();
    expect(world.adoptions).toEqual([]);
  });

  it.each<[string, (world: World) => unknown]>([
    ['is stopped', (world) => world.cloud.setInstance(ids.failed, { state: 'stopped' })],
    [
      'is of another cluster by now',
      (world) => world.cloud.setInstance(ids.failed, { tags: [{ ...clusterTag, value: 'other' }] }),
    ],
    ['is in maintenance', (world) => world.inMaintenance()],
    ['is in a paused cluster', (world) => world.paused()],
    ['has an incident', (world) => world.given()],
    [
      'is being un-fenced',
      (world) =>
        world.ledger.saveQuarantine(
          'prod',
          quarantineOf({ lifted: { by: 'ana', reason: 'repaired', at: t(0) } }),
        ),
    ],
  ])('does not find a fenced host that %s', async (_, arrange) => {
    const world = await returned();
    await arrange(world);
    expect(await found(world)).toEqual([]);
    expect(world.workflow.started).toEqual([]);
  });

  it('finds others although one cannot be looked at', async () => {
    const world = await returned();
    await world.ledger.saveQuarantine('prod', quarantineOf({ instanceId: ids.other }));
    world.cloud.restart(ids.other, before.relaunched);
    const { lastIncidentOf } = world.ledger;
    world.ledger.lastIncidentOf = (cluster, id) =>
      id === ids.other
        ? Promise.reject(new Error('corrupt'))
        : lastIncidentOf.call(world.ledger, cluster, id);
    expect(await found(world)).toEqual([ids.failed]);
    expect(world.counted).toContain('ReturnedHostNotLookedAt');
  });

  it('forgets a host that was terminated, or that EC2 has not known for an hour', async () => {
    const world = await returned();
    await world.ledger.saveQuarantine('prod', quarantineOf({ instanceId: ids.other, since: t(0) }));
    world.cloud.setInstance(ids.failed, { state: 'terminated' });
    world.cloud.instances.delete(ids.other);
    await sweep(world);
    expect((await world.ledger.quarantines('prod')).map((q) => q.instanceId)).toEqual([ids.other]);
    world.clock.advance(3_600_000);
    await sweep(world);
    expect(await world.ledger.quarantines('prod')).toEqual([]);
  });

  it('finds data on it that is off again after it was quarantined', async () => {
    const world = await returned();
    await found(world);
    await dealtWith(world);
    world.cloud.setInstance(ids.failed, { state: 'stopped' });
    world.cloud.attach(ids.data, ids.failed);
    expect((await sweep(world)).found).toEqual([ids.failed]);
  });

  it('does not take a volume that is between two owners for what it had', async () => {
    const world = createWorld();
    await sweep(world);
    await world.ledger.saveQuarantine('prod', quarantineOf());
    world.cloud.setInstance(ids.failed, { state: 'stopped', launchTime: before.relaunched });
    world.cloud.free(ids.data);
    expect((await sweep(world)).found).toEqual([]);
  });
});

it('a host in quarantine gives no volume to adopt', async () => {
  const { createAdopt } = await import('../../../src/application/adopt.ts');
  const world = await returned();
  world.dcos.allApps = [appOf()];
  world.dcos.listed = [atHost(), spareAgent()];
  world.cloud.setVolume(ids.data, {
    tags: volumeOf().tags.slice(0, 1),
    attachments: [attachmentOf()],
  });
  expect(await createAdopt(world.deps)()).toMatchObject({ volumeIds: [] });
  await world.ledger.endQuarantine('prod', quarantineOf());
  expect(await createAdopt(world.deps)()).toMatchObject({ volumeIds: [ids.data] });
});
