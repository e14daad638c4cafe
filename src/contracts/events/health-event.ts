import * as z from 'zod';
import type { InstanceId, VolumeId } from '../../domain/ids.ts';
import { type EventContext, ignored, type ParsedEvent, quote, refused, Text } from './event.ts';
import { instanceNamed, volumeNamed } from './resource.ts';

/** Flags and page numbers are documented as strings; a later schema may well make them real. */
const Written = z.union([z.string(), z.number(), z.boolean()]).transform(String).pipe(Text);

/** What is read of an `AWS Health Event`; `resources` of the envelope may be missing or differ. */
export const HealthEvent = z.object({
  eventArn: Text,
  eventTypeCode: Text,
  eventTypeCategory: Text,
  eventScopeCode: Text,
  /** Older events have none. */
  communicationId: Text.optional(),
  statusCode: Text,
  startTime: z.unknown().optional(),
  eventRegion: Text,
  affectedAccount: Text.optional(),
  page: Written.default('1'),
  backupEvent: Written.default('false'),
  affectedEntities: z
    .array(z.object({ entityValue: Text, status: z.string().optional() }))
    .default([]),
});
export type HealthEvent = z.infer<typeof HealthEvent>;

/**
 * Everything that keeps the event from being about this account and region, now. An event
 * delivered here may concern another region, and an account-specific one is also copied to a
 * backup region: `eventRegion` counts, not the envelope's region.
 */
export const objection = (health: HealthEvent, context: EventContext): ParsedEvent | undefined => {
  const { eventRegion, eventTypeCode, statusCode } = health;
  const affectedAccount = health.affectedAccount ?? context.account;
  if (health.backupEvent.toLowerCase() === 'true') {
    return ignored(`${quote(eventTypeCode)} is a backup copy of an event of ${quote(eventRegion)}`);
  }
  if (eventRegion !== context.region) {
    return refused(`the event concerns region ${quote(eventRegion)}, not ${context.region}`);
  }
  if (health.eventScopeCode !== 'PUBLIC' && affectedAccount !== context.account) {
    return refused(`the event concerns account ${quote(affectedAccount)}, not ${context.account}`);
  }
  if (statusCode === 'closed') {
    return ignored(`${quote(eventTypeCode)} is closed, so nothing fails and nothing is planned`);
  }
  if (statusCode !== 'open' && statusCode !== 'upcoming') {
    return refused(`${quote(statusCode)} is no event status we know`);
  }
  return undefined;
};

const entitiesThatAreWell: ReadonlySet<string | undefined> = new Set(['UNIMPAIRED', 'RESOLVED']);

/** What the event names in this account and region, each once, without what is well again. */
export interface Affected {
  readonly instanceIds: readonly InstanceId[];
  readonly volumeIds: readonly VolumeId[];
  /** Everything it names is called well again, or done. */
  readonly isOver: boolean;
}

const named = <Id>(ids: readonly (Id | undefined)[]): Id[] => [
  ...new Set(ids.filter((id) => id !== undefined)),
];

export const affectedBy = ({ affectedEntities }: HealthEvent, context: EventContext): Affected => {
  const open = affectedEntities.filter(({ status }) => !entitiesThatAreWell.has(status));
  const texts = open.map(({ entityValue }) => entityValue);
  return {
    instanceIds: named(texts.map((text) => instanceNamed(text, context))),
    volumeIds: named(texts.map((text) => volumeNamed(text, context))),
    isOver: affectedEntities.length > 0 && open.length === 0,
  };
};

/**
 * Large events come in pages, in any order: each page is taken as it is, so the page is part of the
 * key. eventArn alone is shared by accounts and by updates.
 */
export const keyOf = (
  health: HealthEvent,
  instanceId: InstanceId,
  { account, id }: { readonly account: string; readonly id: string },
): string => {
  const { affectedAccount = account, communicationId = id, eventArn, page } = health;
  return `health:${affectedAccount}:${eventArn}:${communicationId}:${page}:${instanceId}`;
};
