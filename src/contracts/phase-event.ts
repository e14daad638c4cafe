import * as z from 'zod';
import { IncidentIdText, InstanceIdText } from './ids.ts';

/**
 * What the service puts on its event bus, version 1, for whoever subscribes; docs/events.md explains
 * each. Fields may be added within a version; one that is renamed, removed or means something else is a
 * new version under a new detail type.
 */
const phases = [
  'assessed',
  'protected',
  'fenced',
  'released',
  'handed-off',
  'recovered',
  'cancelled',
  'held',
  'approval-requested',
  'approved',
  'denied',
  'failed',
  'storm',
] as const;

const PhaseEventDetail = z.strictObject({
  version: z.literal(1),
  phase: z.enum(phases),
  /** Epoch milliseconds. */
  at: z.int().min(0),
  incidentId: IncidentIdText,
  cluster: z.string().min(1),
  instanceId: InstanceIdText,
  status: z.enum(['open', 'held', 'recovered', 'cancelled']),
  token: z.int().min(1),
  executionName: z.string().min(1),
  verdict: z
    .strictObject({ kind: z.string(), why: z.array(z.string()).readonly() })
    .exactOptional(),
  fence: z
    .strictObject({ method: z.string(), strength: z.enum(['strong', 'weak']) })
    .exactOptional(),
  approval: z
    .strictObject({
      id: z.string(),
      status: z.enum(['pending', 'approved', 'denied', 'withdrawn']),
    })
    .exactOptional(),
  hold: z.strictObject({ reason: z.string(), says: z.string() }).exactOptional(),
  apps: z.array(z.string()).readonly().exactOptional(),
  volumes: z
    .array(z.strictObject({ volumeId: z.string(), name: z.string() }))
    .readonly()
    .exactOptional(),
});

/** The whole event as EventBridge delivers it; AWS may add to the envelope. */
export const PhaseEvent = z.looseObject({
  source: z.literal('ebs-failover'),
  'detail-type': z.literal('Failover Phase'),
  account: z.string().regex(/^\d{12}$/),
  region: z.string().min(1),
  time: z.iso.datetime(),
  detail: PhaseEventDetail,
});
export type PhaseEvent = z.infer<typeof PhaseEvent>;
