import { isoTime } from '../../core/time.ts';
import type { QueryParams, XmlElement } from '../query-protocol.ts';
import type { Action } from './action.ts';
import { instanceResource, launchTags, refuse, tagContext, volumeResource } from './action.ts';
import { attachmentView, snapshotView, volumeView } from './describe.ts';
import type { Disks } from './disks.ts';
import type { Attachment, Snapshot, Volume } from './model.ts';
import type { World } from './world.ts';

/** Attach- and DetachVolume answer flat; what is `busy` is still called `detaching` here. */
const answer = (volume: Volume, attachment: Attachment): XmlElement => ({
  ...attachmentView(volume, attachment),
  status: attachment.state === 'busy' ? 'detaching' : attachment.state,
});

/** The instance the caller names, else the one that holds the volume. */
const holderOf = (world: World, params: QueryParams): string[] => {
  const named = params.text('InstanceId');
  if (named !== undefined) return [named];
  const volume = world.volume(params.required('VolumeId'));
  return volume.attachments.map(({ instanceId }) => instanceId);
};

export const createVolumeActions = (world: World, disks: Disks): Record<string, Action> => ({
  AttachVolume: {
    resources: (params) => [
      volumeResource(world, params.required('VolumeId')),
      instanceResource(world, params.required('InstanceId')),
    ],
    apply(params) {
      const volume = world.volume(params.required('VolumeId'));
      const instance = world.instance(params.required('InstanceId'));
      return answer(volume, disks.attach(volume, instance, params.required('Device')));
    },
  },
  DetachVolume: {
    resources: (params) => [
      volumeResource(world, params.required('VolumeId')),
      ...holderOf(world, params).map((instanceId) => instanceResource(world, instanceId)),
    ],
    apply(params) {
      const volume = world.volume(params.required('VolumeId'));
      const attachment = disks.detach(volume, {
        instanceId: params.text('InstanceId'),
        device: params.text('Device'),
        force: params.flag('Force') ?? false,
      });
      return answer(volume, attachment);
    },
  },
  CreateVolume: {
    resources: () => [{ arn: world.volumeArn('*'), tags: {} }],
    context: (params) => tagContext(launchTags(params, 'volume')),
    apply(params) {
      const availabilityZone = params.required('AvailabilityZone');
      if (!/^[a-f]$/.test(availabilityZone.slice(world.region.length))) {
        const message = `The availability zone '${availabilityZone}' is invalid`;
        refuse('InvalidParameterValue', message);
      }
      const volume = disks.create({
        availabilityZone,
        sizeGiB: params.integer('Size') ?? 16,
        volumeType: params.text('VolumeType'),
        multiAttach: params.flag('MultiAttachEnabled'),
        snapshotId: params.text('SnapshotId'),
        tags: launchTags(params, 'volume'),
        iops: params.integer('Iops'),
        kmsKeyId: params.text('KmsKeyId'),
      });
      return volumeView(volume);
    },
  },
  DeleteVolume: {
    resources: (params) => [volumeResource(world, params.required('VolumeId'))],
    apply(params) {
      disks.remove(world.volume(params.required('VolumeId')));
      return { return: true };
    },
  },
  CreateSnapshot: {
    resources: (params) => [
      volumeResource(world, params.required('VolumeId')),
      { arn: `arn:aws:ec2:${world.region}::snapshot/*`, tags: {} },
    ],
    context: (params) => ({
      ...tagContext(launchTags(params, 'snapshot')),
      'ec2:ParentVolume': [world.volumeArn(params.required('VolumeId'))],
    }),
    apply(params) {
      const volume = world.volume(params.required('VolumeId'));
      const snapshot: Snapshot = {
        snapshotId: world.newId('snap'),
        volumeId: volume.volumeId,
        volumeSize: volume.sizeGiB,
        description: params.text('Description') ?? '',
        startTime: world.time.now(),
        tags: launchTags(params, 'snapshot'),
      };
      world.snapshots.set(snapshot.snapshotId, snapshot);
      return {
        ...snapshotView(snapshot, world.account),
        status: 'pending',
        startTime: isoTime(snapshot.startTime),
      };
    },
  },
});
