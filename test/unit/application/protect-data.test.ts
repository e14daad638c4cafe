import { describe, expect, it } from 'vitest';
import { createProtectData } from '../../../src/application/protect-data.ts';
import { createUndoProtection } from '../../../src/application/undo-protection.ts';
import {
  CloudAmbiguousError,
  CloudUnavailableError,
  OrchestratorUnavailableError,
} from '../../../src/domain/errors.ts';
import { incidentIdOf, type VolumeId } from '../../../src/domain/ids.ts';
import type { GroupMembership } from '../../../src/ports/auto-scaling.ts';
import { createWorld, type World } from '../../fakes/world.ts';
import {
  cluster,
  factsOf,
  ids,
  incidentVolumeOf,
  instanceOf,
  recordOf,
  rungOf,
  signalOf,
  t,
  volumeTags,
} from '../../support/build.ts';

const input = { incidentId: ids.incident, token: 1 };
const protect = (world: World) => createProtectData(world.deps)(input);
const undo = (world: World) => createUndoProtection(world.deps)(input);
const assessed = async (): Promise<World> => {
  const world = createWorld();
  await world.given({ facts: factsOf() });
  return world;
};
const calls = (world: World, name: string) =>
  world.book.calls.filter(({ call }) => call === name).map(({ detail }) => detail);
const epochTag = (epoch: number) => [
  ...volumeTags(),
  { key: 'ebs-failover:epoch', value: `${epoch}` },
];
const member: GroupMembership = {
  group: 'agents',
  lifecycleState: 'InService',
  desired: 3,
  min: 3,
  suspendedProcesses: [],
};
const grouped = async (change: Partial<GroupMembership> = {}): Promise<World> => {
  const world = await assessed();
  world.cloud.groups.set(ids.failed, { ...member, ...change });
  return world;
};

describe('claims', () => {
  it('mark the epoch on the volume before they use it', async () => {
    const world = await assessed();
    let claimedBefore: unknown = 'not called';
    world.book.onCall = async ({ call }) => {
      if (call === 'CreateTags') claimedBefore = await world.ledger.ownership(ids.data);
    };
    expect(await protect(world)).toEqual({ kind: 'protected' });
    expect(claimedBefore).toBeUndefined();
    expect(calls(world, 'CreateTags')).toEqual([{ 'ebs-failover:epoch': '1' }]);
    expect(await world.ledger.ownership(ids.data)).toMatchObject({
      state: 'claimed',
      epoch: 1,
      from: ids.failed,
      incidentId: ids.incident,
      token: 1,
    });
  });

  it('do not write a mark that is there already', async () => {
    const world = await assessed();
    world.cloud.setVolume(ids.data, { tags: epochTag(1) });
    await protect(world);
    expect(calls(world, 'CreateTags')).toEqual([]);
    expect((await world.ledger.ownership(ids.data))?.epoch).toBe(1);
  });

  it('rise once per incident, however often the step runs', async () => {
    const world = await assessed();
    await protect(world);
    await protect(world);
    expect((await world.ledger.ownership(ids.data))?.epoch).toBe(1);
    expect(calls(world, 'CreateTags')).toHaveLength(1);
  });

  it('halt on a tag that is ahead of the ledger by more than a crash explains', async () => {
    const world = await assessed();
    world.cloud.setVolume(ids.data, { tags: epochTag(7) });
    expect(await protect(world)).toEqual({ kind: 'hold', reason: 'ledger-rewound' });
    expect(world.book.calls).toEqual([]);
    expect(await world.ledger.ownership(ids.data)).toBeUndefined();
  });

  it('do not guess what a tag means that is no number', async () => {
    const world = await assessed();
    const tags = [...volumeTags(), { key: 'ebs-failover:epoch', value: 'three' }];
    world.cloud.setVolume(ids.data, { tags });
    expect(await protect(world)).toEqual({ kind: 'hold', reason: 'ambiguous-scope' });
    expect(world.book.calls).toEqual([]);
  });

  it('leave a volume to another incident that is open', async () => {
    const world = await assessed();
    const other = incidentIdOf(cluster, ids.other, 3);
    await world.ledger.claim(undefined, recordOf({ incidentId: other }), t(0));
    expect(await protect(world)).toEqual({ kind: 'hold', reason: 'volume-attached-elsewhere' });
    expect(world.book.calls).toEqual([]);
  });

  it('take over what an incident that is over still has claimed', async () => {
    const world = await assessed();
    const { incident: other } = await world.ledger.admit(
      cluster,
      signalOf({ instanceId: ids.other }),
    );
    await world.ledger.claim(undefined, recordOf({ incidentId: other.id }), t(0));
    expect(await protect(world)).toMatchObject({ reason: 'volume-attached-elsewhere' });
    await world.ledger.close(other.id, other.token, { status: 'recovered' }, t(1));
    expect(await protect(world)).toEqual({ kind: 'protected' });
    expect(await world.ledger.ownership(ids.data)).toMatchObject({
      incidentId: ids.incident,
      epoch: 2,
    });
  });

  it.each<[string, (world: World) => void, string]>([
    ['a volume is gone', (world) => void world.cloud.volumesById.delete(ids.data), 'volume-lost'],
    [
      'a volume lost its cluster tag',
      (world) => world.cloud.setVolume(ids.data, { tags: volumeTags().slice(0, 1) }),
      'ambiguous-scope',
    ],
    [
      'a volume carries the cluster tag twice, in different cases',
      (world) =>
        world.cloud.setVolume(ids.data, {
          tags: [...volumeTags(), { key: 'EBS-Failover:Cluster', value: 'other' }],
        }),
      'ambiguous-scope',
    ],
    [
      'the instance was started anew',
      (world) => world.cloud.restart(ids.failed, ids.relaunched),
      'unknown-incarnation',
    ],
    [
      'EC2 does not know the instance',
      (world) => void world.cloud.instances.delete(ids.failed),
      'unknown-incarnation',
    ],
  ])('are not made when %s: nothing at all is changed', async (_, trouble, reason) => {
    const world = await assessed();
    trouble(world);
    expect(await protect(world)).toEqual({ kind: 'hold', reason });
    expect(world.book.calls).toEqual([]);
    expect(await world.ledger.ownership(ids.data)).toBeUndefined();
  });
});

describe('DeleteOnTermination', () => {
  const doomed = () =>
    instanceOf().devices.map((device) => ({ ...device, deleteOnTermination: true }));

  it('is set to false on volumes in scope, and never on the root', async () => {
    const world = await assessed();
    world.cloud.setInstance(ids.failed, { devices: doomed() });
    expect(await protect(world)).toEqual({ kind: 'protected' });
    expect(calls(world, 'ModifyInstanceAttribute')).toEqual([[incidentVolumeOf()]]);
    const { devices } = world.cloud.instances.get(ids.failed) ?? instanceOf();
    expect(devices.map((device) => device.deleteOnTermination)).toEqual([true, false]);
  });

  it('is left alone where it is false already', async () => {
    const world = await assessed();
    await protect(world);
    expect(calls(world, 'ModifyInstanceAttribute')).toEqual([]);
  });

  it('is believed only when it reads back', async () => {
    const world = await assessed();
    world.cloud.setInstance(ids.failed, { devices: doomed() });
    world.cloud.flagsStick = false;
    expect(await protect(world)).toEqual({ kind: 'hold', reason: 'terminate-would-delete-data' });
  });

  it('raises the alarm at once when the instance is already being terminated', async () => {
    const world = await assessed();
    world.cloud.setInstance(ids.failed, { devices: doomed(), state: 'shutting-down' });
    await protect(world);
    expect(calls(world, 'ModifyInstanceAttribute')).toEqual([]);
    expect(world.logged).toContain('termination deletes data volumes');
  });
});

describe('the Auto Scaling group', () => {
  const outcome = async (world: World) => (await world.incident()).protection?.autoScaling;

  it('gets the member in Standby, and a replacement where there is no room below', async () => {
    const world = await grouped();
    await protect(world);
    expect(calls(world, 'EnterStandby')).toEqual([{ group: 'agents', decrementDesired: false }]);
    expect(await outcome(world)).toEqual({ kind: 'standby', group: 'agents' });
  });

  it('shrinks by the member where there is room', async () => {
    const world = await grouped({ desired: 4 });
    await protect(world);
    expect(calls(world, 'EnterStandby')).toEqual([{ group: 'agents', decrementDesired: true }]);
  });

  it('stops replacing anybody where it refuses Standby', async () => {
    const world = await grouped();
    world.cloud.standbyAnswer = { kind: 'refused', code: 'ValidationError' };
    await protect(world);
    expect(world.book.names).toContain('SuspendProcesses');
    expect(await outcome(world)).toEqual({ kind: 'suspended', group: 'agents' });
  });

  it('is not asked for Standby of a member that is not in service', async () => {
    const world = await grouped({ lifecycleState: 'Pending' });
    await protect(world);
    expect(world.book.names).not.toContain('EnterStandby');
    expect(await outcome(world)).toEqual({ kind: 'suspended', group: 'agents' });
  });

  it('may replace a member that it is terminating already', async () => {
    const world = await grouped({ lifecycleState: 'Terminating:Wait' });
    await protect(world);
    expect(world.book.names).toEqual(
      expect.not.arrayContaining(['EnterStandby', 'SuspendProcesses']),
    );
    expect(await outcome(world)).toEqual({ kind: 'replacement-accepted', group: 'agents' });
  });

  it('is asked once', async () => {
    const world = await grouped();
    await protect(world);
    await protect(world);
    expect(calls(world, 'EnterStandby')).toHaveLength(1);
    expect(await outcome(world)).toEqual({ kind: 'standby', group: 'agents' });
  });
});

describe('new work', () => {
  it('is kept off the agent, and failing to do so stops nothing', async () => {
    const world = await assessed();
    const lost = new OrchestratorUnavailableError('DEACTIVATE_AGENT', '503');
    world.book.fail('DEACTIVATE_AGENT', lost);
    expect(await protect(world)).toEqual({ kind: 'protected' });
    expect((await world.incident()).protection?.deactivatedAgentIds).toEqual([]);
    expect(world.logged).toContain('agent not deactivated');
  });
});

describe('failures half-way', () => {
  it('are thrown only when everything that was done is written down', async () => {
    const world = await grouped();
    world.book.fail('CreateTags', new CloudUnavailableError('CreateTags', 'InternalError'));
    await expect(protect(world)).rejects.toThrow(CloudUnavailableError);
    expect((await world.incident()).protection).toEqual({
      autoScaling: { kind: 'standby', group: 'agents' },
      deactivatedAgentIds: [ids.agent],
    });
    expect(await protect(world)).toEqual({ kind: 'protected' });
    expect((await world.ledger.ownership(ids.data))?.epoch).toBe(1);
  });

  it('do not claim a volume whose mark may not be written', async () => {
    const world = await assessed();
    world.book.fail('CreateTags', new CloudAmbiguousError('CreateTags', 'ECONNRESET'), 'after');
    await expect(protect(world)).rejects.toThrow(CloudAmbiguousError);
    expect(await world.ledger.ownership(ids.data)).toBeUndefined();
    expect(await protect(world)).toEqual({ kind: 'protected' });
    expect((await world.ledger.ownership(ids.data))?.epoch).toBe(1);
    expect(calls(world, 'CreateTags')).toHaveLength(1);
  });

  it('do not start over once EC2 accepted a stop', async () => {
    const world = createWorld();
    const fence = { since: t(0), rungs: [rungOf('skip', 1)], voided: [] };
    await world.given({ facts: factsOf(), fence });
    expect(await protect(world)).toEqual({ kind: 'protected' });
    expect(world.book.calls).toEqual([]);
  });
});

describe('UndoProtection', () => {
  it('takes everything back, except that the flag stays false', async () => {
    const world = await grouped();
    const devices = instanceOf().devices.map((d) => ({ ...d, deleteOnTermination: true }));
    world.cloud.setInstance(ids.failed, { devices });
    await protect(world);
    const before = world.book.calls.length;
    expect(await undo(world)).toEqual({ kind: 'undone' });
    const undone = world.book.calls.slice(before);
    expect(undone.map(({ call }) => call)).toEqual(['REACTIVATE_AGENT', 'ExitStandby']);
    expect(undone.every(({ intended }) => intended)).toBe(true);
    expect(world.cloud.instances.get(ids.failed)?.devices[1]?.deleteOnTermination).toBe(false);
  });

  it('leaves in Standby what is not ours any more', async () => {
    const world = await grouped();
    await protect(world);
    const before = world.book.calls.length;
    world.cloud.setInstance(ids.failed, { tags: [] });
    expect(await undo(world)).toEqual({ kind: 'undone' });
    expect(world.book.calls.slice(before).map(({ call }) => call)).toEqual(['REACTIVATE_AGENT']);
  });

  it('gives the volumes back to their owner under the epoch they have: epochs never go down', async () => {
    const world = await assessed();
    await protect(world);
    await undo(world);
    expect(await world.ledger.ownership(ids.data)).toMatchObject({
      state: 'owned',
      epoch: 1,
      owner: ids.failed,
    });
  });

  it('leaves volumes alone that this incident never claimed', async () => {
    const world = await assessed();
    const other = recordOf({ incidentId: incidentIdOf(cluster, ids.other, 3) });
    await world.ledger.claim(undefined, other, t(0));
    await undo(world);
    expect(await world.ledger.ownership(ids.data)).toEqual(other);
  });

  it('ends a suspension of the whole group', async () => {
    const world = await grouped({ lifecycleState: 'Pending' });
    await protect(world);
    await undo(world);
    expect(world.book.names.at(-1)).toBe('ResumeProcesses');
  });

  it('has nothing to undo for an incident that only looked', async () => {
    const world = await assessed();
    await undo(world);
    expect(world.book.calls).toEqual([]);
  });

  it('can be done again after it failed half-way', async () => {
    const world = await assessed();
    await protect(world);
    world.book.fail('REACTIVATE_AGENT', new OrchestratorUnavailableError('REACTIVATE', '503'));
    await expect(undo(world)).rejects.toThrow(OrchestratorUnavailableError);
    expect(await undo(world)).toEqual({ kind: 'undone' });
    expect((await world.ledger.ownership(ids.data))?.state).toBe('owned');
  });

  it('does not unmark volumes: a second one is claimed under the next epoch', async () => {
    const world = await assessed();
    await protect(world);
    await undo(world);
    await world.ledger.close(ids.incident, 1, { status: 'cancelled' }, t(5));
    const second = await world.given({ facts: factsOf() });
    await createProtectData(world.deps)({ incidentId: second.id, token: 1 });
    expect(await world.ledger.ownership(ids.data)).toMatchObject({ state: 'claimed', epoch: 2 });
    expect(
      (await world.ledger.history('vol-000000000000000d1' as VolumeId)).map((r) => r.epoch),
    ).toEqual([1]);
  });
});
