import { describe, expect, it } from 'vitest';
import { createAssessAgent } from '../../../src/application/assess-agent.ts';
import { createFenceAgent } from '../../../src/application/fence-agent.ts';
import { createSweep } from '../../../src/application/sweep.ts';
import { incidentIdOf } from '../../../src/domain/ids.ts';
import type { Policy } from '../../../src/domain/policy.ts';
import { createWorld, type World } from '../../fakes/world.ts';
import {
  checksOf,
  cluster,
  factsOf,
  ids,
  inventoryOf,
  recordOf,
  signalOf,
  t,
} from '../../support/build.ts';

const assess = async (world: World) => {
  const { executionName, id: incidentId, token } = await world.incident();
  const executionArn = world.workflow.arnOf('failover', executionName);
  return createAssessAgent(world.deps)({ incidentId, token, executionArn });
};

/** Mesos has lost the agent; its machine works on. */
const cutOff = (world: World): void => {
  world.dcos.listed = world.dcos.listed.filter(({ agentId }) => agentId !== ids.agent);
};
const partitioned = async (change: Partial<Policy> = {}): Promise<World> => {
  const world = createWorld(change);
  await world.given();
  cutOff(world);
  expect(await assess(world)).toEqual({ kind: 'watch', waitSeconds: 10 });
  world.clock.advance(120_000);
  return world;
};

describe('an agent that Mesos has lost and EC2 finds well', () => {
  it('is asked about after the grace, with the evidence for and against', async () => {
    const world = await partitioned();
    expect(await assess(world)).toEqual({ kind: 'hold', reason: 'partitioned' });
    const { hold, verdict } = await world.incident();
    expect(verdict?.kind).toBe('Partitioned');
    expect(hold?.says).toContain('the Mesos master lists no agent on this host, for 120 s');
    expect(hold?.says).toContain('EC2 status checks: system ok, instance ok');
    expect(world.book.calls).toEqual([]);
  });

  it('is fenced by policy', async () => {
    expect(await assess(await partitioned({ partitionedAgent: 'fence' }))).toEqual({
      kind: 'proceed',
    });
  });

  it('is fenced when a person says so', async () => {
    const world = await partitioned();
    await world.ledger.save(ids.incident, 1, { acknowledged: ['partitioned'] }, world.clock.now());
    expect(await assess(world)).toEqual({ kind: 'proceed' });
  });

  it('is fenced on a person’s order', async () => {
    const world = await partitioned();
    await world.ledger.admit(cluster, signalOf({ key: 'op', source: 'operator' }));
    expect(await assess(world)).toEqual({ kind: 'proceed' });
    expect((await world.incident()).verdict?.kind).toBe('Ordered');
  });

  it('takes a place behind the storm brake like any machine that is not down', async () => {
    const world = await partitioned({ partitionedAgent: 'fence' });
    await assess(world);
    const { admitted } = await world.ledger.storm(cluster);
    expect(admitted.map(({ cause }) => cause)).toEqual(['Partitioned']);
  });

  it('is let go when it is back', async () => {
    const world = await partitioned();
    await assess(world);
    world.dcos.listed = createWorld().dcos.listed;
    expect(await assess(world)).toEqual({ kind: 'cancelled' });
  });

  it('is impaired, and fenced, when EC2 comes to agree', async () => {
    const world = await partitioned();
    await assess(world);
    world.cloud.checks.set(ids.failed, checksOf({ system: 'impaired', impairedSince: t(30) }));
    expect(await assess(world)).toEqual({ kind: 'proceed' });
    expect((await world.incident()).verdict?.kind).toBe('Impaired');
  });
});

describe('the last look before the fence', () => {
  const fencing = async (change: Partial<Policy>, acknowledged: boolean): Promise<World> => {
    const world = createWorld(change);
    await world.given({
      facts: factsOf(),
      verdict: { kind: 'Partitioned', at: t(0), why: [], whyNot: [], lostSince: t(-300) },
      ...(acknowledged ? { acknowledged: ['partitioned'] } : {}),
    });
    await world.claimed();
    cutOff(world);
    return world;
  };
  const fence = (world: World) =>
    createFenceAgent(world.deps)({ incidentId: ids.incident, token: 1 });

  it.each<[string, Partial<Policy>, boolean]>([
    ['by policy', { partitionedAgent: 'fence' }, false],
    ['once acknowledged', {}, true],
  ])('fences a partition %s', async (_, change, acknowledged) => {
    const world = await fencing(change, acknowledged);
    expect((await fence(world)).kind).toBe('fenced');
    expect(world.book.names).toContain('StopInstances');
  });

  it('asks by the same rule as the assessment, and not one command is given', async () => {
    const world = await fencing({}, false);
    expect(await fence(world)).toEqual({ kind: 'hold', reason: 'partitioned' });
    expect(world.book.names).not.toContain('StopInstances');
  });

  it('is blind when Mesos has lost too many by now', async () => {
    const world = await fencing({ partitionedAgent: 'fence' }, false);
    for (const id of [ids.failed, ids.spare, ids.other]) await world.ledger.watch(cluster, id);
    world.dcos.listed = [];
    expect(await fence(world)).toEqual({ kind: 'hold', reason: 'blind' });
    expect(world.book.names).not.toContain('StopInstances');
  });
});

describe('the sweep', () => {
  const known = async (): Promise<World> => {
    const world = createWorld();
    await createSweep(world.deps)();
    world.clock.advance(60_000);
    return world;
  };

  it('finds an agent that Mesos has lost, once two sweeps have missed it', async () => {
    const world = await known();
    cutOff(world);
    expect((await createSweep(world.deps)()).found).toEqual([]);
    world.clock.advance(60_000);
    expect((await createSweep(world.deps)()).found).toEqual([ids.failed]);
    const [signal] = (await world.incident()).signals;
    expect(signal?.says).toBe(
      'found by the sweep: Mesos listed its agent 120 s ago and does not any more',
    );
    expect((await createSweep(world.deps)()).found).toEqual([]);
  });

  it.each<[string, (world: World) => void | Promise<void>]>([
    ['is listed', () => undefined],
    [
      'was deactivated by somebody, and may be well',
      (world) => {
        world.dcos.listed = world.dcos.listed.map((agent) => ({
          ...agent,
          active: false,
          deactivated: true,
        }));
      },
    ],
    [
      'has no data',
      (world) => {
        cutOff(world);
        world.cloud.free(ids.data);
      },
    ],
    [
      'has started again since Mesos saw it',
      (world) => {
        cutOff(world);
        world.cloud.setInstance(ids.failed, { launchTime: ids.relaunched });
      },
    ],
    [
      'is called impaired, which has its own events',
      (world) => {
        cutOff(world);
        world.cloud.checks.set(ids.failed, checksOf({ system: 'impaired', impairedSince: t(100) }));
      },
    ],
    [
      'has no status checks yet',
      (world) => {
        cutOff(world);
        world.cloud.checks.delete(ids.failed);
      },
    ],
    [
      'is in maintenance',
      (world) => {
        cutOff(world);
        world.inMaintenance();
      },
    ],
  ])('opens nothing for an agent that %s', async (_, change) => {
    const world = await known();
    await change(world);
    world.clock.advance(60_000);
    expect((await createSweep(world.deps)()).found).toEqual([]);
  });
});

describe('a second failover at once', () => {
  /** MySQL was failed over to this agent a minute ago, and now the agent hangs. */
  const again = async (change: Partial<Policy> = {}): Promise<World> => {
    const world = createWorld(change);
    await world.given();
    world.hang();
    await world.ledger.recordInventory(ids.failed, inventoryOf());
    const incidentId = incidentIdOf(cluster, ids.spare, 1);
    const record = recordOf({ incidentId, from: ids.spare, releasedAt: t(-60) });
    await world.ledger.claim(undefined, record, t(-60));
    await world.ledger.advance({ ...record, state: 'owned', owner: ids.failed }, t(-50));
    return world;
  };

  it('of an app is held, with when the first was', async () => {
    const world = await again();
    expect(await assess(world)).toEqual({ kind: 'hold', reason: 'flapping' });
    expect((await world.incident()).hold?.says).toContain('60 s ago');
    expect((await world.ledger.storm(cluster)).admitted).toEqual([]);
  });

  it('of an agent is held, and an agent that goes down is not', async () => {
    const world = createWorld();
    await world.given();
    await world.ledger.close(ids.incident, 1, { status: 'recovered' }, t(0));
    world.clock.advance(60_000);
    const { incident } = await world.ledger.admit(
      cluster,
      signalOf({ key: 'again', receivedAt: t(60) }),
    );
    const executionArn = world.workflow.arnOf('failover', incident.executionName);
    const look = () =>
      createAssessAgent(world.deps)({ incidentId: incident.id, token: 1, executionArn });
    world.hang();
    expect(await look()).toEqual({ kind: 'hold', reason: 'flapping' });
    world.cloud.setInstance(ids.failed, { state: 'stopped' });
    expect(await look()).toEqual({ kind: 'proceed' });
  });

  it.each<[string, (world: World) => Promise<unknown> | unknown]>([
    [
      'acknowledges it',
      (world) => world.ledger.save(ids.incident, 1, { acknowledged: ['flapping'] }, t(0)),
    ],
    [
      'forces it',
      (world) => {
        const order = { key: 'op', source: 'operator', wish: { force: true } } as const;
        return world.ledger.admit(cluster, signalOf(order));
      },
    ],
  ])('goes on when a person %s', async (_, say) => {
    const world = await again();
    await say(world);
    expect(await assess(world)).toEqual({ kind: 'proceed' });
  });

  it('is held although a person orders it, and does not force it', async () => {
    const world = await again();
    await world.ledger.admit(cluster, signalOf({ key: 'op', source: 'operator' }));
    expect(await assess(world)).toEqual({ kind: 'hold', reason: 'flapping' });
  });

  it('goes on when EC2 says down: nothing healthy can be hurt', async () => {
    const world = await again();
    world.cloud.setInstance(ids.failed, { state: 'stopping' });
    expect(await assess(world)).toEqual({ kind: 'proceed' });
  });

  it('goes on when the block period is over, or off', async () => {
    const world = await again();
    world.clock.advance(540_000);
    expect(await assess(world)).toEqual({ kind: 'proceed' });
    expect(await assess(await again({ blockPeriodMs: 0 }))).toEqual({ kind: 'proceed' });
  });
});
