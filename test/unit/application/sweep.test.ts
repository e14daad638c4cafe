import { describe, expect, it } from 'vitest';
import { createIntake } from '../../../src/application/intake.ts';
import { createSweep } from '../../../src/application/sweep.ts';
import { OrchestratorUnavailableError } from '../../../src/domain/errors.ts';
import {
  type EpochMs,
  executionNameOf,
  type LaunchTime,
  type VolumeId,
} from '../../../src/domain/ids.ts';
import type { ExecutionStatus } from '../../../src/ports/workflow.ts';
import { createWorld, type World } from '../../fakes/world.ts';
import {
  agentOf,
  agentTags,
  attachmentOf,
  checksOf,
  clusterTag,
  factsOf,
  ids,
  instanceOf,
  signalOf,
  spareAgent,
  t,
  volumeOf,
  volumeTags,
} from '../../support/build.ts';

const spareData = 'vol-000000000000000d8' as VolumeId;
const sweep = (world: World) => createSweep(world.deps)();
const arn = (world: World) => world.workflow.arnOf('failover', executionNameOf(ids.failed, 1, 1));
const minutes = (world: World, n: number) => world.clock.advance(n * 60_000);
const inventory = (world: World) => world.ledger.inventory(ids.failed);

describe('warming', () => {
  it('happens every five minutes, which is more often than Lambda lets an environment go', async () => {
    const world = createWorld();
    const warmedAt: number[] = [];
    const functions = { warm: async () => void warmedAt.push(world.clock.now() / 60_000) };
    world.clock.advance(300_000 - (world.clock.now() % 300_000));
    const begun = world.clock.now() / 60_000;
    for (let minute = 0; minute < 11; minute++) {
      await createSweep({ ...world.deps, functions })();
      minutes(world, 1);
    }
    expect(warmedAt).toEqual([begun, begun + 5, begun + 10]);
  });
});

describe('resuming', () => {
  const quiet = async (status: ExecutionStatus): Promise<World> => {
    const world = createWorld();
    await world.given();
    world.workflow.statuses.set(arn(world), status);
    minutes(world, 5);
    return world;
  };

  it.each<ExecutionStatus>(['FAILED', 'TIMED_OUT', 'ABORTED', 'SUCCEEDED', 'UNKNOWN'])(
    'takes over an incident whose execution is %s without having ended it',
    async (status) => {
      const world = await quiet(status);
      expect((await sweep(world)).resumed).toEqual([ids.incident]);
      expect((await world.incident()).token).toBe(2);
      expect(world.workflow.started).toEqual([
        {
          mode: 'failover',
          name: executionNameOf(ids.failed, 1, 2),
          input: { incidentId: ids.incident, instanceId: ids.failed, token: 2 },
        },
      ]);
    },
  );

  it('leaves an incident alone whose execution runs, however quiet it is', async () => {
    const world = await quiet('RUNNING');
    minutes(world, 600);
    expect((await sweep(world)).resumed).toEqual([]);
    expect((await world.incident()).token).toBe(1);
  });

  it('does not take a moment of silence for death', async () => {
    const world = createWorld();
    await world.given();
    world.workflow.statuses.set(arn(world), 'FAILED');
    world.clock.advance(59_999);
    expect((await sweep(world)).resumed).toEqual([]);
    world.clock.advance(1);
    expect((await sweep(world)).resumed).toEqual([ids.incident]);
  });

  it('takes up a held incident when it is due, not before', async () => {
    const world = await quiet('SUCCEEDED');
    const now = world.clock.now();
    const retryAt = (now + 900_000) as EpochMs;
    const hold = { reason: 'no-placement', says: 'x', since: now, looks: 9, retryAt } as const;
    await world.ledger.save(ids.incident, 1, { status: 'held', hold }, now);
    world.clock.advance(899_999);
    expect((await sweep(world)).resumed).toEqual([]);
    world.clock.advance(1);
    expect((await sweep(world)).resumed).toEqual([ids.incident]);
  });

  it('takes up an incident whose opener died before it started an execution', async () => {
    const world = createWorld();
    await world.ledger.admit('prod', {
      key: 'e',
      source: 'ec2-state',
      instanceId: ids.failed,
      says: 'x',
      receivedAt: t(0),
    });
    minutes(world, 2);
    expect((await sweep(world)).resumed).toEqual([ids.incident]);
  });

  it('resumes once: the second sweep sees the new execution', async () => {
    const world = await quiet('FAILED');
    await sweep(world);
    minutes(world, 5);
    expect((await sweep(world)).resumed).toEqual([]);
  });

  it('does not resume what is over', async () => {
    const world = await quiet('SUCCEEDED');
    await world.ledger.close(ids.incident, 1, { status: 'recovered' }, t(1));
    expect((await sweep(world)).resumed).toEqual([]);
  });

  it('resumes although it cannot see the cluster, and says that it is blind', async () => {
    const world = await quiet('FAILED');
    world.book.fail('agents', new OrchestratorUnavailableError('GET_AGENTS', '503'));
    expect(await sweep(world)).toMatchObject({ blind: true, resumed: [ids.incident] });
    expect(world.counted).toContain('SweepBlind');
  });
});

describe('the inventory', () => {
  it('keeps what a dead agent can no longer tell', async () => {
    const world = createWorld();
    expect(await sweep(world)).toMatchObject({ agents: 3, blind: false });
    expect(await inventory(world)).toMatchObject({
      launchTime: ids.launched,
      privateIp: '10.0.0.7',
      agentIds: [ids.agent],
      tasks: [{ id: 'mysql.1', appId: '/mysql' }],
      volumes: [{ volumeId: ids.data, name: 'mysql', device: '/dev/xvdf' }],
      seenAt: t(0),
    });
  });

  it('does not count a root disk that carries an app volume’s name', async () => {
    const world = createWorld();
    const attachments = [attachmentOf({ device: '/dev/xvda' })];
    world.cloud.volumesById.set(ids.root, volumeOf({ volumeId: ids.root, attachments }));
    await sweep(world);
    expect((await inventory(world))?.volumes.map(({ volumeId }) => volumeId)).toEqual([ids.data]);
  });

  it.each<[string, (world: World) => void]>([
    [
      'is not active',
      (world) => {
        world.dcos.listed = [agentOf({ active: false }), spareAgent()];
      },
    ],
    [
      'is known only from the registry',
      (world) => {
        world.dcos.listed = [agentOf({ recovered: true }), spareAgent()];
      },
    ],
    ['does not run', (world) => world.cloud.setInstance(ids.failed, { state: 'stopping' })],
    [
      'is none of ours',
      (world) => world.cloud.setInstance(ids.failed, { tags: agentTags.slice(1) }),
    ],
  ])('is left as it was for an agent that %s', async (_, trouble) => {
    const world = createWorld();
    await sweep(world);
    const before = await inventory(world);
    trouble(world);
    world.dcos.allTasks = [];
    minutes(world, 1);
    await sweep(world);
    expect(await inventory(world)).toEqual(before);
  });

  it('is left as it was when Marathon cannot be read', async () => {
    const world = createWorld();
    await sweep(world);
    const before = await inventory(world);
    world.book.fail('apps', new OrchestratorUnavailableError('GET /v2/apps', '503'));
    minutes(world, 1);
    expect((await sweep(world)).blind).toBe(true);
    expect(await inventory(world)).toEqual(before);
  });

  it('remembers how long an impaired agent has been silent, while others answer', async () => {
    const world = createWorld();
    await sweep(world);
    world.hang();
    minutes(world, 1);
    await sweep(world);
    expect((await inventory(world))?.silence).toEqual({ probes: 2, lastAt: t(60) });
    expect((await inventory(world))?.tasks).toHaveLength(1);
  });

  it('does not count silence while nobody answers', async () => {
    const world = createWorld();
    await sweep(world);
    world.hang();
    world.dcos.silent.add(ids.spareAgent).add(ids.otherAgent);
    minutes(world, 1);
    await sweep(world);
    expect((await inventory(world))?.silence).toBeUndefined();
  });

  it('forgets the silence when the agent answers again', async () => {
    const world = createWorld();
    await sweep(world);
    world.hang();
    await sweep(world);
    world.dcos.silent.clear();
    minutes(world, 1);
    await sweep(world);
    expect((await inventory(world))?.silence).toBeUndefined();
    world.cloud.checks.set(ids.failed, checksOf());
    await sweep(world);
    expect((await inventory(world))?.seenAt).toBe(t(60));
  });
});

describe('adoption', () => {
  it('is asked for when an app’s volume lacks the tag, and the sweep tags nothing itself', async () => {
    const world = createWorld();
    world.cloud.setVolume(ids.data, { tags: volumeTags().slice(0, 1) });
    await sweep(world);
    expect(world.adoptions).toHaveLength(1);
    expect(world.book.calls).toEqual([]);
  });

  it('is asked for when data would be deleted with its machine', async () => {
    const world = createWorld();
    const devices = instanceOf().devices.map((d) => ({ ...d, deleteOnTermination: true }));
    world.cloud.setInstance(ids.failed, { devices });
    await sweep(world);
    expect(world.adoptions).toHaveLength(1);
  });

  it('is not asked for otherwise', async () => {
    const world = createWorld();
    await sweep(world);
    expect(world.adoptions).toEqual([]);
  });
});

describe('a failure whose events were lost', () => {
  const seenWell = async (): Promise<World> => {
    const world = createWorld();
    await sweep(world);
    minutes(world, 1);
    return world;
  };
  const down = async (): Promise<World> => {
    const world = await seenWell();
    world.cloud.setInstance(ids.failed, { state: 'stopped' });
    return world;
  };
  const found = async (world: World) => (await sweep(world)).found;
  const ended = async (world: World, launchTime: LaunchTime = ids.launched): Promise<void> => {
    await world.given({ facts: factsOf({ launchTime }) });
    await world.ledger.close(ids.incident, 1, { status: 'recovered' }, world.clock.now());
  };

  it.each(['stopping', 'stopped', 'shutting-down', 'terminated'] as const)(
    'opens the incident of an agent that EC2 calls %s, and starts its execution',
    async (state) => {
      const world = await seenWell();
      world.cloud.setInstance(ids.failed, { state });
      expect(await found(world)).toEqual([ids.failed]);
      const { signals } = await world.incident();
      expect(signals).toMatchObject([{ source: 'sweep', key: `sweep:${ids.launched}` }]);
      expect(signals[0]?.says).toContain(`EC2 says ${state}`);
      expect(world.workflow.started).toHaveLength(1);
    },
  );

  it('is found although a terminated instance lost its tags, mappings and volumes', async () => {
    const world = await seenWell();
    world.cloud.setInstance(ids.failed, { state: 'terminated', tags: [], devices: [] });
    world.cloud.free(ids.data);
    expect(await found(world)).toEqual([ids.failed]);
  });

  it('is found although Mesos does not answer', async () => {
    const world = await down();
    world.book.fail('agents', new OrchestratorUnavailableError('GET_AGENTS', '503'));
    expect(await sweep(world)).toMatchObject({ blind: true, found: [ids.failed] });
  });

  it('is found once, by two sweeps and an event at one moment', async () => {
    const world = await down();
    await Promise.all([sweep(world), sweep(world), createIntake(world.deps)([signalOf()])]);
    expect(await world.ledger.openIncidents('prod')).toEqual([ids.incident]);
    expect(new Set(world.workflow.started.map(({ name }) => name)).size).toBe(1);
  });

  /** Long enough for the alarm to be overdue. */
  const hung = async (): Promise<World> => {
    const world = await seenWell();
    world.hang();
    minutes(world, 4);
    return world;
  };

  it('is found when the agent is impaired beyond the grace, silent, and the alarm overdue', async () => {
    const world = await hung();
    expect(await found(world)).toEqual([ids.failed]);
    expect((await world.incident()).signals[0]?.says).toContain('EC2 calls it impaired');
  });

  it('is not seen in an impaired agent that works, nor while its alarm may still come', async () => {
    const working = await hung();
    working.dcos.silent.clear();
    expect(await found(working)).toEqual([]);
    const early = await seenWell();
    early.hang();
    expect(await found(early)).toEqual([]);
  });

  it('is not asked for by itself while its alarm may still come', async () => {
    const asked = async (world: World): Promise<number> => {
      let count = 0;
      const statusChecks = world.cloud.statusChecks.bind(world.cloud);
      world.cloud.statusChecks = (instanceId) => {
        count += 1;
        return statusChecks(instanceId);
      };
      await sweep(world);
      return count;
    };
    const early = await seenWell();
    early.hang();
    expect(await asked(early)).toBe(0);
    expect(await asked(await hung())).toBe(1);
  });

  it.each<[string, (world: World) => unknown]>([
    ['has no data', (world) => world.cloud.volumesById.clear()],
    ['has data that is with another agent', (world) => world.cloud.attach(ids.data, ids.spare)],
    [
      'has only data of another cluster',
      (world) =>
        world.cloud.setVolume(ids.data, { tags: [{ key: clusterTag.key, value: 'other' }] }),
    ],
    [
      'is in maintenance',
      (world) =>
        world.ledger.setControl('prod', {
          maintenance: { [ids.failed]: { by: 'a', until: t(999) } },
        }),
    ],
    [
      'is in a paused cluster',
      (world) =>
        world.ledger.setControl('prod', { paused: { by: 'a', reason: 'b' }, maintenance: {} }),
    ],
    [
      'belongs to another cluster, or is a master',
      async (world) => {
        await world.ledger.unwatch('prod', ids.failed);
        world.cloud.setInstance(ids.failed, { tags: agentTags.slice(0, 1) });
      },
    ],
    ['has recovered already', (world) => ended(world)],
    ['has an incident', (world) => world.given()],
  ])('is not seen in an agent that %s', async (_, arrange) => {
    const world = await down();
    await arrange(world);
    expect(await found(world)).toEqual([]);
    expect(world.workflow.started).toEqual([]);
  });

  it('is seen in an agent that was started again after its last incident', async () => {
    const world = await down();
    await ended(world, '2026-10-31T00:00:00.000Z' as LaunchTime);
    expect(await found(world)).toEqual([ids.failed]);
  });

  it('is seen, once, in data that the incident which is over left on the fenced machine', async () => {
    const world = await down();
    await ended(world);
    const late = volumeOf({ volumeId: spareData });
    world.cloud.volumesById.set(spareData, late);
    expect(await found(world)).toEqual([ids.failed]);
    const second = await world.ledger.openIncidentOf(ids.failed);
    expect(second?.signals[0]?.key).toBe(`sweep:${ids.launched}:${spareData}`);
    // It ends without that volume too: nobody's app names it.
    await world.ledger.save(second?.id ?? ids.incident, 1, { facts: factsOf() }, t(8));
    await world.ledger.close(second?.id ?? ids.incident, 1, { status: 'recovered' }, t(9));
    expect(await found(world)).toEqual([]);
  });

  it('does not wait for an agent that cannot be looked at', async () => {
    const world = await down();
    const { inventory: read } = world.ledger;
    world.cloud.setInstance(ids.spare, { state: 'stopped' });
    world.cloud.volumesById.set(
      spareData,
      volumeOf({ volumeId: spareData, attachments: [attachmentOf({ instanceId: ids.spare })] }),
    );
    world.ledger.inventory = (id) =>
      id === ids.spare ? Promise.reject(new Error('corrupt')) : read.call(world.ledger, id);
    expect(await found(world)).toEqual([ids.failed]);
    expect(world.counted).toContain('FailureNotLookedAt');
  });

  it('stops missing an agent that EC2 has forgotten for an hour', async () => {
    const world = await seenWell();
    world.cloud.instances.delete(ids.failed);
    await sweep(world);
    expect(await world.ledger.watched('prod')).toContain(ids.failed);
    minutes(world, 60);
    await sweep(world);
    expect(await world.ledger.watched('prod')).not.toContain(ids.failed);
  });
});
