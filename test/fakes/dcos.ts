import type { AgentId } from '../../src/domain/ids.ts';
import type { App, DcosCapabilities, MesosAgent, Task } from '../../src/domain/service.ts';
import type {
  DrainAnswer,
  MarkGoneAnswer,
  Orchestrator,
  QueuedApp,
} from '../../src/ports/orchestrator.ts';
import type { CallBook } from './call-book.ts';

/** Mesos and Marathon as far as the use cases see them. */
export class FakeDcos implements Orchestrator {
  dcos: DcosCapabilities;
  listed: MesosAgent[] = [];
  allApps: App[] = [];
  allTasks: Task[] = [];
  queued: QueuedApp[] = [];
  /** Agents that do not answer probes. */
  readonly silent = new Set<AgentId>();
  /** Answers to the next MARK_AGENT_GONE; then it works. */
  readonly goneAnswers: MarkGoneAnswer[] = [];
  /** Answers to the next DRAIN_AGENT; then it works. */
  readonly drainAnswers: DrainAnswer[] = [];
  /** What becomes of a task that is told to end; by default it ends at once. */
  end: (task: Task) => void = (task) => this.ended(task);
  /** What Marathon does when it looks for an offer at once. */
  launch: (appId: string) => void = () => undefined;
  readonly #book: CallBook;

  constructor(book: CallBook, dcos: DcosCapabilities) {
    this.#book = book;
    this.dcos = dcos;
  }

  capabilities(): Promise<DcosCapabilities> {
    return this.#book.read('capabilities', () => this.dcos);
  }

  agents(): Promise<MesosAgent[]> {
    return this.#book.read('agents', () => [...this.listed]);
  }

  async probe(agentId: AgentId): Promise<boolean> {
    return !this.silent.has(agentId);
  }

  apps(): Promise<App[]> {
    return this.#book.read('apps', () => [...this.allApps]);
  }

  tasks(): Promise<Task[]> {
    return this.#book.read('tasks', () => [...this.allTasks]);
  }

  tasksOf(appId: string): Promise<Task[]> {
    return this.#book.read('tasks', () => this.allTasks.filter((task) => task.appId === appId));
  }

  queue(): Promise<QueuedApp[]> {
    return this.#book.read('queue', () => [...this.queued]);
  }

  deactivate(agentId: AgentId): Promise<boolean> {
    return this.#book.make('DEACTIVATE_AGENT', agentId, {}, () => {
      this.#setAgent(agentId, { deactivated: true });
      return this.dcos.deactivateAgent;
    });
  }

  reactivate(agentId: AgentId): Promise<boolean> {
    return this.#book.make('REACTIVATE_AGENT', agentId, {}, () => {
      this.#setAgent(agentId, { deactivated: false });
      return true;
    });
  }

  markGone(agentId: AgentId): Promise<MarkGoneAnswer> {
    return this.#book.make('MARK_AGENT_GONE', agentId, {}, () => {
      const scripted = this.goneAnswers.shift();
      if (scripted !== undefined) return scripted;
      const lost = this.allTasks.filter((task) => task.agentId === agentId);
      this.listed = this.listed.filter((agent) => agent.agentId !== agentId);
      this.allTasks = this.allTasks.filter((task) => task.agentId !== agentId);
      for (const { appId } of lost) this.queued.push({ appId, delayMs: 10_000 });
      return 'accepted';
    });
  }

  clearLaunchDelay(appId: string): Promise<void> {
    return this.#book.make('DELETE /v2/queue/delay', appId, {}, () => {
      this.queued = this.queued.map((entry) =>
        entry.appId === appId ? { appId, delayMs: 0 } : entry,
      );
      this.launch(appId);
    });
  }

  replaceUnreachableTask(task: Task): Promise<void> {
    return this.#book.make('DELETE /v2/apps/tasks', task.id, {}, () => {
      this.allTasks = this.allTasks.filter((each) => each.id !== task.id);
      this.launch(task.appId);
    });
  }

  drain(agentId: AgentId, graceMs: number): Promise<DrainAnswer> {
    return this.#book.make('DRAIN_AGENT', agentId, { graceMs }, () => {
      const scripted = this.drainAnswers.shift();
      if (scripted !== undefined) return scripted;
      this.#setAgent(agentId, { deactivated: true });
      for (const task of this.allTasks) if (task.agentId === agentId) this.end(task);
      return 'accepted';
    });
  }

  killTask(task: Task): Promise<boolean> {
    return this.#book.make('DELETE /v2/apps/tasks', task.id, {}, () => {
      const isThere = this.allTasks.some(({ id }) => id === task.id);
      if (isThere) this.end(task);
      return isThere;
    });
  }

  /** It is over, and Marathon wants another one. */
  ended(task: Task): void {
    this.allTasks = this.allTasks.filter(({ id }) => id !== task.id);
    this.queued.push({ appId: task.appId, delayMs: 0 });
    this.launch(task.appId);
  }

  #setAgent(agentId: AgentId, change: Partial<MesosAgent>): void {
    this.listed = this.listed.map((a) => (a.agentId === agentId ? { ...a, ...change } : a));
  }
}
