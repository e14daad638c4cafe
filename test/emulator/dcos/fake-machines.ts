import {
  type BlockVolume,
  Ec2Refusal,
  type Machine,
  type MachineEvent,
  type Machines,
} from '../../../emulator/core/machines.ts';
import type { Time } from '../../../emulator/core/time.ts';

const ATTACH_MS = 500;
const DETACH_MS = 2000;

/** EC2 as the DC/OS half sees it, in memory: attaching takes 0.5 s, detaching 2 s. */
export class FakeMachines implements Machines {
  readonly mounted = new Map<string, boolean>();
  /** Attachments to these instances never get past `attaching`. */
  readonly stuckAttaching = new Set<string>();
  readonly calls: string[] = [];
  readonly #time: Time;
  readonly #machines = new Map<string, Machine>();
  readonly #volumes = new Map<string, BlockVolume>();
  readonly #listeners: ((event: MachineEvent) => void)[] = [];

  constructor(time: Time) {
    this.#time = time;
  }

  addMachine(instanceId: string, privateIp: string, availabilityZone = 'us-west-2a'): void {
    this.#machines.set(instanceId, {
      instanceId,
      launchTime: this.#time.now(),
      privateIp,
      availabilityZone,
      powered: true,
      kernel: 'ok',
      shuttingDown: false,
      tags: {},
    });
  }

  addVolume(volumeId: string, name: string, attachedTo?: string, zone = 'us-west-2a'): void {
    const attachment = attachedTo && {
      instanceId: attachedTo,
      device: '/dev/xvdf',
      state: 'attached' as const,
    };
    this.#volumes.set(volumeId, {
      volumeId,
      name,
      availabilityZone: zone,
      state: attachment ? 'in-use' : 'available',
      attachments: attachment ? [attachment] : [],
    });
  }

  hang(instanceId: string): void {
    this.#mutable(instanceId).kernel = 'hung';
    this.#emit({ kind: 'hung', instanceId });
  }

  thaw(instanceId: string): void {
    this.#mutable(instanceId).kernel = 'ok';
    this.#emit({ kind: 'thawed', instanceId });
  }

  cutOff(instanceId: string, cutOff: boolean): void {
    this.#mutable(instanceId).cutOff = cutOff;
    this.#emit({ kind: cutOff ? 'cut-off' : 'reconnected', instanceId });
  }

  pauseIo(volumeId: string, paused: boolean): void {
    this.#volume(volumeId).ioPaused = paused;
    this.#emit({ kind: paused ? 'io-paused' : 'io-resumed', volumeId });
  }

  shutDown(instanceId: string): void {
    this.#mutable(instanceId).shuttingDown = true;
    this.#emit({ kind: 'shutting-down', instanceId });
  }

  powerOff(instanceId: string): void {
    this.#mutable(instanceId).powered = false;
    this.#emit({ kind: 'powered-off', instanceId });
  }

  powerOn(instanceId: string): void {
    const machine = this.#mutable(instanceId);
    Object.assign(machine, { powered: true, kernel: 'ok', shuttingDown: false });
    machine.launchTime = this.#time.now();
    this.#emit({ kind: 'powered-on', instanceId });
  }

  deleteVolume(volumeId: string): void {
    this.#volume(volumeId).state = 'deleted';
    this.#emit({ kind: 'volume-deleted', volumeId });
  }

  /** Takes effect at once, whatever the machine thinks of it. */
  tearOff(volumeId: string): void {
    this.#detached(volumeId, true);
  }

  setMounted(volumeId: string, mounted: boolean): void {
    this.mounted.set(volumeId, mounted);
  }

  machine(instanceId: string): Machine | undefined {
    return this.#machines.get(instanceId);
  }

  all(): Machine[] {
    return [...this.#machines.values()];
  }

  volumes(): BlockVolume[] {
    return [...this.#volumes.values()];
  }

  attachVolume(volumeId: string, instanceId: string, device: string): void {
    this.calls.push(`attach ${volumeId} ${instanceId} ${device}`);
    const volume = this.#volume(volumeId);
    if (volume.state !== 'available') {
      throw new Ec2Refusal('VolumeInUse', `${volumeId} is already attached to an instance`);
    }
    volume.state = 'in-use';
    volume.attachments = [{ instanceId, device, state: 'attaching' }];
    if (this.stuckAttaching.has(instanceId)) return;
    this.#time.after(ATTACH_MS, () => {
      volume.attachments = [{ instanceId, device, state: 'attached' }];
      this.#emit({ kind: 'attached', instanceId, volumeId, device });
    });
  }

  detachVolume(volumeId: string, { force }: { force: boolean }): void {
    this.calls.push(`detach ${volumeId}${force ? ' force' : ''}`);
    const volume = this.#volume(volumeId);
    if (volume.attachments.length === 0) {
      throw new Ec2Refusal('IncorrectState', `${volumeId} is in the 'available' state`);
    }
    for (const attachment of volume.attachments) attachment.state = 'detaching';
    this.#time.after(DETACH_MS, () => this.#detached(volumeId, force));
  }

  createVolume(spec: { availabilityZone: string; sizeGiB: number; name: string }): string {
    this.calls.push(`create ${spec.name} ${spec.availabilityZone} ${spec.sizeGiB}`);
    const volumeId = `vol-created${this.#volumes.size}`;
    this.addVolume(volumeId, spec.name, undefined, spec.availabilityZone);
    this.#volume(volumeId).state = 'creating';
    this.#time.after(1000, () => {
      this.#volume(volumeId).state = 'available';
      this.#emit({ kind: 'volume-created', volumeId });
    });
    return volumeId;
  }

  subscribe(listener: (event: MachineEvent) => void): void {
    this.#listeners.push(listener);
  }

  #detached(volumeId: string, forced: boolean): void {
    const volume = this.#volume(volumeId);
    const [attachment] = volume.attachments;
    volume.attachments = [];
    volume.state = 'available';
    if (attachment === undefined) return;
    this.#emit({ kind: 'detached', instanceId: attachment.instanceId, volumeId, forced });
  }

  #emit(event: MachineEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  #mutable(instanceId: string): Machine {
    const machine = this.#machines.get(instanceId);
    if (machine === undefined) throw new Error(`no machine ${instanceId}`);
    return machine;
  }

  #volume(volumeId: string): BlockVolume {
    const volume = this.#volumes.get(volumeId);
    if (volume === undefined) throw new Ec2Refusal('InvalidVolume.NotFound', volumeId);
    return volume;
  }
}
