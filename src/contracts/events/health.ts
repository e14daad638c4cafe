import type { EpochMs, InstanceId } from '../../domain/ids.ts';
import type { Notice, Signal } from '../../domain/incident.ts';
import type { NoteKind } from '../../domain/note.ts';
import { problemOf } from '../problem.ts';
import {
  type EventContext,
  type EventEnvelope,
  type EventParser,
  ignored,
  occurrence,
  type ParsedEvent,
  quote,
  refused,
} from './event.ts';
import { failing, recovered, regional, scheduled, volumeTrouble } from './health-codes.ts';
import { type Affected, affectedBy, HealthEvent, keyOf, objection } from './health-event.ts';

/** One event, opened. */
interface Opened {
  readonly event: EventEnvelope;
  readonly context: EventContext;
  readonly health: HealthEvent;
  readonly affected: Affected;
}

/** `Thu, 27 Aug 2026 13:19:03 GMT`. What cannot be read says nothing: the notice has no deadline. */
const rfc1123 = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/;
const startOf = ({ startTime }: HealthEvent): Pick<Notice, 'deadline'> => {
  if (typeof startTime !== 'string' || !rfc1123.test(startTime)) return {};
  const deadline = Date.parse(startTime);
  return deadline >= 0 ? { deadline: deadline as EpochMs } : {};
};

const signalsOf = (
  { affected, context, event, health }: Opened,
  says: (instanceId: InstanceId) => string,
  notice?: Notice,
): Signal[] =>
  affected.instanceIds.map((instanceId) => ({
    key: keyOf(health, instanceId, { account: context.account, id: event.id }),
    source: 'health',
    instanceId,
    says: says(instanceId),
    receivedAt: context.receivedAt,
    ...occurrence(event, context),
    ...(notice && { notice }),
  }));

const noted = ({ affected, health }: Opened, about: NoteKind, why: string): ParsedEvent => {
  const { instanceIds, volumeIds } = affected;
  const named = [...instanceIds, ...volumeIds];
  const of = named.length === 0 ? '' : ` for ${named.join(', ')}`;
  const says = `AWS Health reports ${quote(health.eventTypeCode)}${of}: ${why}`;
  return { kind: 'noted', note: { about, says, instanceIds, volumeIds } };
};

/** The code asks for an instance, and there is none. */
const namesNobody = ({ health }: Opened): ParsedEvent => {
  const { affectedEntities, eventTypeCode } = health;
  const [first] = affectedEntities;
  return refused(
    first === undefined
      ? `${quote(eventTypeCode)} names no affected instance`
      : `${quote(eventTypeCode)} affects ${quote(first.entityValue)}: no instance of this account and region`,
  );
};

const unknownCode = (opened: Opened): ParsedEvent =>
  noted(
    opened,
    'unknown-code',
    `a code this service does not know (${opened.health.eventTypeCategory}); nothing is done about it`,
  );

const ofRegion = 'an issue of the region; nothing is done about it';

const publicEvent = (opened: Opened): ParsedEvent => {
  const { eventTypeCategory, eventTypeCode, statusCode } = opened.health;
  if (eventTypeCategory !== 'issue' || statusCode !== 'open') {
    return ignored(`${quote(eventTypeCode)} is a public event and names no instance of ours`);
  }
  const nobody = { ...opened, affected: { instanceIds: [], volumeIds: [], isOver: false } };
  return noted(nobody, 'public-issue', ofRegion);
};

const parseIssue = (opened: Opened): ParsedEvent => {
  const { affected, health } = opened;
  const { eventTypeCode: code, statusCode } = health;
  if (statusCode !== 'open') return ignored(`${quote(code)} is ${statusCode}: nothing fails now`);
  if (affected.isOver) return ignored(`${quote(code)} calls everything it names well again`);
  const trouble = volumeTrouble.get(code);
  if (trouble !== undefined) return noted(opened, trouble, 'moving a machine mends no volume');
  const isRecovered = recovered.has(code);
  if (!isRecovered && !failing.has(code)) return unknownCode(opened);
  if (affected.instanceIds.length === 0) {
    return regional.has(code) ? noted(opened, 'public-issue', ofRegion) : namesNobody(opened);
  }
  const signals = signalsOf(opened, (id) => `AWS Health reports ${quote(code)} for ${id}`);
  return { kind: isRecovered ? 'wake-ups' : 'signals', signals };
};

/** Days ahead, or under way: the machine works until then. */
const parseSchedule = (opened: Opened): ParsedEvent => {
  const { affected, health } = opened;
  const { eventTypeCode: code, statusCode } = health;
  if (affected.isOver)
    return ignored(`${quote(code)} is done or withdrawn for everything it names`);
  const action = scheduled.get(code);
  if (action === undefined) return unknownCode(opened);
  if (affected.instanceIds.length === 0) return namesNobody(opened);
  const start = startOf(health);
  const when =
    start.deadline === undefined ? '' : ` from ${new Date(start.deadline).toISOString()}`;
  const says = (id: InstanceId): string =>
    `AWS Health announces ${quote(code)} for ${id}: ${action}${when} (${statusCode})`;
  const notice: Notice = { kind: 'retiring', action, ...start };
  return { kind: 'signals', signals: signalsOf(opened, says, notice) };
};

const parseInvestigation = (opened: Opened): ParsedEvent =>
  opened.affected.isOver
    ? ignored(`${quote(opened.health.eventTypeCode)} calls everything it names well again`)
    : noted(opened, 'investigation', 'AWS looks into it and has not said that it fails');

/**
 * `AWS Health Event`. Issues are signals, schedules are signals with a notice. What people should
 * hear of, though no failover mends it, is noted; so is a code in no table of ours.
 */
export const parseHealth: EventParser = (event, context) => {
  const parsed = HealthEvent.safeParse(event.detail);
  if (!parsed.success) return refused(`malformed Health event: ${problemOf(parsed.error)}`);
  const health = parsed.data;
  const { eventScopeCode, eventTypeCategory, eventTypeCode } = health;
  const objected = objection(health, context);
  if (objected !== undefined) return objected;
  const opened: Opened = { event, context, health, affected: affectedBy(health, context) };
  if (eventScopeCode === 'PUBLIC') return publicEvent(opened);
  switch (eventTypeCategory) {
    case 'issue':
      return parseIssue(opened);
    case 'scheduledChange':
      return parseSchedule(opened);
    case 'investigation':
      return parseInvestigation(opened);
    case 'accountNotification':
      return ignored(`${quote(eventTypeCode)} is an accountNotification: news, no failure`);
    default:
      return refused(`${quote(eventTypeCategory)} is no category of AWS Health we know`);
  }
};
