import { Ec2Refusal } from '../../core/machines.ts';
import type { Cancel } from '../../core/time.ts';
import type { Attachment, Instance, Volume } from './model.ts';
import { attachmentLimitOf, attachmentOf, wholeSecond } from './model.ts';
import type { World } from './world.ts';

/** From the accepted AttachVolume to `attached`: the near end of EBS's usual 1-4 s. */
export const ATTACH_MS = 1_000;
const CREATE_MS = 1_000;
const DELETE_MS = 2_000;

export interface VolumeRequest {
  availabilityZone: string;
  sizeGiB: number;
  volumeType?: string;
  iops?: number;
  snapshotId?: string;
  multiAttach?: boolean;
  kmsKeyId?: string;
  tags?: Record<string, string>;
}

export interface Disks {
  create(request: VolumeRequest): Volume;
  remove(volume: Volume): void;
  /** Checks of the API, in the order EC2 reports them; completes after `ATTACH_MS`. */
  attach(volume: Volume, instance: Instance, device: string): Attachment;
  detach(
    volume: Volume,
    options: { instanceId?: string; device?: string; force: boolean },
  ): Attachment;
  setMounted(volumeId: string, mounted: boolean): void;
  /** Nothing holds the instance's devices any more: busy detaches go on. */
  powerLost(instance: Instance): void;
  /** Terminate's own workflow: deletes the flagged volumes, frees the others after a while. */
  releaseAll(instance: Instance): void;
}

const refuse = (code: string, message: string): never => {
  throw new Ec2Refusal(code, message);
};

export const createDisks = (world: World): Disks => {
  const { time, durations } = world;
  /** What each attachment is on its way to. */
  const underway = new Map<Attachment, Cancel>();

  const settle = (attachment: Attachment, delayMs: number, effect: () => void): void => {
    underway.get(attachment)?.();
    underway.delete(attachment);
    if (!Number.isFinite(delayMs)) return;
    underway.set(
      attachment,
      time.after(delayMs, () => {
        underway.delete(attachment);
        effect();
      }),
    );
  };

  const free = (volume: Volume, attachment: Attachment): void => {
    volume.attachments = volume.attachments.filter((other) => other !== attachment);
    if (volume.attachments.length === 0) {
      volume.mounted = false;
      if (volume.state === 'in-use') volume.state = 'available';
    }
    const { instanceId, forced } = attachment;
    world.notify({ kind: 'detached', instanceId, volumeId: volume.volumeId, forced });
  };

  const holdsIt = (volume: Volume, attachment: Attachment): boolean =>
    volume.mounted && world.instances.get(attachment.instanceId)?.powered === true;

  /** Goes on with a detach: at once if nothing holds the device or Force was asked, else `busy`. */
  const proceed = (volume: Volume, attachment: Attachment): void => {
    const held = holdsIt(volume, attachment);
    attachment.state = held && !attachment.forced ? 'busy' : 'detaching';
    if (attachment.state === 'busy') return;
    const extraMs = world.faults.slowDetach?.(volume.volumeId, attachment.forced) ?? 0;
    settle(attachment, durations.detachMs(volume.volumeId) + extraMs, () => {
      const instance = world.instances.get(attachment.instanceId);
      // Torn out of a running machine the device name stays blocked until it reboots
      // (rexray#773, kubernetes#31891).
      if (attachment.forced && instance?.powered) instance.poisonedDevices.push(attachment.device);
      free(volume, attachment);
    });
  };

  const remove = (volume: Volume): void => {
    volume.state = 'deleting';
    time.after(DELETE_MS, () => {
      volume.state = 'deleted';
      world.publishVolume(volume, 'deleteVolume', 'deleted');
      world.notify({ kind: 'volume-deleted', volumeId: volume.volumeId });
    });
  };

  return {
    create(request) {
      const volume: Volume = {
        volumeId: world.newId('vol'),
        availabilityZone: request.availabilityZone,
        sizeGiB: request.sizeGiB,
        volumeType: request.volumeType ?? 'gp2',
        iops: request.iops,
        snapshotId: request.snapshotId ?? '',
        createTime: time.now(),
        state: 'creating',
        attachments: [],
        tags: { ...request.tags },
        multiAttach: request.multiAttach ?? false,
        kmsKeyId: request.kmsKeyId,
        kmsKeyDisabled: false,
        mounted: false,
      };
      world.volumes.set(volume.volumeId, volume);
      time.after(CREATE_MS, () => {
        volume.state = 'available';
        world.publishVolume(volume, 'createVolume', 'available');
        world.notify({ kind: 'volume-created', volumeId: volume.volumeId });
      });
      return volume;
    },

    remove(volume) {
      if (volume.attachments.length > 0) {
        const holder = volume.attachments[0]?.instanceId ?? '';
        refuse('VolumeInUse', `Volume ${volume.volumeId} is currently attached to ${holder}`);
      }
      if (volume.state !== 'available' && volume.state !== 'error') {
        const { volumeId, state } = volume;
        refuse('IncorrectState', `The volume '${volumeId}' is '${state}'.`);
      }
      remove(volume);
    },

    attach(volume, instance, device) {
      checkAttach(world, volume, instance, device);
      const attachment: Attachment = {
        instanceId: instance.instanceId,
        device,
        state: 'attaching',
        attachTime: wholeSecond(time.now()),
        // Attached after launch, unlike the volumes of the launch itself.
        deleteOnTermination: false,
        forced: false,
      };
      volume.attachments.push(attachment);
      volume.state = 'in-use';
      const blocked = instance.poisonedDevices.includes(device);
      settle(attachment, blocked ? Number.POSITIVE_INFINITY : ATTACH_MS, () => {
        if (volume.kmsKeyDisabled) {
          volume.attachments = volume.attachments.filter((other) => other !== attachment);
          volume.state = volume.attachments.length === 0 ? 'available' : 'in-use';
          const cause = `${volume.kmsKeyId ?? 'The KMS key'} is disabled.`;
          world.publishVolume(volume, 'attachVolume', 'failed', cause);
          return;
        }
        attachment.state = 'attached';
        const { instanceId } = instance;
        world.notify({ kind: 'attached', instanceId, volumeId: volume.volumeId, device });
      });
      return attachment;
    },

    detach(volume, { instanceId, device, force }) {
      const attachment = attachmentToDetach(world, volume, instanceId, device);
      const instance = world.instances.get(attachment.instanceId);
      const wasForced = attachment.forced;
      attachment.forced ||= force;
      const leaving = instance?.state === 'shutting-down' || instance?.state === 'terminated';
      const underwayAlready = attachment.state === 'detaching' && attachment.forced === wasForced;
      // Terminate's own workflow frees the volume (aws-ebs-csi-driver#1926): this call only waits.
      if (leaving) attachment.state = 'detaching';
      else if (!underwayAlready) proceed(volume, attachment);
      return attachment;
    },

    setMounted(volumeId, mounted) {
      const volume = world.volume(volumeId);
      volume.mounted = mounted;
      for (const attachment of volume.attachments) {
        if (attachment.state === 'busy') proceed(volume, attachment);
      }
    },

    powerLost(instance) {
      instance.poisonedDevices = [];
      for (const volume of world.volumesOf(instance.instanceId)) {
        volume.mounted = false;
        const attachment = attachmentOf(volume, instance.instanceId);
        if (attachment?.state === 'busy') proceed(volume, attachment);
      }
    },

    releaseAll(instance) {
      for (const volume of world.volumesOf(instance.instanceId)) {
        const attachment = attachmentOf(volume, instance.instanceId);
        if (attachment === undefined) continue;
        const extraMs = world.faults.slowDetach?.(volume.volumeId, attachment.forced) ?? 0;
        attachment.state = 'detaching';
        settle(attachment, durations.detachMs(volume.volumeId) + extraMs, () => {
          free(volume, attachment);
          if (attachment.deleteOnTermination && volume.state === 'available') remove(volume);
        });
      }
    },
  };
};

const checkAttach = (world: World, volume: Volume, instance: Instance, device: string): void => {
  const { volumeId } = volume;
  const { instanceId } = instance;
  if (instance.state !== 'running' && instance.state !== 'stopped') {
    refuse('IncorrectState', `Instance '${instanceId}' is not 'running'.`);
  }
  if (volume.attachments.length > 0 && !volume.multiAttach) {
    refuse('VolumeInUse', `${volumeId} is already attached to an instance`);
  }
  if (volume.state !== 'available' && volume.state !== 'in-use') {
    refuse('IncorrectState', `Volume '${volumeId}' is in the '${volume.state}' state.`);
  }
  if (attachmentOf(volume, instanceId) !== undefined) {
    refuse('VolumeInUse', `${volumeId} is already attached to an instance`);
  }
  if (volume.availabilityZone !== instance.availabilityZone) {
    const zones = `The volume '${volumeId}' is not in the same availability zone as instance`;
    refuse('InvalidVolume.ZoneMismatch', `${zones} '${instanceId}'`);
  }
  const present = world.volumesOf(instanceId);
  if (present.some((other) => attachmentOf(other, instanceId)?.device === device)) {
    const message = `Invalid value '${device}' for unixDevice.`;
    refuse('InvalidParameterValue', `${message} Attachment point ${device} is already in use`);
  }
  if (present.length >= attachmentLimitOf(instance.instanceType)) {
    const message = `Volume attachment limit exceeded for instance '${instanceId}'`;
    refuse('AttachmentLimitExceeded', message);
  }
};

/** The attachment a DetachVolume means, or the refusal it gets (facts of EC2's error codes). */
const attachmentToDetach = (
  world: World,
  volume: Volume,
  instanceId: string | undefined,
  device: string | undefined,
): Attachment => {
  const { volumeId } = volume;
  if (volume.attachments.length === 0) {
    refuse('IncorrectState', `Volume '${volumeId}' is in the '${volume.state}' state.`);
  }
  if (volume.multiAttach && instanceId === undefined) {
    refuse('MissingParameter', 'The request must contain the parameter InstanceId');
  }
  const attachment = volume.attachments.find(
    (candidate) =>
      (instanceId === undefined || candidate.instanceId === instanceId) &&
      (device === undefined || candidate.device === device),
  );
  if (attachment === undefined) {
    const where = `instance '${instanceId ?? ''}'${device ? ` as ${device}` : ''}`;
    const message = `The volume '${volumeId}' is not attached to ${where}.`;
    throw new Ec2Refusal('InvalidAttachment.NotFound', message);
  }
  const instance = world.instances.get(attachment.instanceId);
  const isRoot = instance?.rootDeviceName === attachment.device;
  if (isRoot && instance.state !== 'stopped' && instance.state !== 'terminated') {
    const message = `Unable to detach root volume '${volumeId}' from instance`;
    refuse('OperationNotPermitted', `${message} '${instance.instanceId}'`);
  }
  return attachment;
};
