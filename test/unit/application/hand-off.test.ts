import { describe, expect, it } from 'vitest';
import { createHandOff } from '../../../src/application/hand-off.ts';
import {
  OrchestratorRefusedError,
  OrchestratorUnavailableError,
  TokenLostError,
} from '../../../src/domain/errors.ts';
import type { AgentId, VolumeId } from '../../../src/domain/ids.ts';
import type { IncidentPatch } from '../../../src/domain/incident.ts';
import { createWorld, type World } from '../../fakes/world.ts';
import {
  appOf,
  dcosOf,
  factsOf,
  freeVolume,
  ids,
  incidentVolumeOf,
  provenFence,
  recordOf,
  spareAgent,
  t,
  volumeTags,
} from '../../support/build.ts';

const input = { incidentId: ids.incident, token: 1 };
const handOff = (world: World) => createHandOff(world.deps)(input);

/** The agent is down and proven, its volume free and recorded as released. */
const released = async (
  change: Parameters<typeof createWorld>[0] = {},
  patch: IncidentPatch = {},
): Promise<World> => {
  const world = createWorld(change);
  await world.given({ facts: factsOf(), fence: provenFence(), ...patch });
  await world.claimed({ state: 'released' });
  world.cloud.setInstance(ids.failed, { state: 'stopped' });
  world.cloud.free(ids.data);
  world.clock.advance(25_000);
  return world;
};

describe('HandOff', () => {
  it('marks the agent gone, then clears the launch delay', async () => {
    const world = await released();
    expect(await handOff(world)).toEqual({ kind: 'handedOff' });
    expect(world.book.calls).toMatchObject([
      { call: 'MARK_AGENT_GONE', target: ids.agent, intended: true },
      { call: 'DELETE /v2/queue/delay', target: '/mysql', intended: true },
    ]);
    expect((await world.incident()).handOff).toMatchObject({
      method: 'mark-gone',
      agentIds: [ids.agent],
      appIds: ['/mysql'],
      heldAppIds: [],
      completedAt: expect.any(Number),
    });
  });

  it('has the hand-off in the ledger before Mesos is told', async () => {
    const world = await released();
    let before: unknown;
    world.book.onCall = async ({ call }) => {
      if (call === 'MARK_AGENT_GONE') before = (await world.incident()).handOff;
    };
    await handOff(world);
    expect(before).toMatchObject({ agentIds: [ids.agent], startedAt: expect.any(Number) });
    expect(before).not.toHaveProperty('completedAt');
  });

  it('marks every id gone that the machine had', async () => {
    const older = 'a1b2-S3' as AgentId;
    const world = await released({}, { facts: factsOf({ agentIds: [older, ids.agent] }) });
    await handOff(world);
    expect(
      world.book.calls.filter((c) => c.call === 'MARK_AGENT_GONE').map((c) => c.target),
    ).toEqual([older, ids.agent]);
  });

  it('tells nobody while a volume is not released', async () => {
    const world = await released();
    await world.ledger.advance(recordOf({ state: 'held' }), t(26));
    expect((await handOff(world)).kind).toBe('waiting');
    expect(world.book.calls).toEqual([]);
  });

  it('tells nobody without the proof', async () => {
    const { proof: _, ...fence } = provenFence();
    const world = await released({}, { fence });
    expect(await handOff(world)).toEqual({ kind: 'hold', reason: 'proof-void' });
    expect(world.book.calls).toEqual([]);
  });

  it('holds while no agent in the zone has room, and goes on when one registers', async () => {
    const world = await released();
    world.dcos.listed = world.dcos.listed.filter(({ agentId }) => agentId === ids.agent);
    expect(await handOff(world)).toEqual({ kind: 'hold', reason: 'no-placement' });
    expect(world.book.calls).toEqual([]);
    world.dcos.listed.push(spareAgent());
    expect((await handOff(world)).kind).toBe('handedOff');
  });

  it('holds while another volume carries the name', async () => {
    const world = await released();
    const twin = freeVolume({ volumeId: 'vol-000000000000000e1' as VolumeId });
    world.cloud.volumesById.set(twin.volumeId, twin);
    expect(await handOff(world)).toEqual({ kind: 'hold', reason: 'duplicate-volume-name' });
    expect(world.book.calls).toEqual([]);
  });

  it('holds while the I/O of a volume is stopped, until a person has looked', async () => {
    const world = await released();
    world.cloud.conditions.set(ids.data, { volumeId: ids.data, io: 'impaired', modifying: false });
    expect(await handOff(world)).toEqual({ kind: 'hold', reason: 'volume-not-usable' });
    expect(world.book.calls).toEqual([]);
    const acknowledged = ['volume-not-usable'] as const;
    await world.ledger.save(ids.incident, 1, { acknowledged }, world.clock.now());
    expect((await handOff(world)).kind).toBe('handedOff');
  });

  it('holds while a volume is being modified', async () => {
    const world = await released();
    world.cloud.conditions.set(ids.data, { volumeId: ids.data, io: 'ok', modifying: true });
    expect(await handOff(world)).toEqual({ kind: 'hold', reason: 'volume-not-usable' });
    world.cloud.conditions.clear();
    expect((await handOff(world)).kind).toBe('handedOff');
  });

  it('does not destroy local persistent volumes that nobody acknowledged', async () => {
    const world = await released();
    world.dcos.allApps = [appOf({ hasLocalVolumes: true })];
    expect(await handOff(world)).toEqual({ kind: 'hold', reason: 'local-persistent-volumes' });
    expect(world.book.calls).toEqual([]);
    await world.ledger.save(
      ids.incident,
      1,
      { acknowledged: ['local-persistent-volumes'] },
      world.clock.now(),
    );
    expect((await handOff(world)).kind).toBe('handedOff');
  });

  it('does not mark an agent gone that Mesos lists on another machine', async () => {
    const world = await released();
    world.dcos.listed = [
      { ...spareAgent(), agentId: ids.agent, hostname: '10.0.0.99' },
      spareAgent(),
    ];
    expect(await handOff(world)).toEqual({ kind: 'hold', reason: 'no-agent-id' });
    expect(world.book.calls).toEqual([]);
  });

  it('holds when nobody knows which agent it was', async () => {
    const world = await released({}, { facts: factsOf({ agentIds: [] }) });
    expect(await handOff(world)).toEqual({ kind: 'hold', reason: 'no-agent-id' });
  });

  it('asks again while Mesos is in the middle of it', async () => {
    const world = await released();
    world.dcos.goneAnswers.push('in-transition');
    expect(await handOff(world)).toEqual({ kind: 'waiting', waitSeconds: 1 });
    expect((await world.incident()).handOff).not.toHaveProperty('completedAt');
    expect((await handOff(world)).kind).toBe('handedOff');
  });

  it('lets Marathon be told instead when Mesos does not know the agent any more', async () => {
    const world = await released();
    world.dcos.goneAnswers.push('unknown-agent');
    expect((await handOff(world)).kind).toBe('handedOff');
    expect((await world.incident()).handOff?.method).toBe('wait-unreachable');
  });

  it('is done when Mesos does not know the agent and no task is left on it', async () => {
    const world = await released();
    world.dcos.allTasks = [];
    world.dcos.goneAnswers.push('unknown-agent');
    expect((await handOff(world)).kind).toBe('handedOff');
    expect((await world.incident()).handOff?.method).toBe('mark-gone');
  });

  it('does not mark an unreachable agent gone on a build that would lose the update', async () => {
    const world = await released();
    world.dcos.dcos = dcosOf({ version: '1.11.6', markGoneOfUnreachableIsLost: true });
    world.dcos.listed = world.dcos.listed.filter(({ agentId }) => agentId !== ids.agent);
    expect((await handOff(world)).kind).toBe('handedOff');
    expect(world.book.names).not.toContain('MARK_AGENT_GONE');
    expect((await world.incident()).handOff?.method).toBe('wait-unreachable');
  });

  it('leaves the fence as it is when Mesos fails or refuses, and says so', async () => {
    const world = await released();
    const { fence } = await world.incident();
    world.book.fail(
      'MARK_AGENT_GONE',
      new OrchestratorUnavailableError('MARK_AGENT_GONE', 'ECONNRESET'),
    );
    await expect(handOff(world)).rejects.toThrow(OrchestratorUnavailableError);
    world.book.fail(
      'MARK_AGENT_GONE',
      new OrchestratorRefusedError('MARK_AGENT_GONE', '403', 'not allowed'),
    );
    await expect(handOff(world)).rejects.toThrow(OrchestratorRefusedError);
    expect((await world.incident()).fence).toEqual(fence);
    expect((await world.ledger.audit(ids.incident)).map((r) => r.outcome?.kind)).toEqual([
      'unknown',
      'refused',
    ]);
    expect((await handOff(world)).kind).toBe('handedOff');
  });

  it('calls nothing under a token that moved on', async () => {
    const world = await released();
    await world.takenOver();
    await expect(handOff(world)).rejects.toThrow(TokenLostError);
    expect(world.book.calls).toEqual([]);
  });
});

describe('a partial release', () => {
  const second = 'vol-000000000000000d2' as VolumeId;
  const half = async (change: Parameters<typeof createWorld>[0] = {}): Promise<World> => {
    const volumes = [
      incidentVolumeOf(),
      incidentVolumeOf({ volumeId: second, name: 'postgres', appIds: ['/postgres'] }),
    ];
    const apps = [appOf(), appOf({ id: '/postgres', externalVolumes: [{ name: 'postgres' }] })];
    const world = await released(change, { facts: factsOf({ volumes, apps }) });
    world.dcos.allApps = apps;
    await world.ledger.claim(undefined, recordOf({ volumeId: second, name: 'postgres' }), t(1));
    world.cloud.volumesById.set(
      second,
      freeVolume({ volumeId: second, tags: volumeTags('postgres') }),
    );
    world.cloud.attach(second, ids.failed);
    return world;
  };

  it('waits for the deadline, then hands over what is free and lists the rest as held', async () => {
    const world = await half();
    const waiting = await handOff(world);
    expect(waiting).toMatchObject({ kind: 'waiting' });
    expect(world.book.calls).toEqual([]);
    world.clock.advance(60_000);
    expect((await handOff(world)).kind).toBe('handedOff');
    expect((await world.incident()).handOff).toMatchObject({
      appIds: ['/mysql'],
      heldAppIds: ['/postgres'],
    });
  });

  it('is not handed over where REX-Ray preempts: it would take the volume by force', async () => {
    const world = await half({ rexrayPreempt: 'on' });
    world.clock.advance(60_000);
    expect(await handOff(world)).toEqual({ kind: 'hold', reason: 'volume-stuck' });
    expect(world.book.calls).toEqual([]);
  });

  it('clears only the delay of the app whose volume came late', async () => {
    const world = await half();
    world.clock.advance(60_000);
    await handOff(world);
    const before = world.book.calls.length;
    await world.ledger.advance(recordOf({ volumeId: second, state: 'released' }), t(100));
    world.cloud.free(second);
    world.dcos.queued.push({ appId: '/postgres', delayMs: 30_000 });
    expect((await handOff(world)).kind).toBe('handedOff');
    expect(world.book.calls.slice(before)).toMatchObject([
      { call: 'DELETE /v2/queue/delay', target: '/postgres', intended: true },
    ]);
    expect((await world.incident()).handOff).toMatchObject({
      appIds: ['/mysql', '/postgres'],
      heldAppIds: [],
    });
  });
});
