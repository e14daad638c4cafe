import type { BlockVolume, MachineEvent } from '../core/machines.ts';
import { Ec2Refusal } from '../core/machines.ts';
import type { Cancel } from '../core/time.ts';
import type { Ground } from './model.ts';

/** REX-Ray's behaviour that an installation can change. */
export interface RexraySettings {
  /** Force-detach a volume that is attached elsewhere (`mount.preempt`; DC/OS leaves it off). */
  preempt: boolean;
  /** What a wait on a volume stuck in transition does: give up, or block its agent for ever. */
  stuck: 'timeout' | 'hang';
}

/** The volume is there, or why it is not, in REX-Ray's words. */
export type MountResult =
  | { kind: 'mounted'; volumeId: string }
  | { kind: 'failed'; message: string };

type Operation =
  | {
      kind: 'mount';
      volumeName: string;
      sizeGiB: number;
      /** What this operation has asked EC2 for, so that it asks once. */
      asked: Set<'create' | 'attach' | 'preempt'>;
      done(result: MountResult): void;
    }
  | { kind: 'unmount'; volumeName: string; asked: Set<'detach'>; done(): void };

/** Volume lookup through the API, before anything is decided. */
const LOOKUP_MS = 300;
/** Ten status attempts from 100 ms, doubling: then the driver gives up on a mount. */
const MOUNT_TIMEOUT_MS = 102_300;
/** Mesos kills the unmount helper after ten minutes. */
const UNMOUNT_TIMEOUT_MS = 600_000;
const DEVICE_LETTERS = [...'fghijklmnop'];

const NOT_FOUND = 'resource not found';
const EXHAUSTED = 'Status attempts exhausted';
/** The driver's own spelling. */
const TIMED_OUT = 'Timeout occured waiting for storage action';

const failed = (error: string): MountResult => ({
  kind: 'failed',
  message: `VolumeDriver.Mount: {"Error":"${error}"}`,
});

const isMoving = ({ state }: BlockVolume['attachments'][number]): boolean =>
  state === 'attaching' || state === 'detaching';

/**
 * The storage driver of one agent. Its task queue is serial: an operation that waits for a volume
 * in transition blocks all others of the agent. It knows volumes by their `Name` in its own zone
 * only, and creates what it does not find.
 */
export class Rexray {
  readonly #ground: Ground;
  readonly #instanceId: string;
  readonly #settings: RexraySettings;
  readonly #works: () => boolean;
  readonly #queue: Operation[] = [];
  #timers: Cancel[] = [];
  #attempts = 0;
  #lookedUp = false;
  #timedOut = false;

  /** `works` tells whether processes on the machine make progress. */
  constructor(ground: Ground, instanceId: string, settings: RexraySettings, works: () => boolean) {
    this.#ground = ground;
    this.#instanceId = instanceId;
    this.#settings = settings;
    this.#works = works;
  }

  mount(volumeName: string, sizeGiB: number, done: (result: MountResult) => void): void {
    this.#enqueue({ kind: 'mount', volumeName, sizeGiB, asked: new Set(), done });
  }

  /** Unmounts and detaches, only when attached to this very instance; else nothing to do. */
  unmount(volumeName: string, done: () => void = () => {}): void {
    this.#enqueue({ kind: 'unmount', volumeName, asked: new Set(), done });
  }

  /** Power off: the queue and whatever was in it are gone. */
  reset(): void {
    this.#queue.length = 0;
    this.#stopTimers();
  }

  onMachineEvent(event: MachineEvent): void {
    if ('volumeId' in event) this.step();
  }

  /** Looks at the volumes again; called whenever something may have changed. */
  step(): void {
    const operation = this.#queue[0];
    if (operation === undefined || !this.#lookedUp || !this.#works()) return;
    if (operation.kind === 'mount') this.#stepMount(operation);
    else this.#stepUnmount(operation);
  }

  #enqueue(operation: Operation): void {
    this.#queue.push(operation);
    if (this.#queue.length === 1) this.#begin(operation);
  }

  #begin(operation: Operation): void {
    const { time } = this.#ground;
    this.#lookedUp = false;
    this.#timedOut = false;
    const lookedUp = () => {
      this.#lookedUp = true;
      this.step();
    };
    const timedOut = () => {
      this.#timedOut = true;
      this.step();
    };
    this.#timers = [time.after(LOOKUP_MS, lookedUp)];
    if (operation.kind === 'unmount') this.#timers.push(time.after(UNMOUNT_TIMEOUT_MS, timedOut));
    else if (this.#settings.stuck === 'timeout') {
      this.#timers.push(time.after(MOUNT_TIMEOUT_MS, timedOut));
    }
  }

  #finish(report: () => void): void {
    this.#stopTimers();
    this.#queue.shift();
    const next = this.#queue[0];
    if (next !== undefined) this.#begin(next);
    report();
  }

  #stopTimers(): void {
    for (const cancel of this.#timers) cancel();
    this.#timers = [];
  }

  #stepMount(operation: Extract<Operation, { kind: 'mount' }>): void {
    try {
      const outcome = this.#tryMount(operation);
      if (outcome !== undefined) this.#finish(() => operation.done(outcome));
    } catch (error) {
      if (!(error instanceof Ec2Refusal)) throw error;
      const refused = failed(`${error.code}: ${error.message}`);
      this.#finish(() => operation.done(refused));
    }
  }

  /** Answers nothing while there is something to wait for. */
  #tryMount(operation: Extract<Operation, { kind: 'mount' }>): MountResult | undefined {
    const { volumeName, asked } = operation;
    const [volume, ...namesakes] = this.#find(volumeName);
    if (namesakes.length > 0) return failed('multiple volumes returned');
    const held = (volume?.attachments ?? []).filter(({ state }) => state !== 'detached');
    const mine = held.find(({ instanceId }) => instanceId === this.#instanceId);
    const isMine = held.length === 1 && (mine?.state === 'attached' || mine?.state === 'busy');
    if (volume !== undefined && isMine) return { kind: 'mounted', volumeId: volume.volumeId };
    if (this.#timedOut) return failed(mine === undefined ? TIMED_OUT : EXHAUSTED);
    if (volume === undefined) {
      this.#askOnce(asked, 'create', () => this.#create(operation));
    } else if (volume.state === 'creating' || held.some(isMoving)) {
      return undefined;
    } else if (held.length === 0) {
      this.#askOnce(asked, 'attach', () => this.#attach(volume));
    } else if (!this.#settings.preempt) {
      return failed(NOT_FOUND);
    } else {
      const { machines } = this.#ground;
      this.#askOnce(asked, 'preempt', () =>
        machines.detachVolume(volume.volumeId, { force: true }),
      );
    }
    return undefined;
  }

  #stepUnmount(operation: Extract<Operation, { kind: 'unmount' }>): void {
    const { machines } = this.#ground;
    const volume = this.#find(operation.volumeName).find(({ attachments }) =>
      attachments.some((a) => a.instanceId === this.#instanceId && a.state !== 'detached'),
    );
    if (volume === undefined || this.#timedOut) {
      this.#finish(operation.done);
      return;
    }
    try {
      this.#askOnce(operation.asked, 'detach', () => {
        machines.setMounted?.(volume.volumeId, false);
        machines.detachVolume(volume.volumeId, { force: false });
      });
    } catch (error) {
      if (!(error instanceof Ec2Refusal)) throw error;
      this.#ground.trace(`rexray ${this.#instanceId}`, 'detach refused', { code: error.code });
      this.#finish(operation.done);
    }
  }

  #askOnce<T>(asked: Set<T>, what: T, ask: () => void): void {
    if (asked.has(what)) return;
    asked.add(what);
    ask();
  }

  #find(volumeName: string): BlockVolume[] {
    const { machines } = this.#ground;
    const zone = machines.machine(this.#instanceId)?.availabilityZone;
    return machines
      .volumes()
      .filter(
        ({ name, availabilityZone, state }) =>
          name === volumeName &&
          availabilityZone === zone &&
          !['deleting', 'deleted', 'error'].includes(state),
      );
  }

  #create({ volumeName, sizeGiB }: Extract<Operation, { kind: 'mount' }>): void {
    const { machines } = this.#ground;
    const availabilityZone = machines.machine(this.#instanceId)?.availabilityZone;
    if (availabilityZone === undefined) return;
    machines.createVolume({ availabilityZone, sizeGiB, name: volumeName });
    this.#ground.trace(`rexray ${this.#instanceId}`, `created empty volume '${volumeName}'`, {
      availabilityZone,
    });
  }

  #attach({ volumeId }: BlockVolume): void {
    const { machines, rng } = this.#ground;
    const taken = machines
      .volumes()
      .flatMap(({ attachments }) => attachments)
      .filter(({ instanceId, state }) => instanceId === this.#instanceId && state !== 'detached')
      .map(({ device }) => device);
    const free = DEVICE_LETTERS.map((letter) => `/dev/xvd${letter}`).filter(
      (device) => !taken.includes(device),
    );
    if (free.length === 0) throw new Ec2Refusal('NoDevice', 'no free device letter');
    const draw = rng.fork(`device/${this.#instanceId}/${this.#attempts++}`);
    machines.attachVolume(volumeId, this.#instanceId, draw.pick(free));
  }
}
