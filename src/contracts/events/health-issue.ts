import * as z from 'zod';
import { type InstanceId, isInstanceId } from '../../domain/ids.ts';
import { problemOf } from '../problem.ts';
import {
  type EventContext,
  type EventParser,
  ignored,
  occurrence,
  type ParsedEvent,
  quote,
  refused,
  Text,
} from './event.ts';

/** Flags and page numbers are documented as strings; a later schema may well make them real. */
const Written = z.union([z.string(), z.number(), z.boolean()]).transform(String).pipe(Text);

const HealthEvent = z.object({
  eventArn: Text,
  eventTypeCode: Text,
  eventTypeCategory: Text,
  eventScopeCode: Text,
  /** Older events have none. */
  communicationId: Text.optional(),
  statusCode: Text,
  eventRegion: Text,
  affectedAccount: Text.optional(),
  page: Written.default('1'),
  backupEvent: Written.default('false'),
  affectedEntities: z
    .array(z.object({ entityValue: Text, status: z.string().optional() }))
    .default([]),
});
type HealthEvent = z.infer<typeof HealthEvent>;

const categoriesWithoutFailure: ReadonlySet<string> = new Set([
  'scheduledChange',
  'accountNotification',
  'investigation',
]);
const entitiesThatAreWell: ReadonlySet<string | undefined> = new Set(['UNIMPAIRED', 'RESOLVED']);

const instanceArn = /^arn:aws[a-z-]*:ec2:(?<region>[^:]*):(?<account>[^:]*):instance\/(?<id>.+)$/;

/** Bare ids and ARNs are both documented; an ARN of another account or region names nothing here. */
const instanceNamed = (entity: string, context: EventContext): InstanceId | undefined => {
  const arn = instanceArn.exec(entity)?.groups;
  if (arn !== undefined && (arn.account !== context.account || arn.region !== context.region)) {
    return undefined;
  }
  const id = arn?.id ?? entity;
  return isInstanceId(id) ? id : undefined;
};

/**
 * Everything that keeps the event from being an open issue of this account in this region. An
 * event delivered here may concern another region, and an account-specific one is also copied to
 * a backup region: `eventRegion` counts, not the envelope's region.
 */
const objection = (health: HealthEvent, context: EventContext): ParsedEvent | undefined => {
  const { eventRegion, eventTypeCategory, eventTypeCode, statusCode } = health;
  const affectedAccount = health.affectedAccount ?? context.account;
  if (health.backupEvent.toLowerCase() === 'true') {
    return ignored(`${quote(eventTypeCode)} is a backup copy of an event of ${quote(eventRegion)}`);
  }
  if (eventRegion !== context.region) {
    return refused(`the event concerns region ${quote(eventRegion)}, not ${context.region}`);
  }
  if (health.eventScopeCode === 'PUBLIC') {
    return ignored(`${quote(eventTypeCode)} is a public event and names no instance of ours`);
  }
  if (affectedAccount !== context.account) {
    return refused(`the event concerns account ${quote(affectedAccount)}, not ${context.account}`);
  }
  if (categoriesWithoutFailure.has(eventTypeCategory)) {
    return ignored(`${quote(eventTypeCode)} is a ${eventTypeCategory}, which is no failure yet`);
  }
  if (eventTypeCategory !== 'issue') {
    return refused(`${quote(eventTypeCategory)} is no category of AWS Health we know`);
  }
  if (statusCode === 'closed' || statusCode === 'upcoming') {
    return ignored(`${quote(eventTypeCode)} is ${statusCode}, so nothing fails now`);
  }
  if (statusCode !== 'open') return refused(`${quote(statusCode)} is no event status we know`);
  return undefined;
};

/** Why an open issue leads to no signal at all. */
const nothingToLookAt = ({ eventTypeCode, affectedEntities }: HealthEvent): ParsedEvent => {
  const values = affectedEntities.map(({ entityValue }) => entityValue);
  if (affectedEntities.some(({ status }) => entitiesThatAreWell.has(status))) {
    return ignored(`${quote(eventTypeCode)} calls every affected instance well again`);
  }
  const volume = values.find((value) => /(?:^|\/)vol-[0-9a-f]+$/.test(value));
  if (volume !== undefined) {
    return ignored(`${quote(eventTypeCode)} affects ${quote(volume)}: a volume, not an instance`);
  }
  return refused(
    values[0] === undefined
      ? `${quote(eventTypeCode)} names no affected instance`
      : `${quote(eventTypeCode)} affects ${quote(values[0])}: no instance of this account and region`,
  );
};

/**
 * `AWS Health Event`. Large events come in pages, in any order: each page is taken as it is, so
 * the page is part of the key. eventArn alone is shared by accounts and by updates.
 */
export const parseHealthIssue: EventParser = (event, context) => {
  const parsed = HealthEvent.safeParse(event.detail);
  if (!parsed.success) return refused(`malformed Health event: ${problemOf(parsed.error)}`);
  const health = parsed.data;
  const objected = objection(health, context);
  if (objected !== undefined) return objected;
  const instanceIds = new Set<InstanceId>();
  for (const { entityValue, status } of health.affectedEntities) {
    const instanceId = instanceNamed(entityValue, context);
    if (instanceId !== undefined && !entitiesThatAreWell.has(status)) instanceIds.add(instanceId);
  }
  if (instanceIds.size === 0) return nothingToLookAt(health);
  const account = health.affectedAccount ?? context.account;
  const communication = health.communicationId ?? event.id;
  return {
    kind: 'signals',
    signals: [...instanceIds].map((instanceId) => ({
      key: `health:${account}:${health.eventArn}:${communication}:${health.page}:${instanceId}`,
      source: 'health',
      instanceId,
      says: `AWS Health reports ${quote(health.eventTypeCode)} for ${instanceId}`,
      receivedAt: context.receivedAt,
      ...occurrence(event, context),
    })),
  };
};
