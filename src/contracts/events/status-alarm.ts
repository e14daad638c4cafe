import * as z from 'zod';
import { type InstanceId, isInstanceId } from '../../domain/ids.ts';
import { problemOf } from '../problem.ts';
import {
  type EventParser,
  ignored,
  occurrence,
  type ParsedEvent,
  quote,
  refused,
  Text,
} from './event.ts';

const AlarmChange = z.object({
  alarmName: Text,
  state: z.object({ value: Text, timestamp: Text }),
  /** Present while an alarm mute rule covers the alarm. */
  muteDetail: z.unknown().optional(),
  configuration: z
    .object({
      /** Composite alarms have a rule instead of metrics. */
      alarmRule: z.unknown().optional(),
      metrics: z.array(z.unknown()).optional(),
    })
    .optional(),
});
type AlarmChange = z.infer<typeof AlarmChange>;

/** A metric of its own; the expressions of a math alarm have no `metricStat`. */
const WatchedMetric = z.object({
  metricStat: z.object({
    metric: z.object({
      namespace: z.string(),
      name: z.string(),
      dimensions: z.record(z.string(), z.string()).optional(),
    }),
  }),
});

const checks: ReadonlyMap<string, string> = new Map([
  ['StatusCheckFailed', 'a status check'],
  ['StatusCheckFailed_System', 'the system status check'],
  ['StatusCheckFailed_Instance', 'the instance status check'],
  ['StatusCheckFailed_AttachedEBS', 'the attached EBS status check'],
]);

/** Which check of which instance the alarm watches, wherever in the list of metrics it stands. */
const watched = (alarm: AlarmChange): Map<InstanceId, string> | ParsedEvent => {
  const { alarmName, configuration } = alarm;
  if (configuration?.alarmRule !== undefined) {
    return refused(`alarm ${quote(alarmName)} is a composite alarm, which names no instance`);
  }
  const found = new Map<InstanceId, string>();
  for (const entry of configuration?.metrics ?? []) {
    const metric = WatchedMetric.safeParse(entry).data?.metricStat.metric;
    const check = metric?.namespace === 'AWS/EC2' ? checks.get(metric.name) : undefined;
    const instanceId = metric?.dimensions?.InstanceId;
    if (check === undefined || instanceId === undefined) continue;
    if (!isInstanceId(instanceId)) return refused(`${quote(instanceId)} is no instance id`);
    found.set(instanceId, check);
  }
  if (found.size > 0) return found;
  return refused(`alarm ${quote(alarmName)} watches no EC2 status check of a single instance`);
};

/** What each state means; `says` follows the name of the alarm. */
const states: ReadonlyMap<
  string,
  { readonly kind: 'signals' | 'wake-ups'; says(instanceId: InstanceId, check: string): string }
> = new Map([
  ['ALARM', { kind: 'signals', says: (id, check) => `reports that ${id} fails ${check}` }],
  // The metrics of a machine that stops vanish; so do those of one that CloudWatch lost.
  [
    'INSUFFICIENT_DATA',
    { kind: 'wake-ups', says: (id, check) => `hears no more of ${check} of ${id}` },
  ],
]);

/**
 * `CloudWatch Alarm State Change`. `reason` and `reasonData` are texts for people and never read.
 * The key is the alarm and the moment of its state change, so that a repeated notification of the
 * same change is the same signal. The only events here that AWS delivers for sure.
 */
export const parseStatusAlarm: EventParser = (event, context) => {
  const parsed = AlarmChange.safeParse(event.detail);
  if (!parsed.success) return refused(`malformed alarm state change: ${problemOf(parsed.error)}`);
  const alarm = parsed.data;
  const { value, timestamp } = alarm.state;
  const name = quote(alarm.alarmName);
  if (value === 'OK') return ignored(`alarm ${name} is OK, which is no failure`);
  const state = states.get(value);
  if (state === undefined) return refused(`${quote(value)} is no alarm state we know`);
  if (alarm.muteDetail !== undefined) return ignored(`alarm ${name} is muted by a mute rule`);
  const instances = watched(alarm);
  if ('kind' in instances) {
    return value === 'ALARM' ? instances : ignored(`alarm ${name} is ${value} and names nobody`);
  }
  return {
    kind: state.kind,
    signals: [...instances].map(([instanceId, check]) => ({
      key: `alarm:${alarm.alarmName}:${timestamp}:${instanceId}`,
      source: 'status-alarm',
      instanceId,
      says: `CloudWatch alarm ${name} ${state.says(instanceId, check)}`,
      receivedAt: context.receivedAt,
      ...occurrence(event, context),
    })),
  };
};
