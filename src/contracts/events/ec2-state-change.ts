import * as z from 'zod';
import { isInstanceId } from '../../domain/ids.ts';
import { problemOf } from '../problem.ts';
import { type EventParser, ignored, occurrence, quote, refused, Text } from './event.ts';

/** The event carries neither a reason nor the previous state: both have to be read from EC2. */
const StateChange = z.object({ 'instance-id': Text, state: Text });

const failing: ReadonlyMap<string, string> = new Map([
  ['stopping', 'is stopping'],
  ['stopped', 'has stopped'],
  ['shutting-down', 'is being terminated'],
  ['terminated', 'is terminated'],
]);
const working: ReadonlySet<string> = new Set(['pending', 'running']);

/**
 * `EC2 Instance State-change Notification`. A duplicated delivery carries the same event id, while
 * the same state can come twice in an instance's life: the event id is the key.
 */
export const parseEc2StateChange: EventParser = (event, context) => {
  const parsed = StateChange.safeParse(event.detail);
  if (!parsed.success) return refused(`malformed EC2 state change: ${problemOf(parsed.error)}`);
  const { 'instance-id': instanceId, state } = parsed.data;
  if (!isInstanceId(instanceId)) return refused(`${quote(instanceId)} is no instance id`);
  if (working.has(state)) return ignored(`${instanceId} is ${state}, which is no failure`);
  const what = failing.get(state);
  if (what === undefined) return refused(`${quote(state)} is no instance state we know`);
  return {
    kind: 'signals',
    signals: [
      {
        key: `ec2:${event.id}`,
        source: 'ec2-state',
        instanceId,
        says: `EC2 reports that ${instanceId} ${what}`,
        receivedAt: context.receivedAt,
        ...occurrence(event, context),
      },
    ],
  };
};
