import { problemOf } from '../problem.ts';
import { parseEc2StateChange } from './ec2-state-change.ts';
import {
  type EventContext,
  EventEnvelope,
  type EventParser,
  type ParsedEvent,
  quote,
  refused,
} from './event.ts';
import { parseHealthIssue } from './health-issue.ts';
import { parseStatusAlarm } from './status-alarm.ts';

export type { EventContext, ParsedEvent } from './event.ts';

const parsers: ReadonlyMap<string, EventParser> = new Map([
  ['aws.ec2/EC2 Instance State-change Notification', parseEc2StateChange],
  ['aws.cloudwatch/CloudWatch Alarm State Change', parseStatusAlarm],
  ['aws.health/AWS Health Event', parseHealthIssue],
]);

/**
 * Reads one EventBridge document, whatever it is: loose in what AWS may add, strict in what comes
 * out. Never throws. Everything in doubt is refused, because an event is only a reason to look: a
 * refused one is kept in the dead-letter queue for a person.
 */
export const parseEvent = (document: unknown, context: EventContext): ParsedEvent => {
  const parsed = EventEnvelope.safeParse(document);
  if (!parsed.success) return refused(`no EventBridge event: ${problemOf(parsed.error)}`);
  const event = parsed.data;
  const { source, account, region, 'detail-type': detailType } = event;
  const parser = parsers.get(`${source}/${detailType}`);
  if (parser === undefined) {
    return refused(`${quote(detailType)} of ${quote(source)} is no event this service acts on`);
  }
  if (account !== context.account) {
    return refused(`the event comes from account ${quote(account)}, not ${context.account}`);
  }
  // AWS Health also delivers events of other regions here: its parser looks at eventRegion instead.
  if (source !== 'aws.health' && region !== context.region) {
    return refused(`the event comes from region ${quote(region)}, not ${context.region}`);
  }
  return parser(event, context);
};
