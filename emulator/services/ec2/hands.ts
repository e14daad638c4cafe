import type { Disks } from './disks.ts';
import type { StateReason } from './model.ts';
import type { Power, StopFlags } from './power.ts';
import { checkStop } from './power.ts';
import { addSecurityGroup, type SecurityGroupSpec } from './security-groups.ts';
import type { World } from './world.ts';

/** Somebody else's hand (AWS itself, an operator, the guest): no rights, no throttling, no call log. */
export interface Hands {
  start(instanceId: string): void;
  stop(instanceId: string, flags?: Partial<StopFlags>, reason?: StateReason): void;
  terminate(instanceId: string, flags?: Partial<StopFlags>, reason?: StateReason): void;
  reboot(instanceId: string): void;
  /** An instance or a volume. */
  tag(id: string, tags: Record<string, string>): void;
  /** The kernel answers nothing any more; EC2 notices at the next status check. */
  hang(instanceId: string): void;
  thaw(instanceId: string): void;
  /** The host vanishes with its machine: impaired, and no stop ends until it is found again. */
  loseHost(instanceId: string): void;
  findHost(instanceId: string): void;
  /** Memory, network set-up: the guest's own trouble fails the instance check and nothing else. */
  failInstanceCheck(instanceId: string, fails?: boolean): void;
  /** Hung and well again, by turns, beginning with hung. */
  flap(instanceId: string, script: { hungMs: number; wellMs: number; times: number }): void;
  /** Nothing lands on the volume for so long, as FIS does it, 1 s to 12 h. */
  pauseVolumeIo(volumeId: string, forMs: number): void;
  /** A security group of the account; answers its id. */
  seedSecurityGroup(spec: SecurityGroupSpec): string;
  /** The volume is past help, or EBS stops its I/O until a person has looked at its data. */
  failVolume(volumeId: string): void;
  disableIo(volumeId: string): void;
  /** Somebody resizes it: no attachment is possible for so long. */
  modifyVolume(volumeId: string, modifyingMs: number): void;
  /** An AWS service takes it for its own. */
  manageVolume(volumeId: string, managedBy: string): void;
  /** The guest has mounted or unmounted the volume: a mounted one cannot be detached in peace. */
  setMounted(volumeId: string, mounted: boolean): void;
}

const PAUSE_MS = { least: 1000, most: 12 * 3_600_000 };

const stopFlags = (flags: Partial<StopFlags> = {}): StopFlags => ({
  force: false,
  skipOsShutdown: false,
  ...flags,
});

export const createHands = (world: World, power: Power, disks: Disks): Hands => ({
  start: (instanceId) => void power.start(world.instance(instanceId)),
  stop(instanceId, flags, reason) {
    const instance = world.instance(instanceId);
    checkStop(instance, stopFlags(flags));
    power.stop(instance, stopFlags(flags), reason);
  },
  terminate: (instanceId, flags, reason) =>
    void power.terminate(world.instance(instanceId), stopFlags(flags), reason),
  tag(id, tags) {
    const resource = id.startsWith('vol-') ? world.volume(id) : world.instance(id);
    Object.assign(resource.tags, tags);
  },
  reboot: (instanceId) => power.reboot(world.instance(instanceId)),
  hang: (instanceId) => power.hang(world.instance(instanceId)),
  thaw: (instanceId) => power.thaw(world.instance(instanceId)),
  loseHost: (instanceId) => power.loseHost(world.instance(instanceId)),
  findHost: (instanceId) => power.findHost(world.instance(instanceId)),
  failInstanceCheck(instanceId, fails = true) {
    world.instance(instanceId).instanceCheckFails = fails;
  },
  flap(instanceId, { hungMs, wellMs, times }) {
    const instance = world.instance(instanceId);
    for (let round = 0; round < times; round++) {
      const begin = round * (hungMs + wellMs);
      world.time.after(begin, () => power.hang(instance));
      world.time.after(begin + hungMs, () => power.thaw(instance));
    }
  },
  pauseVolumeIo(volumeId, forMs) {
    const volume = world.volume(volumeId);
    if (!(forMs >= PAUSE_MS.least && forMs <= PAUSE_MS.most)) {
      throw new RangeError(`I/O can be paused for a second to twelve hours, not ${forMs} ms`);
    }
    disks.pauseIo(volume, true);
    world.time.after(forMs, () => disks.pauseIo(volume, false));
  },
  seedSecurityGroup: (spec) => addSecurityGroup(world, spec),
  failVolume(volumeId) {
    world.volume(volumeId).state = 'error';
  },
  disableIo(volumeId) {
    world.volume(volumeId).ioEnabled = false;
  },
  modifyVolume: (volumeId, modifyingMs) => disks.modify(world.volume(volumeId), modifyingMs),
  manageVolume(volumeId, managedBy) {
    world.volume(volumeId).managedBy = managedBy;
  },
  setMounted: (volumeId, mounted) => disks.setMounted(volumeId, mounted),
});
