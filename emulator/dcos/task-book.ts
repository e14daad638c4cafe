import { isTerminal, type StatusUpdate, type TaskLaunch, type TaskState } from './model.ts';

/** Older statuses of a task are of no interest to anyone. */
const STATUSES_MAX = 10;
const COMPLETED_TASKS_MAX = 1000;

/** A task as the master sees it; `forgotten` after a failover, until its agent reports it. */
export interface TaskRecord {
  launch: TaskLaunch;
  agentId: string;
  state: TaskState;
  statuses: StatusUpdate[];
  list: 'tasks' | 'unreachable' | 'completed' | 'forgotten';
}

/** The master's tasks, in the order they were launched. */
export class TaskBook {
  readonly #tasks = new Map<string, TaskRecord>();

  get all(): TaskRecord[] {
    return [...this.#tasks.values()];
  }

  of(taskId: string): TaskRecord | undefined {
    return this.#tasks.get(taskId);
  }

  /** Those the agent is believed to run. */
  on(agentId: string): TaskRecord[] {
    return this.all.filter((task) => task.agentId === agentId && task.list === 'tasks');
  }

  add(agentId: string, launch: TaskLaunch): void {
    const state = 'TASK_STAGING';
    this.#tasks.set(launch.taskId, { launch, agentId, state, statuses: [], list: 'tasks' });
  }

  record(task: TaskRecord, update: StatusUpdate): void {
    task.state = update.state;
    task.statuses = [...task.statuses, update].slice(-STATUSES_MAX);
    if (!isTerminal(update.state)) return;
    task.list = 'completed';
    const completed = this.all.filter(({ list }) => list === 'completed');
    for (const { launch } of completed.slice(0, -COMPLETED_TASKS_MAX)) {
      this.#tasks.delete(launch.taskId);
    }
  }
}
