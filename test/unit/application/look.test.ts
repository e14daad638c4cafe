import { describe, expect, it } from 'vitest';
import { createLook, type LookRequest } from '../../../src/application/look/look.ts';
import { hold } from '../../../src/application/step.ts';
import { type LookInput, LookOutput } from '../../../src/contracts/look.ts';
import { CloudUnavailableError, OrchestratorUnavailableError } from '../../../src/domain/errors.ts';
import type { IncidentId, InstanceId, VolumeId } from '../../../src/domain/ids.ts';
import type { MemoryLedger } from '../../fakes/memory-ledger.ts';
import { createWorld, type World } from '../../fakes/world.ts';
import {
  agentOf,
  appOf,
  checksOf,
  clusterTag,
  factsOf,
  ids,
  inventoryOf,
  provenFence,
  quarantineOf,
  readOf,
  recordOf,
  signalOf,
  t,
  volumeOf,
} from '../../support/build.ts';

const reads = new Set<PropertyKey>(
  ['audit', 'control', 'history', 'incident', 'inventory', 'lastIncidentOf', 'openIncidentOf']
    .concat('openIncidents', 'orders', 'ownership', 'quarantine', 'quarantines', 'slot', 'storm')
    .concat('watched'),
);
/** A ledger that nobody may write to. */
const readOnly = (ledger: MemoryLedger): MemoryLedger =>
  new Proxy(ledger, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== 'function') return member;
      if (!reads.has(name)) throw new Error(`${String(name)} would write`);
      return member.bind(target);
    },
  });

/** Asks as the function does: what comes back fits the contract, and nothing was changed. */
const look = async <View extends LookInput['view']>(
  world: World,
  request: LookRequest & { view: View },
) => {
  const answer = await createLook({ ...world.deps, ledger: readOnly(world.ledger) })(request);
  expect(world.book.calls).toEqual([]);
  return LookOutput.parse(answer);
};
const kindOf =
  <const Kind extends LookOutput['kind']>(kind: Kind) =>
  (answer: LookOutput): Extract<LookOutput, { kind: Kind }> => {
    if (answer.kind !== kind) throw new Error(`answered ${JSON.stringify(answer)}`);
    return answer as Extract<LookOutput, { kind: Kind }>;
  };
/** Admin Router does not answer. */
const cutOff = (world: World): void => {
  const fail = () => Promise.reject(new OrchestratorUnavailableError('GET', 'ECONNREFUSED'));
  world.dcos.agents = fail;
  world.dcos.tasks = fail;
};
const status = async (world: World) => kindOf('status')(await look(world, { view: 'status' }));
const explained = async (world: World, instanceId = ids.failed) =>
  kindOf('explain')(await look(world, { view: 'explain', instanceId }));
const refusal = async (world: World, request: LookRequest): Promise<string> =>
  kindOf('refused')(await look(world, request)).says;

describe('status', () => {
  it('shows agents with EC2 and Mesos state, apps and volumes', async () => {
    const world = createWorld();
    const { agents, cluster, incidents, trouble } = await status(world);
    expect({ cluster, incidents, trouble }).toEqual({
      cluster: 'prod',
      incidents: [],
      trouble: [],
    });
    expect(agents.map(({ privateIp }) => privateIp)).toEqual(['10.0.0.7', '10.0.0.8', '10.0.0.9']);
    expect(agents[0]).toMatchObject({
      instanceId: ids.failed,
      state: 'running',
      checks: 'ok',
      mesos: 'active',
      agentId: ids.agent,
      appIds: ['/mysql'],
      volumeIds: [ids.data],
      quarantined: false,
    });
  });

  it('shows volumes with where EC2 has them and who the ledger says may write', async () => {
    const world = createWorld();
    world.cloud.volumesById.set(ids.root, volumeOf({ volumeId: ids.root, tags: [] }));
    await world.claimed();
    expect((await status(world)).volumes).toEqual([
      {
        volumeId: ids.data,
        name: 'mysql',
        state: 'in-use',
        availabilityZone: 'us-east-1a',
        attachedTo: [ids.failed],
        ownership: 'claimed',
        owner: ids.failed,
        epoch: 1,
        incidentId: ids.incident,
      },
    ]);
  });

  it('shows open incidents, and the agent each is about', async () => {
    const world = createWorld();
    const incident = await world.given();
    await hold(world.ledger, incident, { reason: 'blind', says: 'no masters' }, t(1));
    const { agents, incidents } = await status(world);
    expect(incidents).toMatchObject([
      { id: ids.incident, status: 'held', hold: { reason: 'blind', says: 'no masters' } },
    ]);
    expect(agents[0]?.incidentId).toBe(ids.incident);
  });

  it.each([
    [{ active: false }, 'inactive'],
    [{ recovered: true }, 'inactive'],
    [{ deactivated: true }, 'deactivated'],
  ])('says of an agent that Mesos lists %j: %s', async (change, word) => {
    const world = createWorld();
    world.dcos.listed = [agentOf(change)];
    expect((await status(world)).agents.map(({ mesos }) => mesos)).toEqual([
      word,
      'not-listed',
      'not-listed',
    ]);
  });

  it.each([
    [checksOf({ system: 'impaired' }), 'impaired'],
    [checksOf({ instance: 'initializing' }), 'initializing'],
    [checksOf({ instance: 'insufficient-data' }), 'unclear'],
  ])('says of the status checks %j: %s', async (checks, word) => {
    const world = createWorld();
    world.cloud.checks.set(ids.failed, checks);
    expect((await status(world)).agents[0]?.checks).toBe(word);
  });

  it('shows what is left where the masters cannot be asked', async () => {
    const world = createWorld();
    cutOff(world);
    const { agents, trouble } = await status(world);
    expect(trouble.join('\n')).toMatch(/^Mesos: .*\nMarathon: /);
    expect(agents.map(({ mesos, state }) => `${state} ${mesos}`)).toEqual(
      Array.from({ length: 3 }, () => 'running unread'),
    );
  });

  it('shows the agents it remembers where EC2 cannot be read, and claims nothing of them', async () => {
    const world = createWorld();
    await world.ledger.watch('prod', ids.failed);
    await world.ledger.recordInventory(ids.failed, inventoryOf());
    world.cloud.instancesOfCluster = async () => {
      throw new CloudUnavailableError('DescribeInstances', '503');
    };
    const { agents, trouble } = await status(world);
    expect(trouble).toEqual([expect.stringMatching(/^EC2: /)]);
    expect(agents).toMatchObject([
      { instanceId: ids.failed, state: 'unread', privateIp: '10.0.0.7', checks: 'none' },
    ]);
  });

  it('misses an agent that was seen well and that EC2 does not list', async () => {
    const world = createWorld();
    const gone = 'i-0000000000000dead' as InstanceId;
    await world.ledger.watch('prod', gone);
    const { agents } = await status(world);
    expect(agents.at(-1)).toMatchObject({
      instanceId: gone,
      state: 'unknown',
      mesos: 'not-listed',
    });
  });

  it('shows no machine of the cluster that is no agent', async () => {
    const world = createWorld();
    world.cloud.setInstance(ids.other, { tags: [clusterTag] });
    expect((await status(world)).agents).toHaveLength(2);
  });

  it('shows every brake: pause, maintenance, storm, slot, quarantine, shifted zones', async () => {
    const world = createWorld();
    const { ledger } = world;
    ledger.setControl('prod', {
      paused: { by: 'ana', reason: 'game day', until: t(60) },
      maintenance: {
        [ids.spare]: { by: 'ben', until: t(60) },
        [ids.other]: { by: 'ben', until: t(-1) },
      },
      stormAcknowledged: { by: 'cem', until: t(60) },
      shiftedZones: { 'use1-az1': { since: t(-9), until: t(60), says: 'shifted' } },
    });
    await ledger.takeSlot('prod', ids.incident);
    await ledger.saveQuarantine('prod', quarantineOf());
    const place = { instanceId: ids.failed, zone: 'us-east-1a', cause: 'Impaired system' };
    const waiting = { ...place, behind: 'storm', priority: 5, since: t(-5) } as const;
    await ledger.joinStorm('prod', ids.incident, waiting);
    const { agents, brakes } = await status(world);
    expect(brakes).toEqual({
      paused: { by: 'ana', reason: 'game day', until: t(60), over: false },
      maintenance: [{ instanceId: ids.spare, by: 'ben', until: t(60) }],
      storm: {
        waiting: [{ incidentId: ids.incident, ...waiting }],
        acknowledged: { by: 'cem', until: t(60) },
      },
      slot: ids.incident,
      quarantined: [
        { instanceId: ids.failed, incidentId: quarantineOf().incidentId, since: t(-600) },
      ],
      shiftedZones: [{ zoneId: 'use1-az1', until: t(60) }],
    });
    expect(agents.map(({ quarantined }) => quarantined)).toEqual([true, false, false]);
  });

  it('says of a pause that its time is over', async () => {
    const world = createWorld();
    world.ledger.setControl('prod', {
      paused: { by: 'ana', reason: 'game day', until: t(-1) },
      maintenance: {},
    });
    expect((await status(world)).brakes.paused?.over).toBe(true);
  });
});

/** An incident that was opened, fenced and recovered, with its audit and its volume. */
const recovered = async (): Promise<World> => {
  const world = createWorld();
  const { ledger } = world;
  await world.given({
    verdict: { kind: 'Impaired', at: t(1), why: ['it hangs'], whyNot: ['it is young'] },
    facts: factsOf({ at: t(1) }),
  });
  await world.claimed();
  const stop = { call: 'StopInstances', target: ids.failed, parameters: { force: false } };
  const [audit] = await ledger.intend(ids.incident, 1, 'FenceAgent', [stop], t(2), {
    fence: provenFence({ proof: [readOf(19), readOf(20)] }),
  });
  const outcome = { kind: 'accepted', at: t(3), requestId: 'r-1' } as const;
  await ledger.conclude(ids.incident, audit?.seq ?? 0, outcome);
  await ledger.advance(recordOf({ state: 'released', releasedAt: t(23) }), t(23));
  await ledger.close(ids.incident, 1, { status: 'recovered', closedAt: t(41) }, t(41));
  await ledger.unlist('prod', ids.incident);
  return world;
};

describe('one incident', () => {
  it('is shown with evidence, calls by request id, phases and what became of its volumes', async () => {
    const world = await recovered();
    const request = { view: 'incident', incidentId: ids.incident } as const;
    const shown = kindOf('incident')(await look(world, request));
    expect(shown).toMatchObject({
      id: ids.incident,
      status: 'recovered',
      verdict: { kind: 'Impaired', why: ['it hangs'], whyNot: ['it is young'] },
      calls: [
        { call: 'StopInstances', actor: 'FenceAgent', outcome: 'accepted', requestId: 'r-1' },
      ],
      volumes: [
        {
          volumeId: ids.data,
          name: 'mysql',
          now: { state: 'released', epoch: 1, releasedAt: t(23) },
          before: [],
        },
      ],
    });
    expect(shown.phases.map(({ phase }) => phase)).toEqual(['assess', 'fence', 'release']);
    expect(shown.timeline.map(({ kind }) => kind)).toContain('proof');
  });

  it('is found by its instance, the last one, open or over', async () => {
    const world = await recovered();
    const request = { view: 'incidentOf', instanceId: ids.failed } as const;
    expect(await look(world, request)).toMatchObject({ id: ids.incident, status: 'recovered' });
    await world.ledger.admit('prod', signalOf({ key: 'again' }));
    expect(await look(world, request)).toMatchObject({ n: 2, status: 'open' });
  });

  it('is shown with what people asked for, and who holds it', async () => {
    const world = createWorld();
    const incident = await world.given();
    const order = {
      at: t(2),
      action: 'hold',
      by: 'ana',
      reason: 'look first',
      parameters: {},
    } as const;
    const number = await world.ledger.recordOrder({ incidentId: ids.incident }, order);
    const request = { view: 'incident', incidentId: ids.incident } as const;
    expect(await look(world, request)).toMatchObject({ orders: [{ by: 'ana', outcome: 'open' }] });
    await world.ledger.concludeOrder(number, { kind: 'done', says: 'held' });
    const operatorHold = { by: 'ana', reason: 'look first', at: t(2) };
    await world.ledger.save(incident.id, incident.token, { operatorHold }, t(3));
    expect(await look(world, request)).toMatchObject({
      orders: [{ action: 'hold', by: 'ana', reason: 'look first', outcome: 'done', says: 'held' }],
      operatorHold,
    });
  });

  it('says of a call that was cut short that no outcome is known', async () => {
    const world = createWorld();
    await world.given();
    const stop = { call: 'StopInstances', target: ids.failed, parameters: {} };
    await world.ledger.intend(ids.incident, 1, 'FenceAgent', [stop], t(2));
    const request = { view: 'incident', incidentId: ids.incident } as const;
    expect(await look(world, request)).toMatchObject({ calls: [{ outcome: 'open' }] });
  });

  it.each<[string, LookRequest, RegExp]>([
    [
      'an incident that never was',
      { view: 'incident', incidentId: 'prod#i-00000000000000007#9' as IncidentId },
      /^the ledger has no incident prod#/,
    ],
    [
      'an incident of another cluster',
      { view: 'incident', incidentId: 'staging#i-00000000000000007#1' as IncidentId },
      /of another cluster than prod$/,
    ],
    [
      'an instance that never had one',
      { view: 'incidentOf', instanceId: ids.spare },
      /^the ledger knows no incident of i-/,
    ],
    [
      'a volume nobody adopted',
      { view: 'history', volumeId: 'vol-0000000000000dead' as VolumeId },
      /^the ledger knows nothing of vol-/,
    ],
    [
      'an instance nobody knows',
      { view: 'explain', instanceId: 'i-0000000000000dead' as InstanceId },
      /^neither EC2 nor the ledger knows i-/,
    ],
  ])('is refused for %s', async (_, request, words) => {
    expect(await refusal(createWorld(), request)).toMatch(words);
  });
});

describe('incidents', () => {
  it('are the open ones, the oldest first; with all, those that are over too', async () => {
    const world = await recovered();
    await world.ledger.watch('prod', ids.failed);
    const open = async (all: boolean) => {
      const answer = kindOf('incidents')(await look(world, { view: 'incidents', all }));
      return answer.incidents.map(({ n, status: how }) => `${n} ${how}`);
    };
    expect(await open(false)).toEqual([]);
    expect(await open(true)).toEqual(['1 recovered']);
    await world.ledger.admit('prod', signalOf({ key: 'again' }));
    expect(await open(false)).toEqual(['2 open']);
    expect(await open(true)).toEqual(['2 open', '1 recovered']);
  });
});

describe('the history of a volume', () => {
  it('has every epoch, the one in force last', async () => {
    const world = createWorld();
    const first = recordOf({ state: 'owned', owner: ids.failed });
    await world.ledger.claim(undefined, first, t(0));
    const next = recordOf({ epoch: 2, incidentId: 'prod#i-00000000000000007#2' as IncidentId });
    await world.ledger.claim(first, next, t(9));
    const request = { view: 'history', volumeId: ids.data } as const;
    const { epochs, name } = kindOf('history')(await look(world, request));
    expect(name).toBe('mysql');
    expect(epochs.map(({ epoch, state }) => [epoch, state])).toEqual([
      [1, 'owned'],
      [2, 'claimed'],
    ]);
  });
});

describe('explain', () => {
  it('says of an agent that works that there is nothing to do, and what is on it', async () => {
    const answer = await explained(createWorld());
    expect(answer).toMatchObject({ action: 'none', verdict: { kind: 'Recovered' }, guards: [] });
    expect(answer.volumes).toMatchObject([{ volumeId: ids.data, name: 'mysql' }]);
    expect(answer.says).toMatch(/^nothing to do: Recovered: .*it answers/);
  });

  it('says of one that hangs that it would be acted upon, by two witnesses', async () => {
    const world = createWorld();
    world.hang();
    const answer = await explained(world);
    expect(answer).toMatchObject({ action: 'act', verdict: { kind: 'Impaired' }, guards: [] });
    expect(answer.witnesses.checks).toMatch(/instance impaired.*for 120 s/);
    expect(answer.witnesses.mesos).toMatch(/did not answer 2 probes/);
  });

  it('says of one that is down with nothing on it that there is nothing to move', async () => {
    const world = createWorld();
    world.cloud.setInstance(ids.other, { state: 'stopped' });
    expect(await explained(world, ids.other)).toMatchObject({
      action: 'cancel',
      says: expect.stringMatching(/^nothing of the cluster is on it to move: Down/),
    });
  });

  it('says of a machine that is none of ours why', async () => {
    const world = createWorld();
    world.cloud.setInstance(ids.other, { tags: [] });
    expect(await explained(world, ids.other)).toMatchObject({
      action: 'none',
      says: expect.stringMatching(/none of the cluster's agents: it carries no/),
    });
  });

  it('goes on from what an open incident knows, and shows it', async () => {
    const world = createWorld();
    world.cloud.setInstance(ids.failed, { state: 'stopped' });
    await world.given({ fence: provenFence(), facts: factsOf() });
    expect(await explained(world)).toMatchObject({
      action: 'act',
      says: 'its fence has begun, and there is no way back: fenced, moving the volumes',
      incident: { id: ids.incident },
    });
  });

  it('waits with soft evidence', async () => {
    const world = createWorld();
    world.cloud.checks.set(ids.failed, checksOf({ instance: 'impaired' }));
    expect(await explained(world)).toMatchObject({
      action: 'watch',
      verdict: { kind: 'Suspect', whyNot: [expect.stringMatching(/working/)] },
    });
  });

  it('is held where the masters cannot be asked', async () => {
    const world = createWorld();
    cutOff(world);
    await world.given();
    await world.ledger.recordInventory(ids.failed, inventoryOf());
    expect(await explained(world)).toMatchObject({
      action: 'hold',
      says: expect.stringMatching(/^held \(blind\): the Mesos masters cannot be asked/),
    });
  });

  it('does not take a place behind the storm brake, and says that there is none', async () => {
    const world = createWorld();
    world.hang();
    for (const n of [1, 2, 3]) {
      const instanceId = `i-0000000000000000${n}` as InstanceId;
      const incidentId = `prod#${instanceId}#1` as IncidentId;
      const place = { instanceId, incidentId, zone: 'us-east-1a', cause: 'Impaired', at: t(-9) };
      const storm = await world.ledger.storm('prod');
      await world.ledger.letThrough('prod', storm, incidentId, [...storm.admitted, place]);
    }
    expect(await explained(world)).toMatchObject({ action: 'hold', guards: [{ reason: 'storm' }] });
  });

  it('would be the second failover within the block period', async () => {
    const world = await recovered();
    world.hang();
    expect(await explained(world)).toMatchObject({
      action: 'hold',
      guards: [{ reason: 'flapping' }],
      incident: { id: ids.incident, status: 'recovered' },
    });
  });

  it.each<[string, (world: World) => unknown, string]>([
    ['pause', (world) => world.paused(), 'paused'],
    ['maintenance', (world) => world.inMaintenance(), 'maintenance'],
    [
      'a volume nobody adopted',
      (world) =>
        world.cloud.volumesById.set(
          ids.data,
          volumeOf({ tags: [{ key: 'Name', value: 'mysql' }] }),
        ),
      'ambiguous-scope',
    ],
    [
      'a volume that is gone',
      async (world) => {
        const fleeting = 'vol-0000000000000dead' as VolumeId;
        const volumes = [{ volumeId: fleeting, name: 'mysql', device: '/dev/xvdg' }];
        await world.ledger.recordInventory(ids.failed, inventoryOf({ volumes }));
      },
      'volume-lost',
    ],
    [
      'local persistent volumes',
      (world) => {
        world.dcos.allApps = [appOf({ hasLocalVolumes: true })];
      },
      'local-persistent-volumes',
    ],
  ])('says that %s would hold it', async (_, arrange, reason) => {
    const world = createWorld();
    world.hang();
    await arrange(world);
    const { action, guards, says } = await explained(world);
    expect(guards.map((guard) => guard.reason)).toContain(reason);
    expect({ action, says }).toEqual({
      action: 'hold',
      says: expect.stringMatching(new RegExp(`^held \\(${reason}\\): `)),
    });
  });

  it('is held by the word of a person, whatever else is switched', async () => {
    const world = createWorld();
    world.hang();
    world.paused();
    const incident = await world.given();
    const operatorHold = { by: 'ana', reason: 'look first', at: t(0) };
    await world.ledger.save(incident.id, incident.token, { operatorHold }, t(0));
    const { action, guards, says } = await explained(world);
    expect(guards.map(({ reason }) => reason)).toEqual(['operator-hold', 'paused']);
    expect({ action, says }).toEqual({
      action: 'hold',
      says: 'held (operator-hold): ana holds this incident: look first. Resume it to go on.',
    });
  });

  it('names all that speaks against it at once', async () => {
    const world = createWorld();
    world.hang();
    world.paused();
    world.dcos.allApps = [appOf({ hasLocalVolumes: true })];
    const { guards } = await explained(world);
    expect(guards.map(({ reason }) => reason)).toEqual(['paused', 'local-persistent-volumes']);
  });

  it('does not call an agent that works held because the cluster is paused', async () => {
    const world = createWorld();
    world.paused();
    expect(await explained(world)).toMatchObject({
      action: 'none',
      guards: [{ reason: 'paused' }],
    });
  });

  it('warns that there would be no room beside the data', async () => {
    const world = createWorld();
    world.hang();
    world.dcos.listed = [agentOf(), agentOf({ hostname: '10.0.0.8', free: { cpus: 0, mem: 0 } })];
    const { warnings } = await explained(world);
    expect(warnings).toMatchObject([{ reason: 'no-placement' }]);
  });

  it('shows what is left where room cannot be read', async () => {
    const world = createWorld();
    world.cloud.volumesNamed = async () => {
      throw new CloudUnavailableError('DescribeVolumes', '503');
    };
    const { warnings } = await explained(world);
    expect(warnings[0]?.says).toMatch(/^whether there is room could not be read/);
  });
});

describe('the fakes of these tests', () => {
  it('would notice a write', async () => {
    const ledger = readOnly(createWorld().ledger);
    expect(() => ledger.admit('prod', signalOf())).toThrow('admit would write');
  });
});
