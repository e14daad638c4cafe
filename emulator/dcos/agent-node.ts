import type { MachineEvent } from '../core/machines.ts';
import type { Cancel } from '../core/time.ts';
import type { Guests } from './guests.ts';
import type { AgentSpec, Ground, StatusUpdate, TaskLaunch, TaskState } from './model.ts';
import { type MountResult, Rexray, type RexraySettings } from './rexray.ts';

/** What an agent process tells its master. */
export interface MasterLink {
  /** Answers the id the agent has from now on; `rebooted` when its machine has lost power since. */
  register(node: AgentNode, rebooted: boolean): string;
  /** The connection has closed, which only a working kernel (or its absence) can bring about. */
  disconnected(agentId: string): void;
  /** The machine answers nothing from now on; nobody is told, pings just go unanswered. */
  silent(agentId: string): void;
  /** It answers again. */
  back(agentId: string): void;
  statusUpdate(update: StatusUpdate): void;
}

interface Container {
  task: TaskLaunch;
  state: 'starting' | 'running' | 'killing';
  launchedAt: number;
  /** Volume name to volume id. */
  mounts: Map<string, string>;
}

/** An executor takes this long to end its task after SIGTERM. */
const KILL_MS = 1500;
/** A thawed agent notices its master's pings and answers. */
const WAKE_MS = 1000;
const REBOOT_MS = 30_000;

/** An agent on its machine: Mesos agent process, executors, REX-Ray. */
export class AgentNode {
  /** Given by the master; old Mesos gives another one after a reboot. */
  agentId: string;
  readonly spec: AgentSpec;
  readonly #ground: Ground;
  readonly #guests: Guests;
  readonly #master: MasterLink;
  readonly #rexray: Rexray;
  readonly #containers = new Map<string, Container>();
  /** Tasks whose executors died with the machine: their checkpoints survive on its disk. */
  readonly #checkpoints = new Map<string, TaskLaunch>();
  #process: 'up' | 'down' = 'down';
  #rebooted = false;
  #isolated = false;
  /** It came up without a network and tries again until it has one. */
  #unregistered = false;
  /** What would have happened while the kernel hung, for when it does not any more. */
  #frozen: (() => void)[] = [];
  #pending = new Set<Cancel>();

  constructor(
    ground: Ground,
    parts: { guests: Guests; master: MasterLink; rexray: RexraySettings },
    agentId: string,
    spec: AgentSpec,
  ) {
    this.agentId = agentId;
    this.spec = spec;
    this.#ground = ground;
    this.#guests = parts.guests;
    this.#master = parts.master;
    this.#rexray = new Rexray(ground, spec.instanceId, parts.rexray, () => this.#reachesAws());
  }

  /** Power is on and the kernel works, but perhaps no agent process runs. */
  get answers(): 'yes' | 'refuses' | 'silent' | 'off' {
    const machine = this.#ground.machines.machine(this.spec.instanceId);
    if (!machine?.powered) return 'off';
    if (machine.kernel === 'hung' || this.#unheard()) return 'silent';
    return this.#process === 'up' ? 'yes' : 'refuses';
  }

  /** Tasks whose executors run, in the order they were launched. */
  get taskIds(): string[] {
    return [...this.#containers.keys()];
  }

  /** Volumes the task has mounted on this agent. */
  volumeIdsOf(taskId: string): string[] {
    return [...(this.#containers.get(taskId)?.mounts.values() ?? [])];
  }

  /** The master knows which tasks did not survive the machine. */
  forgetDeadTasks(): void {
    this.#checkpoints.clear();
  }

  boot(delayMs: number): void {
    if (delayMs === 0) this.#startProcess();
    else this.#after(delayMs, () => this.#startProcess());
  }

  launch(task: TaskLaunch): void {
    // What was sent to a hung kernel waits in its sockets.
    if (this.answers === 'silent') this.#frozen.push(() => this.launch(task));
    if (this.answers !== 'yes') return;
    const launchedAt = this.#ground.time.now();
    const container: Container = { task, state: 'starting', launchedAt, mounts: new Map() };
    this.#containers.set(task.taskId, container);
    this.#mountNext(container);
  }

  /** A task that has been running since before the story begins. */
  adopt(task: TaskLaunch, mounts: Map<string, string>, rows: number): void {
    const launchedAt = this.#ground.time.now();
    const container: Container = { task, state: 'starting', launchedAt, mounts };
    this.#containers.set(task.taskId, container);
    this.#run(container, rows);
  }

  /** False when the agent does not hear the call. */
  kill(taskId: string, reason?: string): boolean {
    if (this.answers !== 'yes') return false;
    const container = this.#containers.get(taskId);
    if (container === undefined || container.state === 'killing') return true;
    container.state = 'killing';
    this.#report(container, 'TASK_KILLING', 'SOURCE_EXECUTOR', '');
    this.#after(KILL_MS, () => {
      if (this.#containers.get(taskId) !== container) return;
      this.#end(container, 'TASK_KILLED', 'Container killed', reason);
    });
    return true;
  }

  /** The master's ShutdownMessage: all executors are killed and the agent gives up. */
  shutdown(): void {
    if (this.answers !== 'yes') return;
    this.#process = 'down';
    this.#after(KILL_MS, () => {
      for (const container of this.#containers.values()) this.#destroy(container);
    });
  }

  /** A network partition: the machine and its tasks work on, unheard. */
  isolate(isolated: boolean): void {
    this.#isolated = isolated;
    if (isolated) this.#master.silent(this.agentId);
    else this.#wake();
  }

  /** Somebody wipes the agent's work directory and restarts it: to Mesos it is another agent. */
  reinstall(agentId: string): void {
    for (const container of this.#containers.values()) this.#destroy(container);
    this.#checkpoints.clear();
    this.agentId = agentId;
    this.#startProcess();
  }

  onMachineEvent(event: MachineEvent): void {
    if ('instanceId' in event && event.instanceId === this.spec.instanceId) this.#onOwn(event);
    this.#rexray.onMachineEvent(event);
  }

  #onOwn(event: MachineEvent): void {
    const { instanceId } = this.spec;
    switch (event.kind) {
      case 'powered-on':
        this.#rebooted = true;
        this.boot(this.spec.bootMs ?? REBOOT_MS);
        break;
      case 'powered-off':
        this.#powerOff();
        break;
      case 'shutting-down':
        this.#after(1000 + this.#draw('shutdown').int(0, 2000), () => this.#stopCleanly());
        break;
      case 'hung':
        this.#guests.setMode(instanceId, 'hung');
        this.#master.silent(this.agentId);
        break;
      case 'thawed':
        this.#guests.setMode(instanceId, 'serving');
        this.#wake();
        break;
      case 'cut-off':
        this.#master.silent(this.agentId);
        break;
      case 'reconnected':
        if (this.#unregistered) this.#startProcess();
        else if (!this.#isolated) this.#wake();
        break;
      default:
    }
  }

  #startProcess(): void {
    this.#unregistered = this.#works() && this.#isCutOff();
    if (!this.#works() || this.#unheard()) return;
    this.#process = 'up';
    // Recovery comes before registration: even a refused agent cleans up after dead containers.
    for (const task of this.#checkpoints.values()) {
      for (const name of task.volumeNames) this.#rexray.unmount(name);
    }
    this.agentId = this.#master.register(this, this.#rebooted);
    this.#rebooted = false;
  }

  #powerOff(): void {
    for (const cancel of this.#pending) cancel();
    this.#pending.clear();
    this.#frozen = [];
    this.#rexray.reset();
    this.#guests.powerOff(this.spec.instanceId);
    this.#loseContainers();
    if (this.#process === 'down') return;
    this.#process = 'down';
    this.#master.silent(this.agentId);
    this.#ground.time.after(this.#draw('tcp-close').int(0, 5000), () => {
      if (this.#process === 'down') this.#master.disconnected(this.agentId);
    });
  }

  /** systemd ends agent and containers early in an orderly shutdown; nobody sends updates. */
  #stopCleanly(): void {
    for (const taskId of this.taskIds) this.#guests.stop(taskId);
    this.#rexray.reset();
    this.#loseContainers();
    if (this.#process === 'down') return;
    this.#process = 'down';
    this.#master.silent(this.agentId);
    this.#master.disconnected(this.agentId);
  }

  #loseContainers(): void {
    for (const [taskId, { task, mounts }] of this.#containers) {
      this.#checkpoints.set(taskId, task);
      for (const volumeId of mounts.values()) this.#unmounted(volumeId);
    }
    this.#containers.clear();
  }

  #mountNext(container: Container): void {
    const { task, mounts, launchedAt } = container;
    const volumeName = task.volumeNames.find((name) => !mounts.has(name));
    if (volumeName === undefined) {
      const { time, durations } = this.#ground;
      const readyAt = launchedAt + durations.launchToAttachedMs(task.appId);
      this.#after(Math.max(0, readyAt - time.now()), () => this.#run(container, 0));
      return;
    }
    this.#rexray.mount(volumeName, task.volumeSizeGiB, (result) =>
      this.#mountEnded(container, volumeName, result),
    );
  }

  #mountEnded(container: Container, volumeName: string, result: MountResult): void {
    if (this.#containers.get(container.task.taskId) !== container) {
      // Killed while mounting: nobody wants the volume here any more.
      this.#rexray.unmount(volumeName);
      return;
    }
    if (result.kind === 'failed') {
      const message = `Failed to launch container: ${result.message}`;
      this.#end(container, 'TASK_FAILED', message, 'REASON_CONTAINER_LAUNCH_FAILED');
      return;
    }
    container.mounts.set(volumeName, result.volumeId);
    this.#ground.machines.setMounted?.(result.volumeId, true);
    this.#mountNext(container);
  }

  #run(container: Container, rows: number): void {
    const { task, mounts } = container;
    if (this.#containers.get(task.taskId) !== container || container.state !== 'starting') return;
    container.state = 'running';
    for (const [volumeName, volumeId] of mounts) {
      const { taskId, appId } = task;
      const { instanceId } = this.spec;
      this.#guests.start({ taskId, appId, volumeName, volumeId, instanceId }, rows);
      this.#ground.machines.setMounted?.(volumeId, true);
    }
    this.#report(container, 'TASK_RUNNING', 'SOURCE_EXECUTOR', '');
  }

  #end(container: Container, state: TaskState, message: string, reason?: string): void {
    this.#destroy(container);
    this.#report(container, state, 'SOURCE_AGENT', message, reason);
  }

  #destroy({ task, mounts }: Container): void {
    this.#containers.delete(task.taskId);
    this.#guests.stop(task.taskId);
    for (const [volumeName, volumeId] of mounts) {
      this.#unmounted(volumeId);
      this.#rexray.unmount(volumeName);
    }
  }

  /** A volume torn away meanwhile may be mounted by its new owner: that is not ours to undo. */
  #unmounted(volumeId: string): void {
    const { machines } = this.#ground;
    const volume = machines.volumes().find((v) => v.volumeId === volumeId);
    const { instanceId } = this.spec;
    if (!volume?.attachments.some((a) => a.instanceId === instanceId)) return;
    machines.setMounted?.(volumeId, false);
  }

  #report(
    { task }: Container,
    state: TaskState,
    source: StatusUpdate['source'],
    message: string,
    reason?: string,
  ): void {
    if (this.#process === 'down' || this.#unheard()) return;
    this.#master.statusUpdate({
      taskId: task.taskId,
      agentId: this.agentId,
      state,
      source,
      message,
      at: this.#ground.time.now(),
      ...(reason === undefined ? {} : { reason }),
    });
  }

  #works(): boolean {
    const machine = this.#ground.machines.machine(this.spec.instanceId);
    return machine?.powered === true && machine.kernel === 'ok';
  }

  /** Its security groups let nothing through. */
  #isCutOff(): boolean {
    return this.#ground.machines.machine(this.spec.instanceId)?.cutOff === true;
  }

  #unheard(): boolean {
    return this.#isolated || this.#isCutOff();
  }

  #reachesAws(): boolean {
    return this.#works() && !this.#isCutOff();
  }

  #draw(label: string) {
    return this.#ground.rng.fork(`${label}/${this.spec.instanceId}`);
  }

  /** Something this machine does later: after a thaw if it hangs then, never if power is lost. */
  #after(delayMs: number, effect: () => void): void {
    const cancel = this.#ground.time.after(delayMs, () => {
      this.#pending.delete(cancel);
      if (this.#works()) effect();
      else this.#frozen.push(effect);
    });
    this.#pending.add(cancel);
  }

  /** It can be heard again: what waited for that happens now, and soon the master knows. */
  #wake(): void {
    if (!this.#works()) return;
    const frozen = this.#frozen;
    this.#frozen = [];
    for (const effect of frozen) effect();
    this.#rexray.step();
    if (this.#process === 'up') this.#after(WAKE_MS, () => this.#master.back(this.agentId));
  }
}
