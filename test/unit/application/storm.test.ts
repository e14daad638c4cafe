import { describe, expect, it } from 'vitest';
import { createAssessAgent } from '../../../src/application/assess-agent.ts';
import { createHoldIncident } from '../../../src/application/hold-incident.ts';
import { createNotify } from '../../../src/application/notify.ts';
import { createSweep } from '../../../src/application/sweep.ts';
import { incidentIdOf } from '../../../src/domain/ids.ts';
import type { HoldReason, Incident } from '../../../src/domain/incident.ts';
import type { IncidentMessage } from '../../../src/domain/message.ts';
import { addFleet, cutOffOne, type FleetAgent, hangOne, openFor } from '../../fakes/fleet.ts';
import { createWorld, type World } from '../../fakes/world.ts';
import { cluster, signalOf } from '../../support/build.ts';

const fleetZone = 'us-east-1b';
const idOf = ({ instanceId }: FleetAgent) => incidentIdOf(cluster, instanceId, 1);
const incidentFor = async (world: World, agent: FleetAgent): Promise<Incident> => {
  const incident = await world.ledger.incident(idOf(agent));
  if (incident === undefined) throw new Error('no incident was opened');
  return incident;
};
const assess = async (world: World, agent: FleetAgent) => {
  const { executionName, id: incidentId, token } = await incidentFor(world, agent);
  const executionArn = world.workflow.arnOf('failover', executionName);
  return createAssessAgent(world.deps)({ incidentId, token, executionArn });
};
const holdStep = async (world: World, agent: FleetAgent) => {
  const { id: incidentId, token } = await incidentFor(world, agent);
  return createHoldIncident(world.deps)({ incidentId, token });
};
/** So many agents, all hung at once, each with its incident. */
const stormOf = async (count: number, priorities: readonly number[] = []) => {
  const world = createWorld();
  const fleet = await addFleet(world, count);
  world.dcos.allApps = world.dcos.allApps.map((app) => {
    const priority = priorities[fleet.findIndex(({ appId }) => appId === app.id)];
    return priority === undefined ? app : { ...app, priority };
  });
  for (const agent of fleet) {
    hangOne(world, agent);
    await openFor(world, agent);
  }
  return { world, fleet };
};
const kinds = (decisions: readonly { kind: string }[]) => decisions.map(({ kind }) => kind);
const held = (reason: HoldReason) => ({ kind: 'hold', reason });

describe('a storm', () => {
  it('lets as many through as the limit says, though all ask at the same moment', async () => {
    const { world, fleet } = await stormOf(8);
    const decisions = await Promise.all(fleet.map((agent) => assess(world, agent)));
    // A quarter of eight agents.
    expect(kinds(decisions).filter((kind) => kind === 'proceed')).toHaveLength(2);
    expect(decisions.filter(({ kind }) => kind === 'hold')).toEqual(Array(6).fill(held('storm')));
    const storm = await world.ledger.storm(cluster);
    expect(storm.admitted).toHaveLength(2);
    expect(Object.keys(storm.waiting)).toHaveLength(6);
    expect(world.book.calls).toEqual([]);
  });

  it('writes one item for a single failure, beside what is written anyway', async () => {
    const { world, fleet } = await stormOf(1);
    const [agent] = fleet as [FleetAgent];
    expect(await assess(world, agent)).toEqual({ kind: 'proceed' });
    expect((await world.ledger.storm(cluster)).version).toBe(1);
    // Again after a crash: it was let through, and takes no second place.
    expect(await assess(world, agent)).toEqual({ kind: 'proceed' });
    expect((await world.ledger.storm(cluster)).version).toBe(1);
  });

  it('never brakes what is down', async () => {
    const { world, fleet } = await stormOf(8);
    for (const { instanceId } of fleet) world.cloud.setInstance(instanceId, { state: 'stopped' });
    const decisions = [];
    for (const agent of fleet) decisions.push(await assess(world, agent));
    expect(new Set(kinds(decisions))).toEqual(new Set(['proceed']));
    expect((await world.ledger.storm(cluster)).admitted).toEqual([]);
  });

  it('brakes what works as well, though AWS is about to take all of it down', async () => {
    const world = createWorld();
    const fleet = await addFleet(world, 4);
    const deadline = world.clock.now();
    for (const { instanceId } of fleet) {
      const event = { code: 'instance-retirement', notBefore: deadline };
      world.cloud.scheduled.set(instanceId, [event]);
      const notice = { kind: 'retiring', action: 'stop', deadline } as const;
      await world.ledger.admit(cluster, signalOf({ instanceId, notice, source: 'health' }));
    }
    const decisions = [];
    for (const agent of fleet) decisions.push(await assess(world, agent));
    // A quarter of four agents.
    expect(decisions).toEqual([{ kind: 'proceed' }, ...Array(3).fill(held('storm'))]);
    expect((await world.ledger.storm(cluster)).waiting).toMatchObject({
      [idOf(fleet[1] as FleetAgent)]: { cause: 'Retiring', behind: 'storm' },
    });
  });

  it('lets go of a machine that goes down while it waits', async () => {
    const { world, fleet } = await stormOf(4);
    const [first, second] = fleet as [FleetAgent, FleetAgent];
    await assess(world, first);
    expect(await assess(world, second)).toEqual(held('storm'));
    world.cloud.setInstance(second.instanceId, { state: 'stopped' });
    expect(await assess(world, second)).toEqual({ kind: 'proceed' });
    expect((await world.ledger.storm(cluster)).waiting).toEqual({});
  });

  it.each<[string, (world: World, agent: FleetAgent) => Promise<unknown>]>([
    [
      'an operator acknowledges the incident',
      async (world, agent) => {
        const { id, token } = await incidentFor(world, agent);
        await world.ledger.save(id, token, { acknowledged: ['storm'] }, world.clock.now());
      },
    ],
    [
      'an operator acknowledges the storm',
      async (world) => {
        const until = (world.clock.now() + 60_000) as never;
        world.ledger.setControl(cluster, {
          maintenance: {},
          stormAcknowledged: { by: 'ana', until },
        });
      },
    ],
    [
      'a person forces the failover',
      (world, { instanceId }) => {
        const order = { key: 'op', source: 'operator', wish: { force: true } } as const;
        return world.ledger.admit(cluster, signalOf({ instanceId, ...order }));
      },
    ],
  ])('lets one on when %s', async (_, say) => {
    const { world, fleet } = await stormOf(4);
    const [first, second] = fleet as [FleetAgent, FleetAgent];
    await assess(world, first);
    expect(await assess(world, second)).toEqual(held('storm'));
    await say(world, second);
    expect(await assess(world, second)).toEqual({ kind: 'proceed' });
  });

  it('keeps one that a person has ordered, and not forced, in its place', async () => {
    const { world, fleet } = await stormOf(4);
    const [first, second] = fleet as [FleetAgent, FleetAgent];
    await assess(world, first);
    const { instanceId } = second;
    await world.ledger.admit(cluster, signalOf({ instanceId, key: 'op', source: 'operator' }));
    expect(await assess(world, second)).toEqual(held('storm'));
  });

  it('keeps an acknowledgement of the storm no longer than its time', async () => {
    const { world, fleet } = await stormOf(4);
    const [first, second] = fleet as [FleetAgent, FleetAgent];
    await assess(world, first);
    const stormAcknowledged = { by: 'ana', until: world.clock.now() };
    world.ledger.setControl(cluster, { maintenance: {}, stormAcknowledged });
    expect(await assess(world, second)).toEqual(held('storm'));
  });

  it.each([
    ['one at a time, while traffic is moved away from the zone', 60_000, 1],
    ['as many as ever, once that is not believed any more', -1, 2],
  ])('lets through %s', async (_, leftMs, count) => {
    const { world, fleet } = await stormOf(8);
    for (const agent of fleet) {
      world.cloud.setInstance(agent.instanceId, { availabilityZoneId: 'use1-az2' });
    }
    const until = (world.clock.now() + leftMs) as never;
    const shifted = { since: world.clock.now(), until, says: 'moved away' };
    world.ledger.setControl(cluster, { maintenance: {}, shiftedZones: { 'use1-az2': shifted } });
    for (const agent of fleet) await assess(world, agent);
    expect((await world.ledger.storm(cluster)).admitted).toHaveLength(count);
  });

  it('never touches a master, storm or not', async () => {
    const { world, fleet } = await stormOf(1);
    const [agent] = fleet as [FleetAgent];
    const tags = [
      { key: 'ebs-failover:cluster', value: cluster },
      { key: 'role', value: 'mesos-master' },
    ];
    world.cloud.setInstance(agent.instanceId, { tags });
    expect(await assess(world, agent)).toEqual(held('ambiguous-scope'));
    expect((await world.ledger.storm(cluster)).admitted).toEqual([]);
  });
});

describe('those that wait', () => {
  /** One was let through, the others wait. */
  const waiting = async (priorities: readonly number[]) => {
    const { world, fleet } = await stormOf(priorities.length, priorities);
    world.deps.policy = { ...world.deps.policy, stormLimit: 1 };
    for (const agent of fleet) {
      await assess(world, agent);
      const { hold } = await incidentFor(world, agent);
      if (hold?.reason === 'storm') await holdStep(world, agent);
    }
    for (const agent of fleet) {
      const { executionName } = await incidentFor(world, agent);
      world.workflow.statuses.set(world.workflow.arnOf('failover', executionName), 'SUCCEEDED');
    }
    return { world, fleet };
  };

  it('end their executions at once, and are looked at rarely', async () => {
    const { world, fleet } = await waiting([0, 0]);
    const agent = fleet[1] as FleetAgent;
    expect(await holdStep(world, agent)).toMatchObject({ kind: 'ended', status: 'held' });
    const { hold } = await incidentFor(world, agent);
    expect((hold?.retryAt ?? 0) - world.clock.now()).toBe(300_000);
  });

  it('are taken up by the sweep when it is their turn, the highest priority first', async () => {
    const { world, fleet } = await waiting([0, 1, 9, 5]);
    const resumedOf = async () =>
      (await createSweep(world.deps)()).resumed.filter((id) => id !== idOf(fleet[0] as FleetAgent));
    world.clock.advance(60_000);
    expect(await resumedOf()).toEqual([]);
    // The storm is over, and the place of the first is free again.
    world.clock.advance(900_000);
    const ids = fleet.map(idOf);
    expect(await resumedOf()).toEqual([ids[2], ids[3], ids[1]]);
    const decisions = [];
    for (const n of [1, 3, 2]) decisions.push(await assess(world, fleet[n] as FleetAgent));
    expect(kinds(decisions)).toEqual(['hold', 'hold', 'proceed']);
  });

  it('are all taken up at once, in order, when an operator acknowledges the storm', async () => {
    const { world, fleet } = await waiting([0, 1, 9, 5]);
    const until = (world.clock.now() + 600_000) as never;
    world.ledger.setControl(cluster, { maintenance: {}, stormAcknowledged: { by: 'ana', until } });
    world.clock.advance(30_000);
    const { resumed } = await createSweep(world.deps)();
    expect(resumed).toEqual([2, 3, 1].map((n) => idOf(fleet[n] as FleetAgent)));
  });

  it('are woken when EC2 says down and no event told of it', async () => {
    const { world, fleet } = await waiting([0, 0]);
    const agent = fleet[1] as FleetAgent;
    world.cloud.setInstance(agent.instanceId, { state: 'stopped' });
    world.clock.advance(30_000);
    expect((await createSweep(world.deps)()).found).toEqual([agent.instanceId]);
    expect((await incidentFor(world, agent)).token).toBe(2);
    expect(await assess(world, agent)).toEqual({ kind: 'proceed' });
    expect((await createSweep(world.deps)()).found).toEqual([]);
  });

  it('are forgotten when their incident is over, and then the storm is', async () => {
    const { world, fleet } = await waiting([0, 0]);
    const { id, token } = await incidentFor(world, fleet[1] as FleetAgent);
    await world.ledger.close(id, token, { status: 'cancelled' }, world.clock.now());
    await createSweep(world.deps)();
    expect(await world.ledger.storm(cluster)).toMatchObject({
      waiting: {},
      ended: world.clock.now(),
    });
  });

  it('wait no more when they recover', async () => {
    const { world, fleet } = await waiting([0, 0]);
    const agent = fleet[1] as FleetAgent;
    world.dcos.silent.clear();
    world.cloud.checks.clear();
    for (const { instanceId } of fleet) {
      world.cloud.checks.set(instanceId, { system: 'ok', instance: 'ok', attachedEbs: 'ok' });
    }
    expect(await assess(world, agent)).toEqual({ kind: 'cancelled' });
    expect((await world.ledger.storm(cluster)).waiting).toEqual({});
  });
});

describe('the message about a storm', () => {
  it('is one for all that wait, told by the first and kept up to date by the sweep', async () => {
    const { world, fleet } = await stormOf(8);
    for (const agent of fleet) {
      if ((await assess(world, agent)).kind === 'hold') await holdStep(world, agent);
    }
    expect(world.published).toEqual(['storm']);
    await createSweep(world.deps)();
    expect(world.published).toEqual(['storm', 'storm']);
  });

  it('says how many wait, where, why and in which order, and is rewritten, not repeated', async () => {
    const { world, fleet } = await stormOf(8, [0, 0, 3, 9]);
    for (const agent of fleet) await assess(world, agent);
    const posted: IncidentMessage[] = [];
    const updated: IncidentMessage[] = [];
    const replied: (readonly string[])[] = [];
    const notifier = {
      post: async (message: IncidentMessage) => {
        posted.push(message);
        return { channel: 'C1', ts: '1.1' };
      },
      update: async (_c: string, _t: string, message: IncidentMessage) => {
        updated.push(message);
      },
      reply: async (_c: string, _t: string, lines: readonly string[]) => {
        replied.push(lines);
      },
    };
    const notify = createNotify({ ...world.deps, notifier });
    for (const agent of fleet.slice(2)) await notify({ incidentId: idOf(agent), phase: 'storm' });
    expect([posted.length, updated.length, replied.length]).toEqual([1, 5, 0]);
    expect(posted[0]?.title).toBe(`${cluster}: storm: 6 agents wait`);
    const text = posted[0]?.lines.join('\n') ?? '';
    expect(text).toContain(`zone: ${fleetZone} 6`);
    expect(text).toContain('group: none 6');
    expect(text).toContain('cause: Impaired system 6');
    const [, , low, high] = fleet as FleetAgent[];
    expect(text).toContain(`${high?.instanceId} (9), ${low?.instanceId} (3)`);
    await world.ledger.leaveStorm(cluster, fleet.map(idOf), world.clock.now());
    await notify({ incidentId: idOf(fleet[2] as FleetAgent), phase: 'storm' });
    expect(updated.at(-1)).toMatchObject({ title: `${cluster}: storm over`, mood: 'calm' });
    // News of one incident are about that incident, storm or not.
    await notify({ incidentId: idOf(fleet[2] as FleetAgent), phase: 'fenced' });
    expect(posted.at(-1)?.title).toContain(fleet[2]?.instanceId);
  });
});

describe('masters that have lost many', () => {
  it('have nobody fenced and one message, whatever EC2 calls impaired meanwhile', async () => {
    const world = createWorld({ partitionedAgent: 'fence' });
    const fleet = await addFleet(world, 30);
    for (const agent of fleet) cutOffOne(world, agent);
    hangOne(world, fleet[0] as FleetAgent);
    world.clock.advance(120_000);
    const { found } = await createSweep(world.deps)();
    expect(found).toHaveLength(30);
    for (const _look of [1, 2]) {
      for (const agent of fleet) {
        expect(await assess(world, agent)).toEqual(held('blind'));
        await holdStep(world, agent);
      }
      world.clock.advance(200_000);
    }
    expect(world.published.filter((phase) => phase === 'held')).toEqual([]);
    expect(world.published.filter((phase) => phase === 'storm').length).toBeGreaterThan(0);
    expect(Object.keys((await world.ledger.storm(cluster)).waiting)).toHaveLength(30);
    expect(world.book.calls).toEqual([]);
    const { verdict } = await incidentFor(world, fleet[3] as FleetAgent);
    expect(verdict?.why.join()).toContain('Mesos has lost 29 of 33 agents');
  });

  it('hold nobody any more once they list them again', async () => {
    const world = createWorld();
    const fleet = await addFleet(world, 30);
    const before = [...world.dcos.listed];
    for (const agent of fleet) cutOffOne(world, agent);
    const agent = fleet[0] as FleetAgent;
    await openFor(world, agent);
    expect(await assess(world, agent)).toEqual(held('blind'));
    world.dcos.listed = before;
    expect(await assess(world, agent)).toEqual({ kind: 'cancelled' });
    expect((await world.ledger.storm(cluster)).waiting).toEqual({});
  });
});
