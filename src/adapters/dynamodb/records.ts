import * as z from 'zod';
import { incidentIdOf, rehearsalIdOf } from '../../domain/ids.ts';
import { orderActions } from '../../domain/order.ts';
import type { Ownership } from '../../domain/ownership.ts';
import { shiftedZonesOf } from '../../domain/zone-shift.ts';
import * as facet from './facets.ts';

/**
 * The version of the item shapes below. Field names are the domain's. Attributes that a shape does
 * not name are ignored on reading, so people may add notes and newer code optional fields; a
 * change that this code must not read past raises the number.
 */
export const schemaVersion = 1;

/** More signals than this add nothing to an incident but size; later ones are only counted. */
export const signalsMax = 50;

/** In every item. */
export const schema = z.literal(schemaVersion);

/** The gate of an instance: whether an incident is open, and how many there have been. */
export const gateRecord = z.object({
  schema,
  n: facet.counter,
  incidentId: facet.incidentId.exactOptional(),
});

/** Signals are a map by key, so that one condition keeps duplicates out; order is by arrival. */
const signals = z
  .record(z.string(), facet.signal)
  .transform((byKey) =>
    Object.values(byKey).sort(
      (a, b) => a.receivedAt - b.receivedAt || (a.key < b.key ? -1 : a.key > b.key ? 1 : 0),
    ),
  );

export const incidentRecord = z
  .object({
    schema,
    id: facet.incidentId,
    cluster: z.string().min(1),
    instanceId: facet.instanceId,
    n: z.int().positive(),
    status: z.enum(['open', 'held', 'recovered', 'cancelled']),
    token: z.int().positive(),
    seq: facet.counter,
    executionName: z.string().min(1),
    executionArn: z.string().min(1).exactOptional(),
    openedAt: facet.epochMs,
    updatedAt: facet.epochMs,
    signals,
    verdict: facet.verdict.exactOptional(),
    facts: facet.facts.exactOptional(),
    protection: facet.protection.exactOptional(),
    fence: facet.fence.exactOptional(),
    placement: facet.placement.exactOptional(),
    handOff: facet.handOff.exactOptional(),
    recovery: facet.recovery.exactOptional(),
    quarantine: facet.quarantinedRun.exactOptional(),
    hold: facet.hold.exactOptional(),
    approval: facet.approval.exactOptional(),
    operatorHold: facet.operatorHold.exactOptional(),
    acknowledged: z.array(facet.holdReason).exactOptional(),
    closedAt: facet.epochMs.exactOptional(),
    mode: facet.mode.exactOptional(),
    drain: facet.drain.exactOptional(),
  })
  .refine(
    ({ id, cluster, instanceId, n }) =>
      [incidentIdOf, rehearsalIdOf].some((of) => id === of(cluster, instanceId, n)),
    {
      error: 'the id is not <cluster>#<instanceId>#<n>',
      path: ['id'],
    },
  )
  .transform(({ schema: _, ...incident }) => incident);

/** What an operator asked for, and what became of it. */
export const orderRecord = z
  .object({
    schema,
    at: facet.epochMs,
    action: z.enum(orderActions),
    by: z.string(),
    reason: z.string(),
    parameters: z.record(z.string(), z.union([z.string(), z.number()])),
    outcome: z
      .object({ kind: z.enum(['done', 'unchanged', 'refused']), says: z.string() })
      .exactOptional(),
  })
  .transform(({ schema: _, ...record }) => record);

/** A line of the list of open incidents. */
export const listedRecord = z.object({ schema, incidentId: facet.incidentId });

/** A line of the list of agents that are missed when they are gone. */
export const watchedRecord = z.object({ schema, instanceId: facet.instanceId });

/** The one planned move of the cluster that may be under way among those that can wait. */
export const slotRecord = z.object({ schema, incidentId: facet.incidentId });

export const auditRecord = z
  .object({
    schema,
    seq: z.int().positive(),
    token: z.int().positive(),
    actor: z.string().min(1),
    intendedAt: facet.epochMs,
    call: z.string().min(1),
    target: z.string(),
    parameters: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
    epoch: facet.counter.exactOptional(),
    outcome: facet.outcome.exactOptional(),
  })
  .transform(({ schema: _, ...record }) => record);

const ownership = z.object({
  volumeId: facet.volumeId,
  name: z.string(),
  state: z.enum(['owned', 'claimed', 'released', 'held', 'lost']),
  epoch: facet.counter,
  owner: facet.instanceId.exactOptional(),
  incidentId: facet.incidentId.exactOptional(),
  token: z.int().positive().exactOptional(),
  from: facet.instanceId.exactOptional(),
  releasedAt: facet.epochMs.exactOptional(),
  proof: facet.proof.exactOptional(),
  strength: facet.strength.exactOptional(),
  says: z.string().exactOptional(),
});

/** Attributes that an ownership may lack: a write that leaves them out takes them away. */
export const ownershipOptionals = [
  'owner',
  'incidentId',
  'token',
  'from',
  'releasedAt',
  'proof',
  'strength',
  'says',
] as const satisfies readonly (keyof Ownership)[];

/** A volume's permission, with the record that its last claim superseded. */
export const ownerRecord = ownership
  .extend({ schema, previous: ownership.exactOptional() })
  .transform(({ schema: _, previous, ...current }) => ({ current, ...(previous && { previous }) }));

/** An epoch that is over. */
export const epochRecord = ownership
  .extend({ schema })
  .transform(({ schema: _, ...record }) => record);

export const inventoryRecord = z
  .object({
    schema,
    launchTime: facet.launchTime,
    privateIp: z.string().exactOptional(),
    availabilityZone: z.string().min(1),
    agentIds: z.array(facet.agentId),
    apps: z.array(facet.app),
    tasks: z.array(facet.taskName),
    volumes: z.array(z.object({ volumeId: z.string(), name: z.string(), device: z.string() })),
    seenAt: facet.epochMs,
    silence: z.object({ probes: facet.counter, lastAt: facet.epochMs }).exactOptional(),
  })
  .transform(({ schema: _, ...inventory }) => inventory);

export const controlRecord = z
  .object({
    schema,
    paused: z
      .object({ by: z.string(), reason: z.string(), until: facet.epochMs.exactOptional() })
      .exactOptional(),
    maintenance: z.record(z.string(), z.object({ by: z.string(), until: facet.epochMs })),
    /** By the key of the shift; also those that are over, so that a late event revives none. */
    zoneShifts: z.record(z.string(), facet.zoneShift).exactOptional(),
    stormAcknowledged: z.object({ by: z.string(), until: facet.epochMs }).exactOptional(),
  })
  .transform(({ schema: _, zoneShifts = {}, ...control }) => {
    const shiftedZones = shiftedZonesOf(Object.values(zoneShifts));
    return { ...control, ...(Object.keys(shiftedZones).length > 0 && { shiftedZones }) };
  });

const place = {
  instanceId: facet.instanceId,
  zone: z.string().min(1),
  group: z.string().exactOptional(),
  cause: z.string(),
};

export const stormRecord = z
  .object({
    schema,
    version: facet.counter,
    admitted: z.array(z.object({ ...place, incidentId: facet.incidentId, at: facet.epochMs })),
    waiting: z.record(
      facet.incidentId,
      z.object({
        ...place,
        behind: z.enum(['storm', 'blind']),
        priority: z.int(),
        since: facet.epochMs,
      }),
    ),
    began: facet.epochMs.exactOptional(),
    first: facet.incidentId.exactOptional(),
    ended: facet.epochMs.exactOptional(),
    joined: facet.counter,
  })
  .transform(({ schema: _, ...storm }) => storm);

export const paceRecord = z
  .object({ schema, emptyAt: facet.epochMs })
  .transform(({ schema: _, ...pace }) => pace);

export const tellingRecord = z
  .object({
    schema,
    what: z.string().min(1),
    until: z.int().min(0),
    toldAt: facet.epochMs.exactOptional(),
  })
  .transform(({ schema: _, ...telling }) => telling);

export const quietRecord = z
  .object({ schema, until: facet.epochMs })
  .transform(({ schema: _, ...quiet }) => quiet);

export const messageRecord = z
  .object({ schema, channel: z.string().min(1), ts: z.string().min(1) })
  .transform(({ schema: _, ...message }) => message);

export const detailsRecord = z
  .object({ schema, version: facet.counter, told: z.record(z.string(), z.int().min(0)) })
  .transform(({ schema: _, ...details }) => details);

export const requestsRecord = z
  .object({ schema, version: facet.counter, taken: z.record(z.string(), facet.epochMs) })
  .transform(({ schema: _, ...requests }) => requests);
