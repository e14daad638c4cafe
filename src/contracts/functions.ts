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
  z.strictObject({ kind: z.literal('stopped'), incidentId: z.string() }),
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
  returned: z.array(InstanceIdText).readonly(),
  odd: z.array(z.string()).readonly(),
  blind: z.boolean(),
});

export const AdoptInput = z.unknown();
export const AdoptOutput = z.strictObject({
  kind: z.literal('adopted'),
  volumeIds: z.array(z.string()).readonly(),
  kept: z.array(z.string()).readonly(),
});

/** A person's request, with a name and a reason: both are kept with what is done. */
export const UnfenceInput = z.strictObject({
  instanceId: InstanceIdText,
  requestedBy: z.string().trim().min(1),
  reason: z.string().trim().min(1),
});
export const UnfenceOutput = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('unfenced'),
    instanceId: InstanceIdText,
    agentIds: z.array(z.string()).readonly(),
    says: z.string(),
  }),
  z.strictObject({
    kind: z.literal('refused'),
    instanceId: InstanceIdText,
    why: z.array(z.string()).min(1).readonly(),
  }),
]);

/** A phase event of the bus; only the key is believed. */
export const NotifyInput = z.looseObject({
  detail: z.looseObject({
    version: z.literal(1),
    incidentId: IncidentIdText,
    phase: z.string().exactOptional(),
  }),
});
export const NotifyOutput = z.strictObject({ kind: z.enum(['posted', 'updated', 'silent']) });

/** A batch of a queue, as Lambda's event source mapping hands it over. */
export const RedeliverInput = z.looseObject({
  Records: z.array(z.looseObject({ messageId: z.string(), body: z.string() })).readonly(),
});
/** Those that stay in the queue; Lambda deletes the others. */
export const RedeliverOutput = z.strictObject({
  batchItemFailures: z.array(z.strictObject({ itemIdentifier: z.string() })).readonly(),
});

const json = z.string().transform((text, context): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    context.addIssue('is no JSON');
    return z.NEVER;
  }
});
/** EventBridge parks the event itself, Lambda a document around it. */
const ParkedNotice = json.pipe(
  z.union([
    z
      .looseObject({ requestPayload: NotifyInput })
      .transform(({ requestPayload }) => requestPayload.detail),
    NotifyInput.transform(({ detail }) => detail),
  ]),
);

/** What a parked notification is about; undefined for what cannot be read. */
export const parkedNews = (body: string): z.infer<typeof NotifyInput>['detail'] | undefined =>
  ParkedNotice.safeParse(body).data;
