import * as z from 'zod';
import type { EpochMs, InstanceId } from '../../domain/ids.ts';
import type { Signal } from '../../domain/incident.ts';
import type { Note } from '../../domain/note.ts';
import type { ZoneShift } from '../../domain/zone-shift.ts';

/**
 * What an EventBridge document means to us. `signals`: reasons to open an incident, one per
 * instance. `wake-ups`: weaker ones; they join an incident, and open one only for a machine that
 * EC2 calls down. `noted`: people should hear of it, nothing is done. `zone-shift`: remembered for
 * the whole cluster. `aborted`: a person has ended an execution of ours. `ignored`: well-formed, but no instance of ours fails. `refused`: not for us or
 * not understandable; worth a record, never a mutation. `why` is a sentence for people.
 */
export type ParsedEvent =
  | { readonly kind: 'signals' | 'wake-ups'; readonly signals: readonly Signal[] }
  | { readonly kind: 'noted'; readonly note: Note }
  | { readonly kind: 'zone-shift'; readonly shift: ZoneShift }
  | { readonly kind: 'aborted'; readonly instanceId: InstanceId; readonly executionArn: string }
  | { readonly kind: 'ignored'; readonly why: string }
  | { readonly kind: 'refused'; readonly why: string };

/** Where this deployment lives, and when the event reached it. */
export interface EventContext {
  readonly account: string;
  readonly region: string;
  readonly receivedAt: EpochMs;
}

/** One tolerant parser per source: what AWS adds is dropped, what we rely on is checked. */
export type EventParser = (event: EventEnvelope, context: EventContext) => ParsedEvent;

/** Bounded, because pieces of it end up in ledger keys. */
export const Text = z.string().min(1).max(2_048);

/** What every EventBridge event has. `resources` differs by source and year, or is missing. */
export const EventEnvelope = z.object({
  id: Text,
  source: Text,
  'detail-type': Text,
  account: Text,
  region: Text,
  time: z.unknown().optional(),
  resources: z.unknown().optional(),
  detail: z.record(z.string(), z.unknown()),
});
export type EventEnvelope = z.infer<typeof EventEnvelope>;

export const ignored = (why: string): ParsedEvent => ({ kind: 'ignored', why });
export const refused = (why: string): ParsedEvent => ({ kind: 'refused', why });

/** Foreign text inside our own sentences: quoted and short. */
export const quote = (text: string, max = 80): string =>
  JSON.stringify(text.length > max ? `${text.slice(0, max)}...` : text);

const IsoTime = z.iso.datetime({ offset: true });

/**
 * When the source says it happened. A time that cannot be read or lies in the future says nothing,
 * and is no reason to drop a failure.
 */
export const occurrence = (
  event: EventEnvelope,
  { receivedAt }: EventContext,
): Pick<Signal, 'occurredAt'> => {
  const time = IsoTime.safeParse(event.time);
  if (!time.success) return {};
  const occurredAt = Date.parse(time.data);
  return occurredAt <= receivedAt ? { occurredAt: occurredAt as EpochMs } : {};
};
