import * as z from 'zod';
import type { EpochMs } from '../domain/ids.ts';
import type { OrderAction } from '../domain/order.ts';
import { IncidentIdText, InstanceIdText } from './ids.ts';
import { HoldReasonText } from './steps.ts';

/** What operators ask of the function Operate, and what it answers. */

const text = (what: string, max: number) =>
  z
    .string({ error: `must be ${what}` })
    .trim()
    .min(1, `must be ${what}`)
    .max(max, `must be ${what} of at most ${max} characters`);

/** ISO 8601 with its offset: a time without one means another hour to everybody. */
const moment = z.iso
  .datetime({ offset: true, error: 'must be a time such as 2026-11-30T18:00:00Z' })
  .transform((said) => Date.parse(said) as EpochMs);

const said = {
  /** Who asks: a person, by a name that others know. */
  by: text('who asks', 200),
  reason: text('the reason', 500),
};
const incidentId = IncidentIdText;
const approvalId = z
  .string({ error: 'must be the id of the approval' })
  .regex(/^[\w.-]{1,80}$/, 'must be the id of the approval');

const one = <const Action extends OrderAction, Shape extends z.ZodRawShape>(
  action: Action,
  shape: Shape,
) => z.strictObject({ action: z.literal(action), ...said, ...shape });

export const OperateInput = z.discriminatedUnion(
  'action',
  [
    one('approve', { incidentId, approvalId }),
    one('deny', { incidentId, approvalId }),
    one('hold', { incidentId }),
    one('resume', { incidentId }),
    /** `hold`: the reason that is waved through; absent: what holds it now. */
    one('acknowledge', { incidentId, hold: HoldReasonText.exactOptional() }),
    one('acknowledge-storm', { until: moment }),
    one('pause', { until: moment.exactOptional() }),
    one('unpause', {}),
    one('begin-maintenance', { instanceId: InstanceIdText, until: moment }),
    one('end-maintenance', { instanceId: InstanceIdText }),
  ],
  {
    error:
      'action must be approve, deny, hold, resume, acknowledge, acknowledge-storm, pause, ' +
      'unpause, begin-maintenance or end-maintenance',
  },
);
/** As it is written by whoever asks. */
export type OperateRequest = z.input<typeof OperateInput>;

/** `unchanged`: it was so already; `refused`: nothing was done, and `says` tells why. */
export const OperateOutput = z.strictObject({
  kind: z.enum(['done', 'unchanged', 'refused']),
  says: z.string().min(1),
  /** The execution that was started for the incident, if one was. */
  execution: z.string().min(1).exactOptional(),
});
export type OperateAnswer = z.infer<typeof OperateOutput>;
