import type { App } from './app-definition.ts';
import type { Offer, RejectReason } from './matching.ts';

export type Condition =
  | 'Scheduled'
  | 'Provisioned'
  | 'Starting'
  | 'Running'
  | 'Killing'
  | 'Unreachable'
  | 'UnreachableInactive';

/** One wanted copy of an app and, unless it waits for an offer, its task. */
export interface Instance {
  uuid: string;
  incarnation: number;
  app: App;
  condition: Condition;
  /** Ends with its task instead of being replaced. */
  stopping: boolean;
  task: RunningTask | undefined;
  /** Epoch ms of the first passed health check; `undefined` before, or without health checks. */
  healthyAt: number | undefined;
  /** Waiting for an offer since, and not offered anything before (epoch ms). */
  since: number;
  offerAt: number;
  unreachableSince: number | undefined;
  /** Local persistent volumes pin the instance to this agent. */
  reservedOn: string | undefined;
  unused: { at: number; count: number; reasons: Map<RejectReason, number> };
}

export interface RunningTask {
  id: string;
  agentId: string;
  offer: Offer;
  ports: number[];
  stagedAt: number;
  startedAt: number | undefined;
}

/** A copy of the app that waits for an offer. */
export const newInstance = (app: App, uuid: string): Instance => ({
  uuid,
  incarnation: 1,
  app,
  condition: 'Scheduled',
  stopping: false,
  task: undefined,
  healthyAt: undefined,
  since: 0,
  offerAt: 0,
  unreachableSince: undefined,
  reservedOn: undefined,
  unused: { at: 0, count: 0, reasons: new Map() },
});
