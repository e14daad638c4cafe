import { describe, expect, it } from 'vitest';
import { createVerifyRecovery } from '../../../src/application/verify-recovery.ts';
import { OrchestratorUnavailableError } from '../../../src/domain/errors.ts';
import type { VolumeId } from '../../../src/domain/ids.ts';
import type { HandOff } from '../../../src/domain/incident.ts';
import { createWorld, type World } from '../../fakes/world.ts';
import {
  appOf,
  factsOf,
  freeVolume,
  ids,
  incidentVolumeOf,
  newTask,
  provenFence,
  recordOf,
  t,
  taskOf,
} from '../../support/build.ts';

const input = { incidentId: ids.incident, token: 1 };
const verify = (world: World) => createVerifyRecovery(world.deps)(input);
const verifyFor = async (world: World, seconds: number) => {
  const until = world.clock.now() + seconds * 1000;
  for (;;) {
    const decision = await verify(world);
    if (decision.kind !== 'waiting' || world.clock.now() >= until) return decision;
    world.clock.advance(decision.waitSeconds * 1000);
  }
};

/** Mesos was told at 26 s; MySQL waits in Marathon's queue for ten more seconds. */
const handedOff = async (change: Partial<HandOff> = {}): Promise<World> => {
  const world = createWorld();
  const handOff: HandOff = {
    startedAt: t(25),
    completedAt: t(26),
    agentIds: [ids.agent],
    method: 'mark-gone',
    appIds: ['/mysql'],
    heldAppIds: [],
    ...change,
  };
  await world.given({ facts: factsOf(), fence: provenFence(), handOff });
  await world.claimed({ state: 'released' });
  world.cloud.setInstance(ids.failed, { state: 'stopped' });
  world.cloud.free(ids.data);
  world.dcos.allTasks = [];
  world.dcos.queued = [{ appId: '/mysql', delayMs: 10_000 }];
  world.clock.advance(26_000);
  return world;
};

describe('VerifyRecovery', () => {
  it('has Marathon look for an offer at once, and believes what it then sees', async () => {
    const world = await handedOff();
    expect(await verify(world)).toEqual({ kind: 'recovered' });
    expect((await world.incident()).recovery?.apps).toEqual([
      {
        id: '/mysql',
        fromHost: '10.0.0.7',
        toHost: '10.0.0.8',
        toInstanceId: ids.spare,
        taskId: 'mysql.2',
        healthy: true,
      },
    ]);
  });

  it('writes the new owner down under the same epoch, and the mark of the next one', async () => {
    const world = await handedOff();
    await verify(world);
    expect(await world.ledger.ownership(ids.data)).toMatchObject({
      state: 'owned',
      owner: ids.spare,
      epoch: 1,
    });
    expect(world.book.calls.at(-1)).toEqual({
      call: 'CreateTags',
      target: ids.data,
      detail: { 'ebs-failover:epoch': '2' },
      intended: true,
    });
  });

  it('writes the mark that a run cut short after the new owner had left out', async () => {
    const world = await handedOff();
    const current = await world.ledger.ownership(ids.data);
    if (current === undefined) throw new Error('not claimed');
    const taken = { incidentId: ids.incident, token: 1, state: 'owned', owner: ids.spare } as const;
    await world.ledger.advance({ ...current, ...taken }, world.clock.now());
    await verify(world);
    expect(world.book.calls.at(-1)).toMatchObject({
      call: 'CreateTags',
      detail: { 'ebs-failover:epoch': '2' },
    });
  });

  it('is recovered though the mark of the next epoch could not be written', async () => {
    const world = await handedOff();
    world.book.fail('CreateTags', new Error('tags are down'));
    expect(await verify(world)).toEqual({ kind: 'recovered' });
  });

  it('never reports what it has not seen: without a new task it holds after ten minutes', async () => {
    const world = await handedOff();
    world.dcos.launch = () => undefined;
    expect(await verifyFor(world, 900)).toEqual({ kind: 'hold', reason: 'recovery-not-seen' });
    expect((await world.incident()).recovery).toBeUndefined();
    expect((await world.incident()).hold?.says).toContain('/mysql: no new task yet');
    expect(world.clock.now() - t(26)).toBeGreaterThanOrEqual(600_000);
  });
  it('points at the key of an encrypted volume that nobody attaches', async () => {
    const world = await handedOff();
    world.dcos.launch = () => undefined;
    world.cloud.setVolume(ids.data, { state: 'available', attachments: [], kmsKeyId: 'key-1' });
    expect(await verifyFor(world, 900)).toEqual({ kind: 'hold', reason: 'recovery-not-seen' });
    expect((await world.incident()).hold?.says).toContain('see that its key key-1 is enabled');
  });

  it('says at once that an app runs on an empty volume, because its own is gone', async () => {
    const world = await handedOff();
    world.cloud.volumesById.delete(ids.data);
    world.dcos.allTasks = [newTask()];
    expect(await verifyFor(world, 60)).toEqual({ kind: 'hold', reason: 'volume-lost' });
    expect((await world.incident()).hold?.says).toContain(ids.data);
    expect((await world.incident()).recovery).toBeUndefined();
  });

  it('asks EC2 nothing until Marathon says that the app serves', async () => {
    const world = await handedOff();
    let looks = 0;
    const { volumes } = world.deps.compute;
    world.deps.compute.volumes = (ids) => {
      looks += 1;
      return volumes.call(world.deps.compute, ids);
    };
    expect(await verify(world)).toEqual({ kind: 'recovered' });
    expect(world.clock.now() - t(26)).toBeGreaterThanOrEqual(1_000);
    expect(looks).toBe(1);
  });

  it('names what EC2 shows of a task that never got healthy', async () => {
    const world = await handedOff();
    world.dcos.launch = () => {
      world.dcos.queued = [];
      world.dcos.allTasks = [newTask({ alive: false })];
    };
    expect(await verifyFor(world, 900)).toEqual({ kind: 'hold', reason: 'recovery-not-seen' });
    expect((await world.incident()).hold?.says).toContain(`${ids.data} is not attached to`);
  });

  it('sees a recovery that comes late, after it was held', async () => {
    const world = await handedOff();
    world.dcos.launch = () => undefined;
    await verifyFor(world, 900);
    world.cloud.attach(ids.data, ids.spare);
    world.dcos.allTasks = [newTask()];
    expect(await verify(world)).toEqual({ kind: 'recovered' });
  });

  it('clears a delay once per look at most, and not while Marathon waits for offers', async () => {
    const world = await handedOff();
    world.dcos.launch = () => undefined;
    await verify(world);
    expect(world.book.names).toEqual(['DELETE /v2/queue/delay']);
  });

  it('lets Marathon replace a task only after Mesos called it unreachable', async () => {
    const world = await handedOff({ method: 'wait-unreachable' });
    world.dcos.queued = [];
    world.dcos.allTasks = [taskOf()];
    world.clock.after(20_000, () => {
      world.dcos.allTasks = [taskOf({ state: 'TASK_UNREACHABLE' })];
    });
    const started = world.clock.now();
    let replacedAt = 0;
    world.book.onCall = ({ call }) => {
      if (call !== 'DELETE /v2/apps/tasks') return;
      replacedAt = world.clock.now();
      world.dcos.queued = [{ appId: '/mysql', delayMs: 0 }];
    };
    expect(await verify(world)).toEqual({ kind: 'recovered' });
    expect(replacedAt - started).toBeGreaterThanOrEqual(20_000);
    expect(world.book.calls[0]).toMatchObject({ target: 'mysql.1', intended: true });
  });

  it('makes an update good that never came although Mesos said yes', async () => {
    const world = await handedOff();
    world.dcos.queued = [];
    world.dcos.allTasks = [taskOf({ state: 'TASK_UNREACHABLE' })];
    world.book.onCall = ({ call }) => {
      if (call === 'DELETE /v2/apps/tasks') world.dcos.queued = [{ appId: '/mysql', delayMs: 0 }];
    };
    expect(await verify(world)).toEqual({ kind: 'recovered' });
    expect(world.book.names[0]).toBe('DELETE /v2/apps/tasks');
    expect(world.clock.now() - t(26)).toBeGreaterThanOrEqual(20_000);
  });

  it('never touches a task on another agent', async () => {
    const world = await handedOff({ method: 'wait-unreachable' });
    world.dcos.queued = [];
    world.dcos.allTasks = [newTask({ state: 'TASK_UNREACHABLE' })];
    await verify(world);
    expect(world.book.names).not.toContain('DELETE /v2/apps/tasks');
  });

  it('throws what it cannot read, and changes nothing for it', async () => {
    const world = await handedOff();
    world.book.fail('tasks', new OrchestratorUnavailableError('GET /v2/tasks', '503'));
    await expect(verify(world)).rejects.toThrow(OrchestratorUnavailableError);
    expect(world.book.calls).toEqual([]);
    expect(await verify(world)).toEqual({ kind: 'recovered' });
  });

  it('says the same when it runs again', async () => {
    const world = await handedOff();
    await verify(world);
    const owned = await world.ledger.ownership(ids.data);
    expect(await verify(world)).toEqual({ kind: 'recovered' });
    expect(await world.ledger.ownership(ids.data)).toEqual(owned);
  });

  it('holds for the apps whose volume is not released, when the others are back', async () => {
    const second = 'vol-000000000000000d2' as VolumeId;
    const world = await handedOff({ heldAppIds: ['/postgres'] });
    const facts = factsOf({
      apps: [appOf(), appOf({ id: '/postgres' })],
      volumes: [incidentVolumeOf(), incidentVolumeOf({ volumeId: second, appIds: ['/postgres'] })],
    });
    await world.ledger.save(ids.incident, 1, { facts }, world.clock.now());
    await world.ledger.claim(undefined, recordOf({ volumeId: second }), t(1));
    world.cloud.volumesById.set(second, freeVolume({ volumeId: second }));
    expect(await verify(world)).toEqual({ kind: 'hold', reason: 'volume-stuck' });
    expect((await world.ledger.ownership(ids.data))?.state).toBe('owned');
    expect((await world.ledger.ownership(second))?.state).toBe('claimed');
  });
});
