import * as z from 'zod';
import type { EpochMs } from '../../domain/ids.ts';
import { isInstanceId } from '../../domain/ids.ts';
import type { Notice } from '../../domain/incident.ts';
import { isRecent } from '../../domain/recent.ts';
import { problemOf } from '../problem.ts';
import { type EventParser, occurrence, quote, refused, Text } from './event.ts';

const Warning = z.object({ 'instance-id': Text, 'instance-action': Text });

/** How long after the warning it happens; hibernation begins with it (EC2 user guide). */
const leadMs: ReadonlyMap<string, number> = new Map([
  ['terminate', 120_000],
  ['stop', 120_000],
  ['hibernate', 0],
]);

/**
 * Rules deliver nothing older than ten minutes. What comes later all the same was handed over again
 * by somebody: the machine is gone by now, or runs again, and nothing is planned for it.
 */
const freshMs = 600_000;

/**
 * `EC2 Spot Instance Interruption Warning`. Its `resources` carry a zone where the region belongs
 * and no account, so only `detail` is read. Best effort: it may come late, or not at all.
 */
export const parseSpotWarning: EventParser = (event, context) => {
  const parsed = Warning.safeParse(event.detail);
  if (!parsed.success) return refused(`malformed Spot warning: ${problemOf(parsed.error)}`);
  const { 'instance-id': instanceId, 'instance-action': action } = parsed.data;
  if (!isInstanceId(instanceId)) return refused(`${quote(instanceId)} is no instance id`);
  const lead = leadMs.get(action);
  if (lead === undefined) return refused(`${quote(action)} is no Spot interruption we know`);
  const { receivedAt } = context;
  // Without a time of its own it cannot have been sent after it came.
  const { occurredAt = receivedAt } = occurrence(event, context);
  const isFresh = isRecent(occurredAt, receivedAt, freshMs);
  const notice: Notice = {
    kind: 'interrupted',
    action: action as Notice['action'],
    deadline: (occurredAt + lead) as EpochMs,
  };
  return {
    kind: 'signals',
    signals: [
      {
        key: `spot:${event.id}`,
        source: 'spot',
        instanceId,
        says: `EC2 warned that it will ${action} the Spot instance ${instanceId}`,
        receivedAt,
        ...occurrence(event, context),
        ...(isFresh && { notice }),
      },
    ],
  };
};
