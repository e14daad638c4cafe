import { describe, expect, it } from 'vitest';
import type { VolumeId } from '../../../src/domain/ids.ts';
import type { Instance, Tag, Volume } from '../../../src/domain/machine.ts';
import { mayAdopt, scopeVolumes, whyNotOurs } from '../../../src/domain/scope.ts';
import {
  agentTags,
  appOf,
  attachmentOf,
  cluster,
  clusterTag,
  freeVolume,
  ids,
  incidentVolumeOf,
  instanceOf,
  scope,
  volumeOf,
  volumeTags,
} from '../../support/build.ts';

const name: Tag = { key: 'Name', value: 'mysql' };
const foreign: Tag = { key: clusterTag.key, value: 'staging' };

describe('whyNotOurs', () => {
  it('knows an agent of the cluster', () => {
    expect(whyNotOurs(agentTags, scope)).toBeUndefined();
  });

  it.each<[string, readonly Tag[]]>([
    ['nothing', []],
    ['no cluster tag', [{ key: 'role', value: 'mesos-slave' }]],
    ['the tag of another cluster', [foreign, { key: 'role', value: 'mesos-slave' }]],
    ['both clusters’ tags', [...agentTags, foreign]],
    [
      'the cluster tag again in another case',
      [...agentTags, { ...clusterTag, key: 'EBS-Failover:Cluster' }],
    ],
    [
      'the cluster tag only in another case',
      [
        { key: 'EBS-Failover:Cluster', value: cluster },
        { key: 'role', value: 'mesos-slave' },
      ],
    ],
    ['no role', [clusterTag]],
    ['the role of a master', [clusterTag, { key: 'role', value: 'mesos-master' }]],
    ['two roles', [...agentTags, { key: 'Role', value: 'mesos-master' }]],
    ['the role in another case', [clusterTag, { key: 'Role', value: 'mesos-slave' }]],
    [
      'a cluster of which ours is a prefix',
      [
        { ...clusterTag, value: `${cluster}-2` },
        { key: 'role', value: 'mesos-slave' },
      ],
    ],
  ])('leaves an instance alone that carries %s', (_, tags) => {
    expect(whyNotOurs(tags, scope)).toEqual(expect.any(String));
  });
});

const scoped = (volumes: readonly Volume[], instance: Instance = instanceOf()) =>
  scopeVolumes(instance, volumes, [appOf()], cluster);

describe('scopeVolumes', () => {
  it('takes the adopted volume of an app of this cluster, and says whose it is', () => {
    expect(scoped([volumeOf()])).toEqual({
      inScope: [incidentVolumeOf()],
      leftAlone: [],
      ambiguous: [],
      multiAttach: [],
      managed: [],
    });
  });

  it('lists every app that uses the volume', () => {
    const apps = [appOf(), appOf({ id: '/reports' }), appOf({ id: '/web', externalVolumes: [] })];
    const { inScope } = scopeVolumes(instanceOf(), [volumeOf()], apps, cluster);
    expect(inScope.map((volume) => volume.appIds)).toEqual([['/mysql', '/reports']]);
  });

  it.each<[string, Partial<Volume>]>([
    ['the root volume', { attachments: [attachmentOf({ device: '/dev/xvda' })] }],
    [
      'the stock template’s data disk on /dev/xvdb',
      {
        attachments: [attachmentOf({ device: '/dev/xvdb' })],
        tags: [],
      },
    ],
    ['a volume that no app names', { tags: [{ key: 'Name', value: 'scratch' }] }],
    ['a volume of another cluster', { tags: [name, foreign] }],
  ])('leaves %s alone', (_, change) => {
    // The mapping names another volume, so the volume's own attachment has to do.
    const { inScope, leftAlone, ambiguous } = scoped(
      [volumeOf(change)],
      instanceOf({ devices: [] }),
    );
    expect({ inScope, ambiguous }).toEqual({ inScope: [], ambiguous: [] });
    expect(leftAlone).toEqual([{ volumeId: ids.data, why: expect.any(String) }]);
  });

  it('leaves a root volume alone that is only in the instance’s mapping, tagged like ours', () => {
    const devices = [
      { device: '/dev/xvda', volumeId: ids.data, deleteOnTermination: true, status: 'attached' },
    ];
    expect(scoped([volumeOf({ attachments: [] })], instanceOf({ devices })).leftAlone).toEqual([
      { volumeId: ids.data, why: 'root device' },
    ]);
  });

  it('leaves a root volume alone that either list calls root', () => {
    const attachments = [attachmentOf({ device: '/dev/xvda' })];
    expect(scoped([volumeOf({ attachments })]).inScope).toEqual([]);
  });

  it.each<[string, readonly Tag[]]>([
    ['was never adopted', [name]],
    [
      'carries the cluster tag in another case',
      [name, { key: 'EBS-Failover:Cluster', value: cluster }],
    ],
    [
      'carries the cluster tag twice',
      [name, clusterTag, { ...clusterTag, key: 'EBS-FAILOVER:CLUSTER' }],
    ],
    ['carries two clusters’ tags', [name, clusterTag, { ...foreign, key: 'EBS-FAILOVER:CLUSTER' }]],
    ['has two names', [name, { key: 'name', value: 'other' }, clusterTag]],
    ['is ours but no app names it', [{ key: 'Name', value: 'gone' }, clusterTag]],
    ['is ours but has no name', [clusterTag]],
  ])('asks a person about a volume that %s', (_, tags) => {
    const { ambiguous, inScope } = scoped([volumeOf({ tags })]);
    expect(inScope).toEqual([]);
    expect(ambiguous).toEqual([{ volumeId: ids.data, why: expect.any(String) }]);
  });

  it('refuses two of four tagged volumes: half a set is no set', () => {
    const volumes = [1, 2, 3, 4].map((n) =>
      volumeOf({
        volumeId: `vol-0000000000000000${n}` as VolumeId,
        tags: n > 2 ? [name] : volumeTags(),
      }),
    );
    expect(scoped(volumes).ambiguous).toHaveLength(2);
  });

  it.each([
    ['tagged', volumeTags()],
    ['never adopted', volumeTags().slice(0, 1)],
  ])('sets Multi-Attach volumes of an app apart, %s', (_, tags) => {
    expect(scoped([volumeOf({ multiAttach: true, tags })])).toMatchObject({
      inScope: [],
      ambiguous: [],
      multiAttach: [ids.data],
    });
  });

  it('sets apart what an AWS service manages', () => {
    expect(scoped([volumeOf({ managedBy: 'eks.amazonaws.com' })])).toMatchObject({
      inScope: [],
      managed: [{ volumeId: ids.data, by: 'eks.amazonaws.com' }],
    });
  });

  it('reads DeleteOnTermination from the instance’s mapping, else from the attachment', () => {
    const doomed = attachmentOf({ deleteOnTermination: true });
    const bare = instanceOf({ devices: [] });
    expect(scoped([volumeOf({ attachments: [doomed] })]).inScope).toMatchObject([
      { deleteOnTermination: false },
    ]);
    expect(scoped([volumeOf({ attachments: [doomed] })], bare).inScope).toMatchObject([
      { deleteOnTermination: true },
    ]);
  });

  it('sorts what it finds, in whatever order EC2 lists it', () => {
    const other = volumeOf({ volumeId: 'vol-000000000000000d0' as VolumeId });
    const order = (volumes: readonly Volume[]) => scoped(volumes).inScope.map((v) => v.volumeId);
    expect(order([volumeOf(), other])).toEqual(order([other, volumeOf()]));
  });
});

describe('mayAdopt', () => {
  const orphan = (change: Partial<Volume> = {}): Volume => volumeOf({ tags: [name], ...change });
  const may = (volume: Volume, instance: Instance = instanceOf()): boolean =>
    mayAdopt(volume, instance, [appOf()]);

  it('adopts an app’s volume while it is attached to a running agent', () => {
    expect(may(orphan())).toBe(true);
  });

  it.each<[string, Partial<Volume>]>([
    ['is ours already', { tags: [name, clusterTag] }],
    ['is another cluster’s', { tags: [name, foreign] }],
    [
      'carries a cluster tag in another case',
      { tags: [name, { ...foreign, key: 'EBS-FAILOVER:CLUSTER' }] },
    ],
    ['no app names', { tags: [{ key: 'Name', value: 'scratch' }] }],
    ['has no name', { tags: [] }],
    ['has two names', { tags: [name, { key: 'NAME', value: 'mysql' }] }],
    ['is Multi-Attach', { multiAttach: true }],
    ['belongs to an AWS service', { managedBy: 'eks.amazonaws.com' }],
    ['is attached to nothing', { attachments: [] }],
    ['is attached to another instance', { attachments: [attachmentOf({ instanceId: ids.other })] }],
    [
      'is attached to two',
      { attachments: [attachmentOf(), attachmentOf({ instanceId: ids.other })] },
    ],
    ['is still being attached', { attachments: [attachmentOf({ state: 'attaching' })] }],
    ['is being detached', { attachments: [attachmentOf({ state: 'detaching' })] }],
    ['is the root volume', { attachments: [attachmentOf({ device: '/dev/xvda' })] }],
  ])('never adopts a volume that %s', (_, change) => {
    expect(may(orphan(change), instanceOf({ devices: [] }))).toBe(false);
  });

  it('never adopts a volume that the mapping calls root', () => {
    const devices = [
      { device: '/dev/xvda', volumeId: ids.data, deleteOnTermination: true, status: 'attached' },
    ];
    expect(may(orphan(), instanceOf({ devices }))).toBe(false);
  });

  it.each(['pending', 'stopping', 'stopped', 'shutting-down', 'terminated'] as const)(
    'never adopts from an agent that is %s',
    (state) => {
      expect(may(orphan(), instanceOf({ state }))).toBe(false);
    },
  );

  it('never adopts a volume that is free', () => {
    expect(may(freeVolume({ tags: [name] }))).toBe(false);
  });
});
