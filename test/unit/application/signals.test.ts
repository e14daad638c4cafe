import { describe, expect, it } from 'vitest';
import { createIntake } from '../../../src/application/intake.ts';
import { createOpenIncident } from '../../../src/application/open-incident.ts';
import { CloudUnavailableError, SignalRefusedError } from '../../../src/domain/errors.ts';
import { executionNameOf } from '../../../src/domain/ids.ts';
import type { Signal } from '../../../src/domain/incident.ts';
import { createWorld, type World } from '../../fakes/world.ts';
import { agentTags, appOf, ids, signalOf, t, zone } from '../../support/build.ts';

const intake = (world: World, ...signals: Signal[]) => createIntake(world.deps)(signals);
const hold = { reason: 'blind', says: 'x', since: t(0), looks: 0, retryAt: t(5) } as const;
const started = (world: World) => world.workflow.started.map(({ name }) => name);
const first = executionNameOf(ids.failed, 1, 1);

describe('intake', () => {
  it('opens an incident and starts the execution the ledger allocated for it', async () => {
    const world = createWorld();
    expect(await intake(world, signalOf())).toEqual([{ kind: 'opened', incidentId: ids.incident }]);
    expect(world.workflow.started).toEqual([
      {
        mode: 'failover',
        name: first,
        input: { incidentId: ids.incident, instanceId: ids.failed, token: 1 },
      },
    ]);
  });

  it('makes one incident of ten deliveries and of two kinds of signal', async () => {
    const world = createWorld();
    const signals = Array.from({ length: 10 }, () => signalOf());
    await intake(world, ...signals, signalOf({ key: 'alarm-1', source: 'status-alarm' }));
    expect(new Set(started(world))).toEqual(new Set([first]));
    expect((await world.incident()).signals.map(({ key }) => key)).toEqual(['alarm-1', 'event-1']);
    expect(await world.ledger.openIncidents('prod')).toEqual([ids.incident]);
  });

  it('starts the same execution again when its opener may have died before', async () => {
    const world = createWorld();
    world.workflow.failNext = new CloudUnavailableError('StartExecution', 'ECONNRESET');
    await expect(intake(world, signalOf())).rejects.toThrow(CloudUnavailableError);
    expect(await intake(world, signalOf())).toEqual([{ kind: 'joined', incidentId: ids.incident }]);
    expect(started(world)).toEqual([first]);
  });

  it('does not start anything for an incident that an execution works on', async () => {
    const world = createWorld();
    await world.given();
    await intake(world, signalOf({ key: 'event-2' }));
    expect(started(world)).toEqual([]);
  });

  it('wakes a held incident once, however many signals come before somebody has begun', async () => {
    const world = createWorld();
    await world.given({ status: 'held', hold });
    for (const key of ['event-2', 'event-3', 'event-4']) await intake(world, signalOf({ key }));
    expect(await world.incident()).toMatchObject({ token: 2, status: 'held' });
    expect(new Set(started(world)).size).toBe(1);
  });

  it('takes nothing from an execution that began to work on it again meanwhile', async () => {
    const world = createWorld();
    await world.given({ status: 'held', hold });
    const { ledger } = world;
    const { admit } = ledger;
    ledger.admit = async (...asked) => {
      const admitted = await admit.apply(ledger, asked);
      await ledger.save(ids.incident, 1, { status: 'open' }, t(1));
      return admitted;
    };
    await intake(world, signalOf({ key: 'event-2' }));
    expect(await world.incident()).toMatchObject({ token: 1, status: 'open' });
    expect(started(world)).toEqual([]);
  });

  it('wakes a held incident with new evidence, under a new token', async () => {
    const world = createWorld();
    await world.given({ status: 'held', hold });
    expect(await intake(world, signalOf({ key: 'event-2' }))).toEqual([
      { kind: 'woken', incidentId: ids.incident },
    ]);
    expect((await world.incident()).token).toBe(2);
    expect(started(world)).toEqual([executionNameOf(ids.failed, 1, 2)]);
  });

  it('does not wake a held incident with a signal it has heard before', async () => {
    const world = createWorld();
    await world.given({ status: 'held', hold });
    expect(await intake(world, signalOf())).toEqual([{ kind: 'joined', incidentId: ids.incident }]);
    expect((await world.incident()).token).toBe(1);
  });

  it('opens the next incident once the last one is over', async () => {
    const world = createWorld();
    await world.given();
    await world.ledger.close(ids.incident, 1, { status: 'cancelled' }, t(1));
    const [admitted] = await intake(world, signalOf());
    expect(admitted).toEqual({ kind: 'opened', incidentId: `prod#${ids.failed}#2` });
    expect(started(world)).toEqual([executionNameOf(ids.failed, 2, 1)]);
  });

  it.each([
    ['no cluster tag', agentTags.slice(1)],
    [
      'another cluster’s tag',
      [{ key: 'ebs-failover:cluster', value: 'staging' }, ...agentTags.slice(1)],
    ],
    ['a master’s role', [...agentTags.slice(0, 1), { key: 'role', value: 'mesos-master' }]],
  ])('refuses an instance that carries %s, and leaves no trace', async (_, tags) => {
    const world = createWorld();
    world.cloud.setInstance(ids.failed, { tags });
    expect(await intake(world, signalOf())).toMatchObject([
      { kind: 'refused', instanceId: ids.failed, why: expect.any(String) },
    ]);
    expect(world.counted).toEqual(['SignalRefused']);
    expect(await world.ledger.openIncidents('prod')).toEqual([]);
    expect(started(world)).toEqual([]);
  });

  it('keeps a signal about an instance that nobody knows for the dead-letter queue', async () => {
    const world = createWorld();
    world.cloud.instances.delete(ids.failed);
    await expect(intake(world, signalOf())).rejects.toThrow(SignalRefusedError);
    expect(await world.ledger.openIncidents('prod')).toEqual([]);
  });

  it('admits the others of an event that also names an instance nobody knows', async () => {
    const world = createWorld();
    const gone = 'i-000000000000000ff' as typeof ids.failed;
    const both = [signalOf({ key: 'page:gone', instanceId: gone }), signalOf()];
    await expect(intake(world, ...both)).rejects.toThrow(SignalRefusedError);
    expect(started(world)).toEqual([first]);
    await expect(intake(world, ...both)).rejects.toThrow(SignalRefusedError);
    expect(new Set(started(world))).toEqual(new Set([first]));
    expect((await world.incident()).signals).toHaveLength(1);
  });

  it('keeps what AWS has announced with the signal', async () => {
    const world = createWorld();
    const notice = { kind: 'interrupted', action: 'terminate', deadline: t(120) } as const;
    await intake(world, signalOf({ notice }));
    expect((await world.incident()).signals).toMatchObject([{ notice }]);
  });

  it('takes a signal about an agent that EC2 has forgotten and the inventory has not', async () => {
    const world = createWorld();
    world.cloud.instances.delete(ids.failed);
    await world.ledger.recordInventory(ids.failed, {
      launchTime: ids.launched,
      availabilityZone: zone,
      agentIds: [ids.agent],
      apps: [appOf()],
      tasks: [],
      volumes: [],
      seenAt: t(-60),
    });
    expect(await intake(world, signalOf())).toMatchObject([{ kind: 'opened' }]);
  });

  it('does not take an unreadable EC2 for a stranger', async () => {
    const world = createWorld();
    world.book.fail('instance', new CloudUnavailableError('DescribeInstances', '503'));
    await expect(intake(world, signalOf())).rejects.toThrow(CloudUnavailableError);
    expect(await intake(world, signalOf())).toMatchObject([{ kind: 'opened' }]);
  });
});

describe('OpenIncident', () => {
  const open = (world: World, name: string, request: object = {}) =>
    createOpenIncident(world.deps)({
      instanceId: ids.failed,
      executionName: name,
      executionArn: world.workflow.arnOf('failover', name),
      ...request,
    });
  const byToken = (token: number) => ({ incidentId: ids.incident, token });

  it('binds the execution that intake started', async () => {
    const world = createWorld();
    await intake(world, signalOf());
    expect(await open(world, first, byToken(1))).toMatchObject({ kind: 'opened', token: 1 });
    expect((await world.incident()).executionArn).toBe(world.workflow.arnOf('failover', first));
  });

  it('answers the same when the step runs again', async () => {
    const world = createWorld();
    await intake(world, signalOf());
    await open(world, first, byToken(1));
    expect(await open(world, first, byToken(1))).toMatchObject({ kind: 'opened', token: 1 });
  });

  it('turns away an execution whose token moved on, or whose incident is over', async () => {
    const world = createWorld();
    await intake(world, signalOf());
    await world.takenOver();
    expect((await open(world, first, byToken(1))).kind).toBe('refused');
    await world.ledger.close(ids.incident, 2, { status: 'cancelled' }, t(1));
    expect((await open(world, 'late', byToken(2))).kind).toBe('refused');
  });

  it('turns away a second execution under the same token', async () => {
    const world = createWorld();
    await intake(world, signalOf());
    await open(world, first, byToken(1));
    expect((await open(world, 'copy', byToken(1))).kind).toBe('refused');
  });

  it('lets a person start a failover through the same gate as an event', async () => {
    const world = createWorld();
    const request = { reason: 'disk errors', requestedBy: 'kim' };
    expect(await open(world, 'by-hand', request)).toMatchObject({ kind: 'opened', token: 1 });
    expect((await world.incident()).signals).toMatchObject([
      { source: 'operator', says: 'kim asked for a failover: disk errors' },
    ]);
  });

  it('adds the person’s reason to the incident that an execution works on, and names it', async () => {
    const world = createWorld();
    await intake(world, signalOf());
    expect(await open(world, 'by-hand')).toMatchObject({
      kind: 'joined',
      execution: world.workflow.arnOf('failover', first),
    });
    expect((await world.incident()).signals).toHaveLength(2);
    expect((await world.incident()).token).toBe(1);
  });

  it('takes over for a person when the recorded execution is dead', async () => {
    const world = createWorld();
    await intake(world, signalOf());
    world.workflow.statuses.set(world.workflow.arnOf('failover', first), 'FAILED');
    expect(await open(world, 'by-hand')).toMatchObject({ kind: 'opened', token: 2 });
    expect((await world.incident()).executionArn).toBe(world.workflow.arnOf('failover', 'by-hand'));
  });

  it('binds a person’s execution again when the step runs twice', async () => {
    const world = createWorld();
    await open(world, 'by-hand');
    expect(await open(world, 'by-hand')).toMatchObject({ kind: 'opened', token: 1 });
    expect((await world.incident()).signals).toHaveLength(1);
  });

  it('refuses an instance that is none of ours, in words', async () => {
    const world = createWorld();
    world.cloud.setInstance(ids.failed, { tags: [] });
    expect(await open(world, 'by-hand')).toMatchObject({
      kind: 'refused',
      says: expect.stringContaining('nothing was done'),
    });
    expect(await world.ledger.openIncidents('prod')).toEqual([]);
  });
});
