import { describe, expect, it } from 'vitest';
import type { InstanceId, VolumeId } from '../../../src/domain/ids.ts';
import type { Tag, Volume } from '../../../src/domain/machine.ts';
import {
  compareVolume,
  dueVolumes,
  duplicateNames,
  recordsMax,
  stuckTasks,
  type VolumeView,
} from '../../../src/domain/oddities.ts';
import {
  agentOf,
  appOf,
  attachmentOf,
  clusterTag,
  freeVolume,
  ids,
  instanceOf,
  recordOf,
  t,
  taskOf,
  volumeOf,
  volumeTags,
} from '../../support/build.ts';

describe('a task that hangs at its volume', () => {
  const staging = taskOf({ state: 'TASK_STAGING', stagedAt: t(-600) });
  const stuck = (task = staging, agents = [agentOf()], apps = [appOf()]) =>
    stuckTasks([task], agents, apps, t(0));

  it('is told with its task, its app, its host and how long', () => {
    expect(stuck()).toMatchObject([{ kind: 'StuckTask' }]);
    expect(stuck()[0]?.says).toMatch(/mysql\.1 of \/mysql .* 10 min on 10\.0\.0\.7.*kill it/);
  });

  it.each([
    ['it has just been launched', stuck({ ...staging, stagedAt: t(-299) })],
    ['it runs', stuck({ ...staging, state: 'TASK_RUNNING' })],
    [
      'it waits for an offer, with no agent yet',
      stuck((({ agentId: _, ...rest }) => rest)(staging)),
    ],
    ['Marathon does not say since when', stuck((({ stagedAt: _, ...rest }) => rest)(staging))],
    ['its agent is gone: a kill would be heard by nobody', stuck(staging, [])],
    ['its agent does not work', stuck(staging, [agentOf({ active: false })])],
    ['it has no volume', stuck(staging, undefined, [appOf({ externalVolumes: [] })])],
  ])('is not seen while %s', (_, found) => {
    expect(found).toEqual([]);
  });
});

describe('a name that is there twice', () => {
  const other = 'vol-000000000000000d2' as VolumeId;
  const twin = (change: Partial<Volume> = {}): Volume =>
    volumeOf({
      volumeId: other,
      availabilityZone: 'us-east-1b',
      tags: [{ key: 'Name', value: 'mysql' }],
      attachments: [attachmentOf({ instanceId: ids.other })],
      ...change,
    });
  const found = (...volumes: Volume[]) =>
    duplicateNames(
      volumes,
      [instanceOf(), instanceOf({ instanceId: ids.other })],
      [appOf()],
      'prod',
    );

  it('is told with every volume and its zone, adopted or not', () => {
    expect(found(volumeOf(), twin())).toMatchObject([{ kind: 'DuplicateVolumeName' }]);
    expect(found(volumeOf(), twin())[0]?.says).toMatch(
      /mysql of \/mysql is there 2 times: vol-\w+d1 in us-east-1a, vol-\w+d2 in us-east-1b/,
    );
  });

  it.each([
    ['no app has it', found(twin({ tags: volumeTags('x') }), volumeOf({ tags: volumeTags('x') }))],
    [
      'one is of another cluster',
      found(
        volumeOf(),
        twin({ tags: [...volumeTags().slice(0, 1), { ...clusterTag, value: 'b' }] }),
      ),
    ],
    [
      'one is a root disk',
      found(
        volumeOf(),
        twin({ attachments: [attachmentOf({ instanceId: ids.other, device: '/dev/xvda' })] }),
      ),
    ],
    ['it is there once', found(volumeOf())],
  ])('is not seen where %s', (_, oddities) => {
    expect(oddities).toEqual([]);
  });
});

describe('whose records are compared', () => {
  const many = Array.from({ length: recordsMax * 3 }, (_, i) =>
    volumeOf({ volumeId: `vol-${String(i).padStart(17, '0')}` as VolumeId }),
  );
  const dueAt = (minute: number) =>
    dueVolumes(many, 'prod', t(minute * 60)).map(({ volumeId }) => volumeId);

  it('all of a small cluster, each minute', () => {
    expect(dueVolumes(many.slice(0, recordsMax), 'prod', t(0))).toHaveLength(recordsMax);
  });

  it('never more than a sweep can read, and everybody within a few minutes', () => {
    const turns = [0, 1, 2].map(dueAt);
    for (const turn of turns) expect(turn).toHaveLength(recordsMax);
    expect(new Set(turns.flat()).size).toBe(many.length);
    expect(dueAt(3)).toEqual(turns[0]);
  });

  it('none of what is not the cluster’s', () => {
    expect(dueVolumes([volumeOf({ tags: [] })], 'prod', t(0))).toEqual([]);
    expect(dueVolumes([], 'prod', t(0))).toEqual([]);
  });
});

describe('a record and what EC2 says', () => {
  const marked = (epoch: number): Tag[] => [
    ...volumeTags(),
    { key: 'ebs-failover:epoch', value: String(epoch) },
  ];
  const heldBy = (instanceId: InstanceId, change: Partial<Volume> = {}) =>
    volumeOf({ tags: marked(2), attachments: [attachmentOf({ instanceId })], ...change });
  const view = (change: Partial<VolumeView> = {}): VolumeView => ({
    volume: heldBy(ids.spare),
    record: recordOf({ state: 'owned', owner: ids.spare }),
    healthy: new Set([ids.spare, ids.other]),
    failing: new Set(),
    isOpen: false,
    ...change,
  });
  const kind = (change: Partial<VolumeView>) => {
    const finding = compareVolume(view(change));
    return finding.kind === 'odd' ? finding.oddity.kind : finding.kind;
  };

  it('agree', () => {
    expect(compareVolume(view())).toEqual({ kind: 'fine' });
  });

  it('agree about an owned volume that is free for a moment', () => {
    expect(kind({ volume: freeVolume({ tags: marked(2) }) })).toBe('fine');
  });

  it('are brought together when DC/OS moved it to another healthy agent', () => {
    const volume = heldBy(ids.other);
    const follow = { kind: 'follow', volumeId: ids.data, owner: ids.other };
    expect(compareVolume(view({ volume }))).toEqual(follow);
  });

  it('are brought together when nobody had recorded who got a released volume', () => {
    expect(kind({ record: recordOf({ state: 'released', owner: ids.failed }) })).toBe('follow');
  });

  it('differ where the holder is no healthy agent of the cluster', () => {
    const volume = heldBy('i-0000000000000beef' as InstanceId);
    expect(kind({ volume })).toBe('OwnershipDrift');
    expect(kind({ volume, record: recordOf({ state: 'held' }) })).toBe('OwnershipDrift');
  });

  it('differ about a released volume that nobody has', () => {
    const volume = freeVolume({ tags: marked(2) });
    expect(kind({ volume, record: recordOf({ state: 'released' }) })).toBe('UnownedVolume');
  });

  it('differ where the mark of the next epoch is not written', () => {
    expect(kind({ volume: heldBy(ids.spare, { tags: marked(1) }) })).toBe('EpochMarkMissing');
    expect(kind({ volume: heldBy(ids.spare, { tags: volumeTags() }) })).toBe('EpochMarkMissing');
  });

  it.each<[string, Partial<VolumeView>]>([
    ['its incident is open', { isOpen: true }],
    ['its owner is failing', { failing: new Set([ids.spare]) }],
    ['its holder is failing', { failing: new Set([ids.other]) }],
    ['the machine it came from is failing', { failing: new Set([ids.failed]) }],
    [
      'it is on the move',
      {
        volume: heldBy(ids.other, {
          attachments: [attachmentOf({ instanceId: ids.other, state: 'attaching' })],
        }),
      },
    ],
    ['it is lost, which a person knows', { record: recordOf({ state: 'lost' }) }],
  ])('are not compared while %s', (_, change) => {
    expect(kind({ volume: heldBy(ids.other), ...change })).toBe('fine');
  });
});
