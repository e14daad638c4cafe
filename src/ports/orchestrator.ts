import type { AgentId } from '../domain/ids.ts';
import type { App, DcosCapabilities, MesosAgent, Task } from '../domain/service.ts';

export type MarkGoneAnswer =
  /** 200: accepted, or it was gone already. */
  | 'accepted'
  /** 503: in transition; ask again. */
  | 'in-transition'
  /** 404: the master does not know it. */
  | 'unknown-agent';

export type DrainAnswer =
  | 'accepted'
  /** This Mesos, or this agent, cannot: deactivate it and kill its tasks. */
  | 'unsupported'
  | 'unknown-agent';

/** A task's place in Marathon's launch queue. */
export interface QueuedApp {
  readonly appId: string;
  /** Marathon backs off for this long before it looks for offers; 0 when it waits for offers. */
  readonly delayMs: number;
}

/**
 * The container scheduler. Throws OrchestratorUnavailableError where there was no usable answer
 * and OrchestratorRefusedError where repeating would not help.
 */
export interface Orchestrator {
  capabilities(): Promise<DcosCapabilities>;
  /** Registered and recovered agents; unreachable and gone ones are not listed. */
  agents(): Promise<MesosAgent[]>;
  /**
   * True if the agent itself answers through Admin Router within `timeoutMs`. Never throws; false
   * as soon as `signal` aborts.
   */
  probe(agentId: AgentId, timeoutMs: number, signal?: AbortSignal): Promise<boolean>;
  apps(): Promise<App[]>;
  tasks(): Promise<Task[]>;
  tasksOf(appId: string): Promise<Task[]>;
  queue(): Promise<QueuedApp[]>;
  /** Stops offers from the agent; `false` where this DC/OS or this agent knows no such thing. */
  deactivate(agentId: AgentId): Promise<boolean>;
  reactivate(agentId: AgentId): Promise<boolean>;
  /** Stops offers, and ends every task on the agent, each within `graceMs`. */
  drain(agentId: AgentId, graceMs: number): Promise<DrainAnswer>;
  /**
   * Lets Marathon end the task, with the grace its app gives it, and start another. Never wipes,
   * never scales. Nothing happens unless the task is there now, under its full id and on its agent:
   * Marathon's delete ignores the incarnation. Answers whether it was.
   */
  killTask(task: Task): Promise<boolean>;
  markGone(agentId: AgentId): Promise<MarkGoneAnswer>;
  /** Asks Marathon to look for offers at once; fine if nothing is queued. */
  clearLaunchDelay(appId: string): Promise<void>;
  /**
   * Lets Marathon replace a task that Mesos has already called unreachable. Never wipes, never
   * scales. `agentId` must still be the task's: Marathon's delete ignores the incarnation.
   */
  replaceUnreachableTask(task: Task): Promise<void>;
}
