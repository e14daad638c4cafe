import { AgentExpiry } from './agent-expiry.ts';
import type { AgentNode, MasterLink } from './agent-node.ts';
import type { AgentRecord } from './agent-record.ts';
import { Maintenance } from './maintenance.ts';
import {
  type Ground,
  isTerminal,
  type StatusUpdate,
  type TaskLaunch,
  type TaskState,
  uuidOf,
} from './model.ts';
import type { Release } from './release.ts';
import { TaskBook, type TaskRecord } from './task-book.ts';

/** What the master tells its one framework, Marathon. */
export interface Framework {
  statusUpdate(update: StatusUpdate): void;
  /** Some resources may be on offer that were not before. */
  offersChanged(): void;
  /** Something was not told; only the framework's periodic reconciliation will find out. */
  missedUpdate(): void;
}

/** The Mesos master: who is registered, what runs where, and what the framework hears of it. */
export class Master implements MasterLink {
  readonly release: Release;
  readonly id: string;
  readonly maintenance = new Maintenance();
  readonly tasks = new TaskBook();
  readonly #ground: Ground;
  readonly #agents = new Map<string, AgentRecord>();
  readonly expiry: AgentExpiry;
  readonly #undeliveredKills = new Map<string, Map<string, string | undefined>>();
  #framework: Framework | undefined;
  #agentCount = 0;
  /** Updates to the framework are lost, as while it is disconnected. */
  dropsUpdates = false;

  constructor(ground: Ground, release: Release) {
    this.#ground = ground;
    this.release = release;
    this.expiry = new AgentExpiry(ground.time, release, (agent) => {
      if (release.partitionAware) this.#unreachable(agent);
      else this.remove(agent, 'health check timed out');
    });
    this.id = uuidOf(ground.rng.fork('master').hex(32));
  }

  subscribe(framework: Framework): void {
    this.#framework = framework;
  }

  get agents(): AgentRecord[] {
    return [...this.#agents.values()];
  }

  agent(agentId: string): AgentRecord | undefined {
    return this.#agents.get(agentId);
  }

  /** Since when the agent's machine answers nothing, whoever asks. */
  silentSince(agentId: string): number | undefined {
    return this.#agents.get(agentId)?.silentSince;
  }

  newAgentId(): string {
    return `${this.id}-S${this.#agentCount++}`;
  }

  register(node: AgentNode, rebooted: boolean): string {
    const machine = this.#ground.machines.machine(node.spec.instanceId);
    const hostname = machine?.privateIp ?? '';
    const known = this.#agents.get(node.agentId);
    if (known !== undefined && rebooted && !this.release.keepsAgentIdOnReboot) {
      this.remove(known, 'a new agent registered at the same address');
      node.agentId = this.newAgentId();
      return this.register(node, false);
    }
    const refused = known?.state === 'gone' || known?.state === 'removed';
    if (refused || this.maintenance.isDown(hostname)) {
      this.#ground.trace('mesos-master', `refused agent ${node.agentId}`, { hostname });
      node.shutdown();
      return node.agentId;
    }
    if (known?.transition === 'gone') return node.agentId;
    if (known !== undefined) this.#reregister(known);
    else {
      this.#agents.set(node.agentId, {
        agentId: node.agentId,
        node,
        hostname,
        availabilityZone: machine?.availabilityZone ?? '',
        state: 'registered',
        connected: true,
        deactivated: false,
        drain: undefined,
        transition: undefined,
        silentSince: undefined,
        registeredAt: this.#ground.time.now(),
        reregisteredAt: undefined,
      });
      this.announce(node.agentId, 'registered');
    }
    this.offersChanged();
    return node.agentId;
  }

  /** No ping will be answered; the twentieth silence in a row ends the agent's registration. */
  silent(agentId: string): void {
    const agent = this.#agents.get(agentId);
    if (agent === undefined) return;
    agent.silentSince ??= this.#ground.time.now();
    if (agent.state !== 'registered') return;
    this.expiry.afterPings(agent);
  }

  back(agentId: string): void {
    const agent = this.#agents.get(agentId);
    if (agent === undefined) return;
    agent.silentSince = undefined;
    if (agent.state === 'registered' && agent.connected) {
      this.expiry.calm(agentId);
      this.#deliverKills(agent);
    } else this.register(agent.node, false);
  }

  disconnected(agentId: string): void {
    const agent = this.#agents.get(agentId);
    if (agent?.state !== 'registered' || !agent.connected) return;
    agent.connected = false;
    this.announce(agentId, 'inactive');
    this.expiry.unlessReregistered(agent);
  }

  statusUpdate(update: StatusUpdate): void {
    const task = this.tasks.of(update.taskId);
    if (task === undefined || task.list === 'completed') return;
    task.list = 'tasks';
    this.#record(task, update);
  }

  /** A status of the master's own making. */
  say(task: TaskRecord, state: TaskState, reason: string, message: string): void {
    const { taskId } = task.launch;
    const at = this.#ground.time.now();
    const source = 'SOURCE_MASTER';
    this.#record(task, { taskId, agentId: task.agentId, state, source, reason, message, at });
  }

  /** Sends a matched task to its agent, without knowing whether the agent still listens. */
  launch(agentId: string, launch: TaskLaunch): void {
    const agent = this.#agents.get(agentId);
    if (agent === undefined) return;
    this.addTask(agentId, launch);
    agent.node.launch(launch);
  }

  addTask(agentId: string, launch: TaskLaunch): void {
    const { taskId, appId } = launch;
    this.tasks.add(agentId, launch);
    const state = 'TASK_STAGING';
    const host = this.#agents.get(agentId)?.hostname ?? '';
    const at = this.#ground.time.now();
    this.#ground.emit({ at, kind: 'task', appId, taskId, agentId, host, state, message: '' });
  }

  /** Asks the agent to end a task; an agent that does not hear it is asked again when it does. */
  kill(taskId: string, reason?: string): void {
    const task = this.tasks.of(taskId);
    const agent = task && this.#agents.get(task.agentId);
    if (agent === undefined || agent.node.kill(taskId, reason)) return;
    const undelivered = this.#undeliveredKills.get(agent.agentId) ?? new Map();
    this.#undeliveredKills.set(agent.agentId, undelivered.set(taskId, reason));
  }

  /** Stops offers and ends what runs there; an agent out of reach is drained when it returns. */
  drain(agent: AgentRecord, config: { graceMs: number; markGone: boolean }): void {
    agent.drain = { state: 'DRAINING', ...config };
    this.announce(agent.agentId, 'draining');
    for (const { launch } of this.tasks.on(agent.agentId)) {
      this.kill(launch.taskId, 'REASON_AGENT_DRAINING');
    }
    if (agent.state === 'registered') this.#drained(agent.agentId);
  }

  /** Takes a registered agent away; its tasks are lost to every framework. */
  remove(agent: AgentRecord, why: string): void {
    this.expiry.calm(agent.agentId);
    agent.state = 'removed';
    for (const task of this.tasks.on(agent.agentId)) {
      this.say(
        task,
        'TASK_LOST',
        'REASON_AGENT_REMOVED',
        `Agent ${agent.hostname} removed: ${why}`,
      );
    }
    this.announce(agent.agentId, 'removed');
  }

  /** The registry has recorded the agent as gone for good. */
  gone(agent: AgentRecord): void {
    const { agentId, state } = agent;
    this.expiry.calm(agentId);
    agent.state = 'gone';
    agent.drain = undefined;
    if (state === 'recovered') this.#framework?.missedUpdate();
    const tasks = this.tasks.all.filter((task) => task.agentId === agentId);
    for (const task of tasks.filter(({ list }) => list === 'tasks' || list === 'unreachable')) {
      if (this.release.partitionAware) {
        const reason = 'REASON_AGENT_REMOVED_BY_OPERATOR';
        this.say(task, 'TASK_GONE_BY_OPERATOR', reason, 'Agent has been marked gone');
      } else {
        this.say(task, 'TASK_LOST', 'REASON_AGENT_REMOVED', 'Agent has been marked gone');
      }
    }
    this.announce(agentId, 'gone');
    agent.node.shutdown();
  }

  /** The registry forgets old gone agents; this one's id would be accepted again. */
  prune(agentId: string): void {
    if (this.#agents.get(agentId)?.state === 'gone') this.#agents.delete(agentId);
  }

  /** Another master is elected: it knows agents from the registry, and tasks from nobody yet. */
  failover(): void {
    for (const agent of this.agents.filter(({ state }) => state === 'registered')) {
      agent.state = 'recovered';
      agent.connected = false;
      for (const task of this.tasks.on(agent.agentId)) task.list = 'forgotten';
      this.expiry.calm(agent.agentId);
      this.expiry.unlessReregistered(agent);
      this.announce(agent.agentId, 'recovered');
      const delayMs = this.#ground.rng.fork(`reregister/${agent.agentId}`).int(1000, 5000);
      this.#ground.time.after(delayMs, () => {
        if (agent.state === 'recovered' && agent.node.answers === 'yes') {
          this.register(agent.node, false);
        }
      });
    }
    for (const agent of this.agents) agent.transition = undefined;
    this.#framework?.missedUpdate();
  }

  /** What explicit reconciliation answers; `undefined` while the master cannot know. */
  reconcile(taskId: string, agentId: string): TaskState | undefined {
    const task = this.tasks.of(taskId);
    if (task !== undefined && task.list !== 'forgotten') return task.state;
    const agent = this.#agents.get(agentId);
    switch (agent?.state) {
      case 'recovered':
        return undefined;
      case 'unreachable':
        return 'TASK_UNREACHABLE';
      case 'gone':
        return 'TASK_GONE_BY_OPERATOR';
      default:
        return this.release.partitionAware ? 'TASK_GONE' : 'TASK_LOST';
    }
  }

  offersChanged(): void {
    this.#framework?.offersChanged();
  }

  announce(agentId: string, state: string): void {
    const agent = this.#agents.get(agentId);
    if (agent === undefined) return;
    const { instanceId } = agent.node.spec;
    this.#ground.emit({ at: this.#ground.time.now(), kind: 'agent', agentId, instanceId, state });
  }

  #reregister(agent: AgentRecord): void {
    const { agentId, node, state } = agent;
    const wasUnreachable = state === 'unreachable';
    this.expiry.calm(agentId);
    agent.state = 'registered';
    agent.connected = true;
    agent.transition = undefined;
    agent.silentSince = undefined;
    agent.reregisteredAt = this.#ground.time.now();
    this.announce(agentId, 'registered');
    const alive = new Set(node.taskIds);
    node.forgetDeadTasks();
    for (const task of this.tasks.all.filter(
      (t) => t.agentId === agentId && t.list !== 'completed',
    )) {
      const missing = !alive.has(task.launch.taskId);
      if (missing) {
        task.list = 'tasks';
        const lost = this.release.partitionAware ? 'TASK_GONE' : 'TASK_FAILED';
        const message = 'Abnormal executor termination';
        this.say(task, lost, 'REASON_EXECUTOR_TERMINATED', message);
      } else if (task.list !== 'tasks') {
        task.list = 'tasks';
        if (!wasUnreachable) continue;
        // Spelt as Mesos spells it.
        const message = 'Unreachable agent re-reregistered';
        this.say(task, 'TASK_RUNNING', 'REASON_AGENT_REREGISTERED', message);
      }
    }
    this.#deliverKills(agent);
  }

  #deliverKills(agent: AgentRecord): void {
    const kills = this.#undeliveredKills.get(agent.agentId) ?? new Map();
    this.#undeliveredKills.delete(agent.agentId);
    for (const [taskId, reason] of kills) this.kill(taskId, reason);
  }

  #record(task: TaskRecord, update: StatusUpdate): void {
    this.tasks.record(task, update);
    const { taskId, agentId, state, message, at } = update;
    const { appId } = task.launch;
    const host = this.#agents.get(agentId)?.hostname ?? '';
    this.#ground.emit({ at, kind: 'task', appId, taskId, agentId, host, state, message });
    if (this.dropsUpdates) this.#framework?.missedUpdate();
    else this.#framework?.statusUpdate(update);
    if (!isTerminal(state)) return;
    this.#drained(agentId);
    this.offersChanged();
  }

  #drained(agentId: string): void {
    const agent = this.#agents.get(agentId);
    if (agent?.drain?.state !== 'DRAINING' || this.tasks.on(agentId).length > 0) return;
    agent.drain.state = 'DRAINED';
    this.announce(agentId, 'drained');
    if (agent.drain.markGone) this.gone(agent);
  }

  #unreachable(agent: AgentRecord): void {
    const { agentId, state, hostname } = agent;
    this.expiry.calm(agentId);
    agent.state = 'unreachable';
    agent.connected = false;
    if (state === 'recovered') this.#framework?.missedUpdate();
    for (const task of this.tasks.on(agentId)) {
      task.list = 'unreachable';
      const message = `Agent ${hostname} is unreachable: health check timed out`;
      this.say(task, 'TASK_UNREACHABLE', 'REASON_AGENT_REMOVED', message);
    }
    this.announce(agentId, 'unreachable');
  }
}
