import * as z from 'zod';
import { IncidentIdText, InstanceIdText } from './ids.ts';

/** Input and output of the functions that are not steps of the workflow. */

/** EventBridge hands over anything: parseEvent says what it is. */
export const IntakeInput = z.unknown();
export const IntakeOutput = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('ignored'), why: z.string() }),
  z.strictObject({
    kind: z.literal('admitted'),
    signals: z
      .array(
        z.discriminatedUnion('kind', [
          z.strictObject({
            kind: z.enum(['opened', 'joined', 'woken']),
            incidentId: z.string(),
          }),
          z.strictObject({
            kind: z.enum(['refused', 'idle']),
            instanceId: z.string(),
            why: z.string(),
          }),
        ]),
      )
      .readonly(),
  }),
  z.strictObject({ kind: z.literal('noted'), about: z.string(), says: z.string() }),
  z.strictObject({
    kind: z.literal('zoneShift'),
    zoneId: z.string(),
    away: z.boolean(),
    outcome: z.enum(['recorded', 'older']),
  }),
]);

/** A schedule or a person calls it; nothing is read from the input. */
export const SweepInput = z.unknown();
export const SweepOutput = z.strictObject({
  kind: z.literal('swept'),
  agents: z.int().min(0),
  resumed: z.array(IncidentIdText).readonly(),
  found: z.array(InstanceIdText).readonly(),
  blind: z.boolean(),
});

export const AdoptInput = z.unknown();
export const AdoptOutput = z.strictObject({
  kind: z.literal('adopted'),
  volumeIds: z.array(z.string()).readonly(),
  kept: z.array(z.string()).readonly(),
});

/** A phase event of the bus; only the key is believed. */
export const NotifyInput = z.looseObject({
  detail: z.looseObject({
    version: z.literal(1),
    incidentId: IncidentIdText,
    phase: z.string().exactOptional(),
  }),
});
export const NotifyOutput = z.strictObject({ kind: z.enum(['posted', 'updated', 'silent']) });
