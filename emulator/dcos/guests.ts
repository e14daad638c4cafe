import type { BlockVolume } from '../core/machines.ts';
import type { Ground } from './model.ts';

/** A healthy guest commits a row this often: five a second to each of its volumes. */
const ROW_INTERVAL_MS = 200;
/** When the next row is written while the volume's I/O waits. */
const PAUSED = Number.POSITIVE_INFINITY;

/** One uninterrupted stretch of writes by one incarnation of one machine, all of the same kind. */
export interface WriterSegment {
  taskId: string;
  instanceId: string;
  /** The incarnation, epoch ms. */
  launchTime: number;
  volumeId: string;
  mode: 'serving' | 'hung';
  /** Landed on a volume that was not this incarnation's alone at that moment. */
  foreign: boolean;
  /** Rows of the stretch; `fromSequence` is the writer's count before it. */
  rows: number;
  fromSequence: number;
  /** First and last write, epoch ms. */
  firstAt: number;
  lastAt: number;
}

/** What became of one external volume of one app. */
export interface GuestReport {
  appId: string;
  volumeName: string;
  /** The volume of the newest mount. */
  volumeId: string;
  rowsAcknowledged: number;
  rowsOnVolume: number;
  /** Acknowledged to a client, but not on the volume of the newest mount. */
  lostRows: number;
  foreignWrites: number;
  writers: WriterSegment[];
}

/** Where a guest writes. */
export interface Mount {
  taskId: string;
  appId: string;
  volumeName: string;
  volumeId: string;
  instanceId: string;
}

interface Writer extends Mount {
  launchTime: number;
  mode: 'serving' | 'hung';
  foreign: boolean;
  intervalMs: number;
  nextAt: number;
  sequence: number;
}

/** One app's data under one volume name, wherever copies of it (or empty namesakes) live. */
interface DataSet {
  appId: string;
  volumeName: string;
  newestVolumeId: string;
  acknowledgedOn: Map<string, number>;
  foreignWrites: number;
  segments: WriterSegment[];
}

/**
 * The oracle. It counts every row that lands on a volume, by machine and incarnation, and says
 * which were acknowledged, lost or foreign. Writes are settled on each change of their
 * circumstances instead of one by one, so quiet hours cost nothing.
 */
export class Guests {
  readonly #ground: Ground;
  readonly #writers = new Map<string, Writer>();
  readonly #dataSets = new Map<string, DataSet>();
  readonly #rowsOn = new Map<string, number>();
  readonly #deleted = new Set<string>();

  constructor(ground: Ground) {
    this.#ground = ground;
  }

  /** The service starts to write; `initialRows` stand for its life before the story begins. */
  start(mount: Mount, initialRows = 0): void {
    const { time, machines } = this.#ground;
    const launchTime = machines.machine(mount.instanceId)?.launchTime ?? 0;
    const data = this.#dataSet(mount);
    data.newestVolumeId = mount.volumeId;
    this.#land(data, mount.volumeId, initialRows, true);
    this.#settle((other) => other.volumeId === mount.volumeId);
    this.#writers.set(`${mount.taskId} ${mount.volumeName}`, {
      ...mount,
      launchTime,
      mode: 'serving',
      foreign: false,
      intervalMs: ROW_INTERVAL_MS,
      nextAt: time.now() + ROW_INTERVAL_MS,
      sequence: initialRows,
    });
    this.volumeChanged(mount.volumeId);
  }

  /** The service of this task has ended; nothing of it writes any more. */
  stop(taskId: string): void {
    this.#end((writer) => writer.taskId === taskId);
  }

  /** Power is off: the only thing that surely ends all writing of a machine. */
  powerOff(instanceId: string): void {
    this.#end((writer) => writer.instanceId === instanceId);
  }

  /**
   * A hung kernel serves no client, yet pages it had queued still reach the disk now and then.
   */
  setMode(instanceId: string, mode: 'serving' | 'hung'): void {
    const { rng, time } = this.#ground;
    const mine = (writer: Writer) => writer.instanceId === instanceId;
    this.#settle(mine);
    for (const writer of [...this.#writers.values()].filter(mine)) {
      writer.mode = mode;
      writer.intervalMs =
        mode === 'hung'
          ? rng.fork(`hung-writes/${writer.taskId}/${writer.volumeName}`).int(2000, 5000)
          : ROW_INTERVAL_MS;
      if (writer.nextAt !== PAUSED) writer.nextAt = time.now() + writer.intervalMs;
    }
  }

  /** Attachments of the volume have changed, its I/O has, or somebody mounted or unmounted it. */
  volumeChanged(volumeId: string): void {
    const onVolume = (writer: Writer) => writer.volumeId === volumeId;
    this.#settle(onVolume);
    const volume = this.#ground.machines.volumes().find((v) => v.volumeId === volumeId);
    const writers = [...this.#writers.values()].filter(onVolume);
    const rightful = writers.filter((writer) => this.#holdsAlone(writer, volume));
    for (const writer of writers) {
      writer.foreign = !rightful.includes(writer) || rightful.length > 1;
      if (volume?.ioPaused) writer.nextAt = PAUSED;
      else if (writer.nextAt === PAUSED) {
        writer.nextAt = this.#ground.time.now() + writer.intervalMs;
      }
    }
  }

  volumeDeleted(volumeId: string): void {
    this.#end((writer) => writer.volumeId === volumeId);
    this.#deleted.add(volumeId);
  }

  /** Rows of all volumes together that somebody wrote who did not hold the volume alone. */
  foreignRows(): number {
    this.#settle(() => true);
    let rows = 0;
    for (const { foreignWrites } of this.#dataSets.values()) rows += foreignWrites;
    return rows;
  }

  /** Exact as of now, one entry per app and volume name. */
  report(): GuestReport[] {
    this.#settle(() => true);
    return [...this.#dataSets.values()].map((data) => {
      const volumeId = data.newestVolumeId;
      const exists = !this.#deleted.has(volumeId);
      const acknowledged = [...data.acknowledgedOn.values()].reduce((sum, n) => sum + n, 0);
      return {
        appId: data.appId,
        volumeName: data.volumeName,
        volumeId,
        rowsAcknowledged: acknowledged,
        rowsOnVolume: exists ? (this.#rowsOn.get(volumeId) ?? 0) : 0,
        lostRows: acknowledged - (exists ? (data.acknowledgedOn.get(volumeId) ?? 0) : 0),
        foreignWrites: data.foreignWrites,
        writers: data.segments.map((segment) => ({ ...segment })),
      };
    });
  }

  #dataSet({ appId, volumeName, volumeId }: Mount): DataSet {
    const key = `${appId} ${volumeName}`;
    const known = this.#dataSets.get(key);
    if (known !== undefined) return known;
    const created: DataSet = {
      appId,
      volumeName,
      newestVolumeId: volumeId,
      acknowledgedOn: new Map(),
      foreignWrites: 0,
      segments: [],
    };
    this.#dataSets.set(key, created);
    return created;
  }

  #holdsAlone(writer: Writer, volume: BlockVolume | undefined): boolean {
    const held = (volume?.attachments ?? []).filter(({ state }) => state !== 'detached');
    const [only] = held;
    return (
      held.length === 1 &&
      only?.instanceId === writer.instanceId &&
      only.state !== 'attaching' &&
      this.#ground.machines.machine(writer.instanceId)?.launchTime === writer.launchTime
    );
  }

  #end(ends: (writer: Writer) => boolean): void {
    this.#settle(ends);
    const volumeIds = new Set<string>();
    for (const [key, writer] of this.#writers) {
      if (!ends(writer)) continue;
      this.#writers.delete(key);
      volumeIds.add(writer.volumeId);
    }
    for (const volumeId of volumeIds) this.volumeChanged(volumeId);
  }

  #settle(which: (writer: Writer) => boolean): void {
    const now = this.#ground.time.now();
    for (const writer of this.#writers.values()) {
      if (!which(writer) || now < writer.nextAt) continue;
      const rows = Math.floor((now - writer.nextAt) / writer.intervalMs) + 1;
      const data = this.#dataSet(writer);
      this.#land(data, writer.volumeId, rows, writer.mode === 'serving' && !writer.foreign);
      if (writer.foreign) data.foreignWrites += rows;
      this.#log(data, writer, rows);
      writer.nextAt += rows * writer.intervalMs;
      writer.sequence += rows;
    }
  }

  #land(data: DataSet, volumeId: string, rows: number, acknowledged: boolean): void {
    this.#rowsOn.set(volumeId, (this.#rowsOn.get(volumeId) ?? 0) + rows);
    const before = data.acknowledgedOn.get(volumeId) ?? 0;
    data.acknowledgedOn.set(volumeId, before + (acknowledged ? rows : 0));
  }

  #log(data: DataSet, writer: Writer, rows: number): void {
    const lastAt = writer.nextAt + (rows - 1) * writer.intervalMs;
    const { taskId, instanceId, launchTime, volumeId, mode, foreign } = writer;
    const open = data.segments.findLast((segment) => segment.taskId === taskId);
    if (open?.mode === mode && open.foreign === foreign && open.volumeId === volumeId) {
      open.rows += rows;
      open.lastAt = lastAt;
      return;
    }
    data.segments.push({
      taskId,
      instanceId,
      launchTime,
      volumeId,
      mode,
      foreign,
      rows,
      fromSequence: writer.sequence,
      firstAt: writer.nextAt,
      lastAt,
    });
  }
}
