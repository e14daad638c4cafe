import type { Durations } from '../core/durations.ts';
import type { Machines } from '../core/machines.ts';
import type { Rng } from '../core/random.ts';
import type { Time } from '../core/time.ts';

export type TaskState =
  | 'TASK_STAGING'
  | 'TASK_STARTING'
  | 'TASK_RUNNING'
  | 'TASK_KILLING'
  | 'TASK_FINISHED'
  | 'TASK_FAILED'
  | 'TASK_KILLED'
  | 'TASK_LOST'
  | 'TASK_UNREACHABLE'
  | 'TASK_GONE'
  | 'TASK_GONE_BY_OPERATOR';

/** What the master knows of an agent. A `removed` or `gone` one never comes back under its id. */
export type AgentState = 'registered' | 'recovered' | 'unreachable' | 'gone' | 'removed';

/** A Mesos task status, in the v1 vocabulary (`REASON_AGENT_*`). */
export interface StatusUpdate {
  taskId: string;
  agentId: string;
  state: TaskState;
  source: 'SOURCE_MASTER' | 'SOURCE_AGENT' | 'SOURCE_EXECUTOR';
  reason?: string;
  message: string;
  /** Epoch ms. */
  at: number;
}

/** What an agent is asked to run. */
export interface TaskLaunch {
  taskId: string;
  /** Absolute Marathon app id. */
  appId: string;
  cpus: number;
  mem: number;
  ports: number[];
  /** Names of the external volumes to mount before the task runs. */
  volumeNames: string[];
  volumeSizeGiB: number;
}

/** An agent as an operator installs it; it announces its private IP as its hostname. */
export interface AgentSpec {
  instanceId: string;
  cpus?: number;
  /** MiB. */
  mem?: number;
  attributes?: Record<string, string>;
  role?: '*' | 'slave_public';
  /** From power-on to registration. Left out: at once when added, 30 s after a later restart. */
  bootMs?: number;
}

/** A change worth a line in a timeline. */
export type Change =
  | { at: number; kind: 'agent'; agentId: string; instanceId: string; state: string }
  | {
      at: number;
      kind: 'task';
      appId: string;
      taskId: string;
      agentId: string;
      host: string;
      state: TaskState;
      message: string;
    }
  | { at: number; kind: 'healthy'; appId: string; taskId: string; host: string };

export interface TraceLine {
  at: number;
  source: string;
  text: string;
  data?: object;
}

/** The machines below, as far as DC/OS may see and change them. */
export type Hardware = Machines & { setMounted?(volumeId: string, mounted: boolean): void };

/** What every part of the emulated DC/OS is given. */
export interface Ground {
  time: Time;
  rng: Rng;
  machines: Hardware;
  durations: Durations;
  emit(change: Change): void;
  trace(source: string, text: string, data?: object): void;
}

export const isTerminal = (state: TaskState): boolean =>
  [
    'TASK_FINISHED',
    'TASK_FAILED',
    'TASK_KILLED',
    'TASK_LOST',
    'TASK_GONE',
    'TASK_GONE_BY_OPERATOR',
  ].includes(state);

/** 32 hex digits, written as a UUID. */
export const uuidOf = (hex: string): string =>
  hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
