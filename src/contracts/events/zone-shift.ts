import * as z from 'zod';
import { problemOf } from '../problem.ts';
import { type EventParser, occurrence, quote, refused, Text } from './event.ts';

const Shift = z.object({ metadata: z.object({ awayFrom: Text }) });
const Resources = z.array(z.string());

/** An id such as `use1-az2` or, of a local zone, `usw2-lax1-az1`; the name differs by account. */
const zoneId = /^[a-z0-9]+(?:-[a-z0-9]+)*-az\d+$/;

/** Whether the traffic leaves, and which of several shifts of the zone it is that does. */
const shifts: ReadonlyMap<string, { readonly away: boolean; readonly by: string }> = new Map([
  ['Autoshift In Progress', { away: true, by: 'autoshift' }],
  ['Autoshift Completed', { away: false, by: 'autoshift' }],
  ['FIS Experiment Autoshift In Progress', { away: true, by: 'experiment' }],
  ['FIS Experiment Autoshift Completed', { away: false, by: 'experiment' }],
  ['FIS Experiment Autoshift Canceled', { away: false, by: 'experiment' }],
  ['Manual Shift Started', { away: true, by: 'manual' }],
  ['Manual Shift Updated', { away: true, by: 'manual' }],
  ['Manual Shift Canceled', { away: false, by: 'manual' }],
]);

/** The detail-types that say something of a zone; practice runs do not. */
export const zoneShiftTypes: readonly string[] = [...shifts.keys()];

/** Where the names of resources differ: it becomes part of a key and must not grow without end. */
const resourceLength = 64;

/**
 * Events of ARC zonal shift and autoshift. `awayFrom` is a zone's id. AWS shifts a zone as a whole,
 * a person shifts one resource at a time and may take one of two back.
 */
export const parseZoneShift: EventParser = (event, context) => {
  const { 'detail-type': detailType, resources } = event;
  const parsed = Shift.safeParse(event.detail);
  if (!parsed.success) return refused(`malformed zonal shift: ${problemOf(parsed.error)}`);
  const { awayFrom } = parsed.data.metadata;
  if (!zoneId.test(awayFrom)) return refused(`${quote(awayFrom)} is no id of a zone`);
  const shift = shifts.get(detailType);
  if (shift === undefined) return refused(`${quote(detailType)} is no zonal shift we know`);
  const { away, by } = shift;
  const [resource = 'unnamed'] = Resources.safeParse(resources).data ?? [];
  const which = by === 'manual' ? `manual ${resource.slice(-resourceLength)}` : by;
  return {
    kind: 'zone-shift',
    shift: {
      key: `${awayFrom} ${which}`,
      zoneId: awayFrom,
      away,
      at: occurrence(event, context).occurredAt ?? context.receivedAt,
      says: `${detailType}: traffic ${away ? 'is moved away from' : 'may return to'} ${awayFrom}`,
    },
  };
};
