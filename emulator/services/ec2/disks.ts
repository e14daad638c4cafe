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
  volumeType?: string | undefined;
  iops?: number | undefined;
  snapshotId?: string | undefined;
  multiAttach?: boolean | undefined;
  kmsKeyId?: string | undefined;
  tags?: Record<string, string>;
}

const refuse = (code: string, message: string): never => {
  throw new Ec2Refusal(code, message);
};

/** What a DetachVolume names besides the volume. */
export interface DetachRequest {
  instanceId?: string | undefined;
  device?: string | undefined;
  force: boolean;
}

/** Volumes and what they are attached to. Refusals in the order EC2 reports them. */
export class Disks {
  readonly #world: World;
  /** What each attachment is on its way to. */
  readonly #underway = new Map<Attachment, Cancel>();
  /** Ends that a lost zone keeps waiting. */
  readonly #held = new Set<{ zone: string; end: () => void }>();

  constructor(world: World) {
    this.#world = world;
  }

  create(request: VolumeRequest): Volume {
    const world = this.#world;
    refuseLost(world, request);
    const volume: Volume = {
      volumeId: world.newId('vol'),
      availabilityZone: request.availabilityZone,
      sizeGiB: request.sizeGiB,
      volumeType: request.volumeType ?? 'gp2',
      iops: request.iops,
      snapshotId: request.snapshotId ?? '',
      createTime: world.time.now(),
      state: 'creating',
      attachments: [],
      tags: { ...request.tags },
      multiAttach: request.multiAttach ?? false,
      kmsKeyId: request.kmsKeyId,
      kmsKeyDisabled: false,
      ioEnabled: true,
      ioPaused: false,
      modification: undefined,
      managedBy: undefined,
      mounted: false,
    };
    world.volumes.set(volume.volumeId, volume);
    world.time.after(CREATE_MS, () => {
      volume.state = 'available';
      world.publishVolume(volume, 'createVolume', 'available');
      world.notify({ kind: 'volume-created', volumeId: volume.volumeId });
    });
    return volume;
  }

  /** DeleteVolume: only of a free volume. */
  remove(volume: Volume): void {
    const { volumeId, state, attachments } = volume;
    const [holder] = attachments;
    if (holder !== undefined) {
      refuse('VolumeInUse', `Volume ${volumeId} is currently attached to ${holder.instanceId}`);
    }
    if (state !== 'available' && state !== 'error') {
      refuse('IncorrectState', `The volume '${volumeId}' is '${state}'.`);
    }
    this.#delete(volume);
  }

  /** Complete after `ATTACH_MS`, unless the device name is blocked or the KMS key disabled. */
  attach(volume: Volume, instance: Instance, device: string): Attachment {
    checkAttach(this.#world, volume, instance, device);
    refuseLost(this.#world, volume);
    const attachment: Attachment = {
      instanceId: instance.instanceId,
      device,
      state: 'attaching',
      attachTime: wholeSecond(this.#world.time.now()),
      // Attached after launch, unlike the volumes of the launch itself.
      deleteOnTermination: false,
      forced: false,
    };
    volume.attachments.push(attachment);
    volume.state = 'in-use';
    const blocked = instance.poisonedDevices.includes(device);
    this.#settle(volume, attachment, blocked ? Number.POSITIVE_INFINITY : ATTACH_MS, () => {
      if (volume.kmsKeyDisabled) {
        this.#drop(volume, attachment);
        const cause = `${volume.kmsKeyId ?? 'The KMS key'} is disabled.`;
        this.#world.publishVolume(volume, 'attachVolume', 'failed', cause);
        return;
      }
      attachment.state = 'attached';
      const { instanceId } = instance;
      this.#world.notify({ kind: 'attached', instanceId, volumeId: volume.volumeId, device });
    });
    return attachment;
  }

  /** Accepted at once; the end is told by nobody and has to be looked for. */
  detach(volume: Volume, request: DetachRequest): Attachment {
    const attachment = attachmentToDetach(this.#world, volume, request);
    const state = this.#world.instances.get(attachment.instanceId)?.state;
    const strengthened = request.force && !attachment.forced;
    attachment.forced ||= request.force;
    // Terminate's own workflow frees the volume (aws-ebs-csi-driver#1926): this call only waits.
    if (state === 'shutting-down' || state === 'terminated') attachment.state = 'detaching';
    else if (attachment.state !== 'detaching' || strengthened) this.#proceed(volume, attachment);
    return attachment;
  }

  /** ModifyVolume by somebody: attachable again once EBS is only `optimizing`. */
  modify(volume: Volume, modifyingMs: number): void {
    const { time } = this.#world;
    const modification: Volume['modification'] = { state: 'modifying', startTime: time.now() };
    volume.modification = modification;
    time.after(modifyingMs, () => {
      modification.state = 'optimizing';
    });
  }

  /** Nothing lands on the volume until it is resumed. */
  pauseIo(volume: Volume, paused: boolean): void {
    if (volume.ioPaused === paused) return;
    volume.ioPaused = paused;
    const { volumeId } = volume;
    this.#world.notify({ kind: paused ? 'io-paused' : 'io-resumed', volumeId });
  }

  /** Nothing to do for a volume that is attached nowhere: the guest notices late. */
  setMounted(volumeId: string, mounted: boolean): void {
    const volume = this.#world.volumes.get(volumeId);
    if (volume === undefined) throw new RangeError(`no volume ${volumeId}`);
    volume.mounted = mounted && volume.attachments.length > 0;
    for (const attachment of volume.attachments) {
      if (attachment.state === 'busy') this.#proceed(volume, attachment);
    }
  }

  /** Nothing holds the instance's devices any more: busy detaches go on. */
  powerLost(instance: Instance): void {
    instance.poisonedDevices = [];
    for (const volume of this.#world.volumesOf(instance.instanceId)) {
      volume.mounted = false;
      const attachment = attachmentOf(volume, instance.instanceId);
      if (attachment?.state === 'busy') this.#proceed(volume, attachment);
    }
  }

  /** Terminate's own workflow: frees every volume after a while and deletes the flagged ones. */
  releaseAll(instance: Instance): void {
    for (const volume of this.#world.volumesOf(instance.instanceId)) {
      const attachment = attachmentOf(volume, instance.instanceId);
      if (attachment === undefined) continue;
      attachment.state = 'detaching';
      this.#settle(volume, attachment, this.#detachMs(volume, attachment), () => {
        this.#free(volume, attachment);
        const unused = volume.attachments.length === 0;
        if (attachment.deleteOnTermination && unused) this.#delete(volume);
      });
    }
  }

  /** Goes on with a detach: `busy` while a running machine has it mounted and Force is not asked. */
  #proceed(volume: Volume, attachment: Attachment): void {
    const instance = this.#world.instances.get(attachment.instanceId);
    // EC2 goes by the state it reports, even where a forced stop left the guest writing on.
    const held = volume.mounted && instance?.powered && instance.state !== 'stopped';
    attachment.state = held && !attachment.forced ? 'busy' : 'detaching';
    if (attachment.state === 'busy') return;
    this.#settle(volume, attachment, this.#detachMs(volume, attachment), () => {
      // Torn out of a running machine, the device name stays blocked until it reboots
      // (rexray#773, kubernetes#31891).
      if (attachment.forced && instance?.powered) instance.poisonedDevices.push(attachment.device);
      this.#free(volume, attachment);
    });
  }

  #detachMs({ volumeId }: Volume, { forced }: Attachment): number {
    const extraMs = this.#world.faults.slowDetach?.(volumeId, forced) ?? 0;
    return this.#world.durations.detachMs(volumeId) + extraMs;
  }

  #settle(volume: Volume, attachment: Attachment, delayMs: number, effect: () => void): void {
    this.#underway.get(attachment)?.();
    this.#underway.delete(attachment);
    if (!Number.isFinite(delayMs)) return;
    const end = (): void => {
      this.#underway.delete(attachment);
      effect();
    };
    const cancel = this.#world.time.after(delayMs, () => {
      if (this.#world.lostZones.has(volume.availabilityZone)) this.#hold(volume, attachment, end);
      else end();
    });
    this.#underway.set(attachment, cancel);
  }

  /** Accepted, but nothing comes of it while the zone is out of reach. */
  #hold(volume: Volume, attachment: Attachment, end: () => void): void {
    const held = { zone: volume.availabilityZone, end };
    this.#held.add(held);
    this.#underway.set(attachment, () => this.#held.delete(held));
  }

  /** The zone is within reach again: what was accepted for its volumes comes to its end. */
  resume(zone: string): void {
    for (const held of [...this.#held]) {
      if (held.zone !== zone) continue;
      this.#held.delete(held);
      held.end();
    }
  }

  #free(volume: Volume, attachment: Attachment): void {
    const { instanceId, forced } = attachment;
    this.#drop(volume, attachment);
    this.#world.notify({ kind: 'detached', instanceId, volumeId: volume.volumeId, forced });
  }

  #drop(volume: Volume, attachment: Attachment): void {
    volume.attachments = volume.attachments.filter((other) => other !== attachment);
    if (volume.attachments.length > 0) return;
    volume.mounted = false;
    if (volume.state !== 'error') volume.state = 'available';
  }

  #delete(volume: Volume): void {
    volume.state = 'deleting';
    this.#world.time.after(DELETE_MS, () => {
      volume.state = 'deleted';
      this.#world.publishVolume(volume, 'deleteVolume', 'deleted');
      this.#world.notify({ kind: 'volume-deleted', volumeId: volume.volumeId });
    });
  }
}

const refuseLost = (world: World, { availabilityZone }: { availabilityZone: string }): void => {
  if (!world.lostZones.has(availabilityZone)) return;
  refuse('Unavailable', `EBS cannot be reached in ${availabilityZone} at this time.`);
};

const refuseManaged = ({ managedBy, volumeId }: Volume): void => {
  if (managedBy === undefined) return;
  const message = `The operation is not supported on '${volumeId}', which is managed by`;
  refuse('UnsupportedOperation', `${message} ${managedBy}.`);
};

const checkAttach = (world: World, volume: Volume, instance: Instance, device: string): void => {
  const { volumeId } = volume;
  const { instanceId } = instance;
  if (instance.state !== 'running' && instance.state !== 'stopped') {
    refuse('IncorrectState', `Instance '${instanceId}' is not 'running'.`);
  }
  refuseManaged(volume);
  if (volume.attachments.length > 0 && !volume.multiAttach) {
    refuse('VolumeInUse', `${volumeId} is already attached to an instance`);
  }
  if (volume.state !== 'available' && volume.state !== 'in-use') {
    refuse('IncorrectState', `Volume '${volumeId}' is in the '${volume.state}' state.`);
  }
  if (volume.modification?.state === 'modifying') {
    refuse('IncorrectState', `Volume '${volumeId}' is being modified.`);
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
  { instanceId, device }: DetachRequest,
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
  refuseManaged(volume);
  const instance = world.instances.get(attachment.instanceId);
  const isRoot = instance?.rootDeviceName === attachment.device;
  if (isRoot && instance.state !== 'stopped' && instance.state !== 'terminated') {
    const message = `Unable to detach root volume '${volumeId}' from instance`;
    refuse('OperationNotPermitted', `${message} '${instance.instanceId}'`);
  }
  return attachment;
};
