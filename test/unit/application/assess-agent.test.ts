import { describe, expect, it } from 'vitest';
import { createAssessAgent } from '../../../src/application/assess-agent.ts';
import { createSweep } from '../../../src/application/sweep.ts';
import { OrchestratorUnavailableError } from '../../../src/domain/errors.ts';
import type { AgentId, VolumeId } from '../../../src/domain/ids.ts';
import { createWorld, type World } from '../../fakes/world.ts';
import {
  adopted,
  agentOf,
  agentTags,
  appOf,
  attachmentOf,
  checksOf,
  factsOf,
  ids,
  instanceOf,
  inventoryOf,
  lostRung,
  provenFence,
  recordOf,
  rungOf,
  signalOf,
  spareAgent,
  t,
  taskOf,
  volumeOf,
  volumeTags,
} from '../../support/build.ts';

const assess = async (world: World) => {
  const { executionName } = await world.incident();
  const executionArn = world.workflow.arnOf('failover', executionName);
  return createAssessAgent(world.deps)({ incidentId: ids.incident, token: 1, executionArn });
};
const opened = async (): Promise<World> => {
  const world = createWorld();
  await world.given();
  return world;
};
const hung = async (): Promise<World> => {
  const world = await opened();
  world.hang();
  return world;
};
/** EC2 has cut the machine from everything that was attached to it. */
const terminated = (world: World): void => {
  world.cloud.setInstance(ids.failed, { state: 'terminated', devices: [], tags: [] });
  world.cloud.free(ids.data);
};

describe('AssessAgent', () => {
  it('goes on against a hung agent, with verdict and facts in the ledger', async () => {
    const world = await hung();
    expect(await assess(world)).toEqual({ kind: 'proceed' });
    const { facts, verdict } = await world.incident();
    expect(verdict?.kind).toBe('Impaired');
    expect(facts).toEqual(factsOf({ at: t(0), leftAlone: [] }));
    expect(world.book.calls).toEqual([]);
  });

  it.each(['stopping', 'stopped', 'shutting-down', 'terminated'] as const)(
    'goes on when EC2 says %s, though Marathon and the masters are down',
    async (state) => {
      const world = await opened();
      await world.ledger.recordInventory(ids.failed, inventoryOf());
      world.cloud.setInstance(ids.failed, { state });
      const down = () => new OrchestratorUnavailableError('GET', 'ECONNREFUSED');
      for (const read of ['agents', 'apps', 'tasks']) world.book.fail(read, down());
      expect(await assess(world)).toEqual({ kind: 'proceed' });
      expect((await world.incident()).facts).toMatchObject({
        agentIds: [ids.agent],
        tasks: [{ id: 'mysql.1', appId: '/mysql' }],
      });
    },
  );

  it('is done with an agent that is well', async () => {
    const world = await opened();
    expect(await assess(world)).toEqual({ kind: 'cancelled' });
    expect((await world.incident()).verdict?.kind).toBe('Recovered');
  });

  it('watches one soft witness for five minutes, then lets it go', async () => {
    const world = await hung();
    world.dcos.silent.clear();
    expect(await assess(world)).toEqual({ kind: 'watch', waitSeconds: 10 });
    world.clock.advance(300_000);
    expect(await assess(world)).toEqual({ kind: 'cancelled' });
  });

  it('waits exactly as long as the grace still lasts', async () => {
    const world = await hung();
    const checks = checksOf({ instance: 'impaired', impairedSince: t(-45) });
    world.cloud.checks.set(ids.failed, checks);
    expect(await assess(world)).toEqual({ kind: 'watch', waitSeconds: 15 });
  });

  it('acts on a person’s order against an agent that looks well, and says what spoke against it', async () => {
    const world = await opened();
    const order = signalOf({ key: 'operator:1', source: 'operator', says: 'ops asked' });
    await world.ledger.admit('prod', order);
    expect(await assess(world)).toEqual({ kind: 'proceed' });
    expect((await world.incident()).verdict).toMatchObject({ kind: 'Ordered', why: ['ops asked'] });
  });

  it.each<[string, (world: World) => void, string]>([
    [
      'the masters are gone',
      (world) => world.book.fail('agents', new OrchestratorUnavailableError('GET_AGENTS', '503')),
      'blind',
    ],
    [
      'nobody answers',
      (world) => void world.dcos.silent.add(ids.otherAgent).add(ids.spareAgent),
      'blind',
    ],
    [
      'only one other agent answers',
      (world) => void world.dcos.silent.add(ids.otherAgent),
      'blind',
    ],
    [
      'EC2 does not know the instance',
      (world) => void world.cloud.instances.delete(ids.failed),
      'blind',
    ],
    [
      'the instance lost its cluster tag',
      (world) => world.cloud.setInstance(ids.failed, { tags: agentTags.slice(1) }),
      'ambiguous-scope',
    ],
    [
      'the instance is a master',
      (world) =>
        world.cloud.setInstance(ids.failed, {
          tags: [...agentTags.slice(0, 1), { key: 'role', value: 'mesos-master' }],
        }),
      'ambiguous-scope',
    ],
    [
      'an app’s volume was never adopted',
      (world) => world.cloud.setVolume(ids.data, { tags: volumeTags().slice(0, 1) }),
      'ambiguous-scope',
    ],
    [
      'a volume is Multi-Attach',
      (world) => world.cloud.setVolume(ids.data, { multiAttach: true }),
      'multi-attach',
    ],
    [
      'an AWS service manages the volume',
      (world) => world.cloud.setVolume(ids.data, { managedBy: 'eks.amazonaws.com' }),
      'managed-volume',
    ],
    [
      'an app keeps local persistent volumes there',
      (world) => {
        world.dcos.allApps = [appOf({ hasLocalVolumes: true })];
      },
      'local-persistent-volumes',
    ],
  ])('holds while %s', async (_, trouble, reason) => {
    const world = await hung();
    trouble(world);
    expect(await assess(world)).toEqual({ kind: 'hold', reason });
    const { hold, status } = await world.incident();
    expect({ status, reason: hold?.reason }).toEqual({ status: 'held', reason });
    expect(hold?.says).toEqual(expect.any(String));
    expect(world.book.calls).toEqual([]);
  });

  it('goes on when a person waves the local volumes through', async () => {
    const world = await hung();
    world.dcos.allApps = [appOf({ hasLocalVolumes: true })];
    await world.ledger.save(ids.incident, 1, { acknowledged: ['local-persistent-volumes'] }, t(0));
    expect(await assess(world)).toEqual({ kind: 'proceed' });
  });

  it('holds for local volumes of an app without any volume in scope, too', async () => {
    const world = await hung();
    world.dcos.allApps = [
      appOf(),
      appOf({ id: '/kafka', externalVolumes: [], hasLocalVolumes: true }),
    ];
    world.dcos.allTasks.push(taskOf({ id: 'kafka.1', appId: '/kafka' }));
    expect(await assess(world)).toEqual({ kind: 'hold', reason: 'local-persistent-volumes' });
  });

  it('has nothing to do for an agent without volumes in scope', async () => {
    const world = await hung();
    world.cloud.setVolume(ids.data, { tags: [{ key: 'Name', value: 'scratch' }] });
    expect(await assess(world)).toEqual({ kind: 'cancelled' });
  });

  it('leaves root and data disks and other clusters’ volumes out, and says why', async () => {
    const world = await hung();
    const left: [VolumeId, Parameters<typeof volumeOf>[0]][] = [
      [ids.root, { attachments: [attachmentOf({ device: '/dev/xvda' })], tags: [] }],
      [
        'vol-000000000000000b1' as VolumeId,
        { attachments: [attachmentOf({ device: '/dev/xvdb' })], tags: [] },
      ],
      [
        'vol-000000000000000c1' as VolumeId,
        {
          tags: [
            { key: 'Name', value: 'mysql' },
            { key: 'ebs-failover:cluster', value: 'other' },
          ],
        },
      ],
    ];
    for (const [volumeId, change] of left) {
      world.cloud.volumesById.set(volumeId, volumeOf({ volumeId, ...change }));
    }
    expect(await assess(world)).toEqual({ kind: 'proceed' });
    const { facts } = await world.incident();
    expect(facts?.volumes.map(({ volumeId }) => volumeId)).toEqual([ids.data]);
    expect(facts?.leftAlone.map(({ volumeId }) => volumeId)).toEqual(left.map(([id]) => id));
  });

  it('waits for the tags of a volume it has adopted, when EC2 shows none', async () => {
    const world = await hung();
    await world.ledger.adopt(adopted, t(0));
    world.cloud.setVolume(ids.data, { tags: [] });
    expect(await assess(world)).toEqual({ kind: 'hold', reason: 'ambiguous-scope' });
    expect((await world.incident()).hold?.says).toContain(`${ids.data}: the ledger knows it as`);
    world.cloud.setVolume(ids.data, { tags: volumeTags() });
    expect(await assess(world)).toEqual({ kind: 'proceed' });
  });

  it('lets an adopted volume go that a person gave another name', async () => {
    const world = await hung();
    await world.ledger.adopt(adopted, t(0));
    world.cloud.setVolume(ids.data, { tags: [{ key: 'Name', value: 'mysql-old' }] });
    expect(await assess(world)).toEqual({ kind: 'cancelled' });
  });

  it('lets an adopted volume go that no app names any more', async () => {
    const world = await hung();
    await world.ledger.adopt(adopted, t(0));
    world.cloud.setVolume(ids.data, { tags: [] });
    world.dcos.allApps = [appOf({ externalVolumes: [] })];
    expect(await assess(world)).toEqual({ kind: 'cancelled' });
  });

  it('asks the inventory what a terminated instance has forgotten', async () => {
    const world = await opened();
    await world.ledger.recordInventory(ids.failed, inventoryOf());
    terminated(world);
    expect(await assess(world)).toEqual({ kind: 'proceed' });
    expect((await world.incident()).facts?.volumes.map((v) => v.volumeId)).toEqual([ids.data]);
  });

  it('does not take a volume back that the inventory remembers and somebody else has now', async () => {
    const world = await opened();
    await world.ledger.recordInventory(ids.failed, inventoryOf());
    terminated(world);
    world.cloud.attach(ids.data, ids.other);
    await assess(world);
    expect((await world.incident()).facts?.volumes).toEqual([]);
  });

  it('knows the agent of the last start while Mesos has not seen this one', async () => {
    const world = await opened();
    const launchTime = '2026-10-01T00:00:00.000Z' as typeof ids.launched;
    await world.ledger.recordInventory(ids.failed, inventoryOf({ launchTime }));
    world.dcos.listed = [spareAgent()];
    terminated(world);
    await assess(world);
    expect((await world.incident()).facts?.agentIds).toEqual([ids.agent]);
  });

  it.each([[[ids.agent]], [[]]])(
    'does not take an agent for its own that has the address of the terminated one: %j is known',
    async (agentIds) => {
      const world = await opened();
      await world.ledger.recordInventory(ids.failed, inventoryOf({ agentIds }));
      terminated(world);
      world.dcos.listed = [agentOf({ agentId: 'a1b2-S9' as AgentId }), spareAgent()];
      await assess(world);
      // If nothing else is known of it, its tasks still name its agent.
      expect((await world.incident()).facts?.agentIds).toEqual([ids.agent]);
    },
  );

  it('does not mix agents of two incarnations up', async () => {
    const world = await hung();
    const older = 'a1b2-S3' as AgentId;
    await world.ledger.recordInventory(
      ids.failed,
      inventoryOf({
        launchTime: '2026-10-01T00:00:00.000Z' as typeof ids.launched,
        agentIds: [older],
      }),
    );
    await assess(world);
    expect((await world.incident()).facts?.agentIds).toEqual([ids.agent]);
  });

  it('probes an agent that is only deactivated: Mesos lists it inactive although it may be well', async () => {
    const world = await opened();
    world.dcos.listed = [agentOf({ active: false, deactivated: true }), spareAgent()];
    expect(await assess(world)).toEqual({ kind: 'cancelled' });
  });

  it('counts what the sweep heard: an agent silent before needs one last look', async () => {
    const world = await hung();
    const silence = { probes: 2, lastAt: t(-30) };
    await world.ledger.recordInventory(ids.failed, inventoryOf({ silence }));
    expect(await assess(world)).toEqual({ kind: 'proceed' });
    world.dcos.silent.clear();
    expect((await assess(world)).kind).toBe('watch');
  });

  it("takes the last look beside the master's list, and again where the list names another agent", async () => {
    const world = await hung();
    const silence = { probes: 2, lastAt: t(-30) };
    const probed: string[] = [];
    const { probe } = world.dcos;
    world.dcos.probe = async (agentId, ...rest) => {
      probed.push(agentId);
      return probe.call(world.dcos, agentId, ...rest);
    };
    await world.ledger.recordInventory(ids.failed, inventoryOf({ silence }));
    expect(await assess(world)).toEqual({ kind: 'proceed' });
    expect(probed.filter((agentId) => agentId === ids.agent)).toHaveLength(2);

    const other = 'a1b2-S6' as AgentId;
    world.dcos.listed = world.dcos.listed.map((agent) =>
      agent.agentId === ids.agent ? { ...agent, agentId: other } : agent,
    );
    world.dcos.silent.delete(ids.agent);
    world.dcos.silent.add(other);
    probed.length = 0;
    expect(await assess(world)).toEqual({ kind: 'proceed' });
    expect(probed.filter((agentId) => agentId === other)).toHaveLength(2);
  });

  it('takes no single failed look for silence: Admin Router may fail as well', async () => {
    const world = await hung();
    const silence = { probes: 2, lastAt: t(-30) };
    await world.ledger.recordInventory(ids.failed, inventoryOf({ silence }));
    let looks = 0;
    world.dcos.probe = async (agentId) => {
      looks += agentId === ids.agent ? 1 : 0;
      return agentId !== ids.agent || looks > 1;
    };
    expect((await assess(world)).kind).toBe('watch');
  });
});

describe('once a command may have reached EC2', () => {
  const decided = async (fence: Parameters<World['given']>[0]) => {
    const world = createWorld();
    await world.given({ facts: factsOf(), ...fence });
    return world;
  };

  it('does not turn back, however well the agent looks', async () => {
    const fence = { since: t(0), rungs: [rungOf('skip', 1)], voided: [] };
    expect(await assess(await decided({ fence }))).toEqual({ kind: 'proceed' });
    expect(await assess(await decided({ fence: provenFence() }))).toEqual({ kind: 'proceed' });
  });

  it('looks again where the answer was lost: EC2 may never have heard of it', async () => {
    const fence = { since: t(0), rungs: [lostRung('skip', 1)], voided: [] };
    const world = await decided({ fence });
    world.cloud.setInstance(ids.failed, instanceOf({ state: 'stopping' }));
    expect(await assess(world)).toEqual({ kind: 'proceed' });
    expect((await world.incident()).verdict?.kind).toBe('Down');
  });

  it('ends a hold by going on', async () => {
    const world = await decided({ fence: provenFence() });
    const hold = {
      reason: 'no-placement',
      says: 'x',
      since: t(0),
      looks: 0,
      retryAt: t(5),
    } as const;
    await world.ledger.save(ids.incident, 1, { status: 'held', hold }, t(0));
    await assess(world);
    expect((await world.incident()).status).toBe('open');
  });

  describe('a volume that is gone', () => {
    const gone = async (): Promise<World> => {
      const world = createWorld();
      await createSweep(world.deps)();
      await world.given();
      world.cloud.setInstance(ids.failed, { state: 'terminated', devices: [] });
      world.cloud.volumesById.delete(ids.data);
      return world;
    };

    it('is held and named, however often it is looked at', async () => {
      const world = await gone();
      for (const _look of [1, 2]) {
        expect(await assess(world)).toEqual({ kind: 'hold', reason: 'volume-lost' });
      }
      expect((await world.incident()).hold?.says).toContain(`${ids.data} (mysql)`);
    });

    it('is nobody’s loss when a failover had moved it away, or no app names it', async () => {
      const moved = await gone();
      await moved.ledger.claim(undefined, recordOf(), t(1));
      await moved.ledger.advance(recordOf({ state: 'owned', owner: ids.spare }), t(2));
      expect(await assess(moved)).toEqual({ kind: 'cancelled' });
      const unnamed = await gone();
      unnamed.dcos.allApps = [];
      expect(await assess(unnamed)).toEqual({ kind: 'cancelled' });
    });
  });
});
