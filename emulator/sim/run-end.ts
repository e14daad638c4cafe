import type { World } from '../world.ts';
import type { Checker } from './checker.ts';
import type { Plan } from './plan.ts';
import type { IncidentSeen } from './record.ts';
import type { SimStage } from './stage.ts';

/** What is judged when a run is over. */
export interface RunEnd {
  plan: Plan;
  world: Pick<World, 'dcos' | 'durations' | 'infra' | 'slack' | 'sqs' | 'states' | 'time'>;
  stage: SimStage;
  checker: Pick<Checker, 'memory'>;
  /** When the failure began, epoch ms. */
  failedAt: number;
}

export const incidentsOf = ({ checker }: RunEnd): IncidentSeen[] => [
  ...checker.memory.incidents.values(),
];

/** A promise that was broken over the whole run. */
export interface LateFinding {
  invariant: string;
  says: string;
}
