import type { VirtualTime } from '../core/virtual-time.ts';
import type { MemoryHooks } from '../services/dynamodb/memory-engine.ts';
import type { World } from '../world.ts';
import type { Failure, GivenEvent } from './given-event.ts';
import type { Play, SceneName } from './plays.ts';
import type { Stage } from './stage.ts';
import type { Line } from './story.ts';

export interface SceneOptions {
  scene: SceneName;
  seed: number;
  /** A document somebody has at hand: decides account, region, instance, time and failure. */
  event?: GivenEvent;
  /** A Marathon app instead of the catalog's MySQL. */
  app?: object;
  dcosVersion?: string;
  /** In a scene where many fail together, how many. */
  agents?: number;
  /** Leave DC/OS and EC2 alone with the failure. */
  without?: boolean;
  /** Every function starts cold when the signal comes. */
  cold?: boolean;
  /** Tables in plain memory, with these hooks, instead of dynalite's. */
  tables?: MemoryHooks;
  tell?: (line: Line) => void;
  /** Awaited before each jump in time, with the milliseconds about to pass. */
  pace?: (untilMs: number) => Promise<void> | void;
  /** Last chance to change the world before time runs: a test breaks it here. */
  prepare?: (world: World, stage: Stage) => void;
}

/** What one run remembers while it goes. */
export interface Run {
  time: VirtualTime;
  world: World;
  stage: Stage;
  options: SceneOptions;
  failure: Failure | undefined;
  /** Undefined where an event decides what happens. */
  play: Play | undefined;
  failedAt: number;
  healthyAt: number | undefined;
  failedLaunches: number[];
  rowsBefore: number;
}

/** One of those that failed. */
export const isOf = ({ app, crowd }: Stage, appId: string): boolean =>
  appId === app.id || crowd.some((one) => one.appId === appId);

/** It runs, and not on the machine that failed under it. */
export const isBack = ({ world, stage }: Run, appId: string): boolean => {
  const home = stage.crowd.find((one) => one.appId === appId)?.instanceId;
  return world.dcos
    .truth()
    .tasks.some(
      (task) =>
        task.appId === appId &&
        task.state === 'TASK_RUNNING' &&
        task.healthy !== false &&
        task.instanceId !== home,
    );
};
