import { problemOf } from '../problem.ts';
import { parseTerminateHook, parseTerminateSuccessful } from './auto-scaling.ts';
import { parseEbsVolume } from './ebs-volume.ts';
import { parseEc2StateChange } from './ec2-state-change.ts';
import {
  type EventContext,
  EventEnvelope,
  type EventParser,
  ignored,
  type ParsedEvent,
  quote,
  refused,
} from './event.ts';
import { parseExecutionStatus } from './execution-status.ts';
import { parseHealth } from './health.ts';
import { parseSpotWarning } from './spot.ts';
import { parseStatusAlarm } from './status-alarm.ts';
import { parseZoneShift, zoneShiftTypes } from './zone-shift.ts';

export type { EventContext, ParsedEvent } from './event.ts';

/** Well-known, and nothing is done about it, whatever it says. */
const ignoring =
  (why: string): EventParser =>
  () =>
    ignored(why);

/** The reasons why some events lead to nothing, each a decision: docs/signals.md. */
const whyIgnored: Readonly<Record<string, string>> = {
  'aws.ec2/EC2 Instance Rebalance Recommendation':
    'a rebalance recommendation is a risk, no date: the interruption warning is acted upon',
  'aws.ec2/EC2 Spot Instance Request Fulfillment': 'a new Spot instance is no failure',
  'aws.ec2/AWS API Call via CloudTrail':
    'a call says what was asked for: where a volume is, is read from EC2',
  'aws.ec2/EBS Multi-Volume Snapshots Completion Status': 'nothing waits for snapshots',
  'aws.autoscaling/EC2 Instance-launch Lifecycle Action':
    'a machine that is being launched holds no data yet',
  'aws.autoscaling/EC2 Instance Launch Successful':
    'a machine that is being launched holds no data yet',
  'aws.autoscaling/EC2 Instance Launch Unsuccessful':
    'no machine came up: without a spare agent the hand-off holds and says so',
  'aws.autoscaling/EC2 Instance Terminate Unsuccessful': 'the machine is still there',
  'aws.arc-zonal-shift/Practice Run Started': 'a practice run: nothing is wrong with the zone',
  'aws.arc-zonal-shift/Practice Run Succeeded': 'a practice run: nothing is wrong with the zone',
  'aws.arc-zonal-shift/Practice Run Interrupted': 'a practice run: nothing is wrong with the zone',
  'aws.arc-zonal-shift/Practice Run Failed': 'a practice run: nothing is wrong with the zone',
};

const parsers: ReadonlyMap<string, EventParser> = new Map<string, EventParser>([
  ['aws.ec2/EC2 Instance State-change Notification', parseEc2StateChange],
  ['aws.ec2/EC2 Spot Instance Interruption Warning', parseSpotWarning],
  ['aws.ec2/EBS Volume Notification', parseEbsVolume],
  ['aws.autoscaling/EC2 Instance-terminate Lifecycle Action', parseTerminateHook],
  ['aws.autoscaling/EC2 Instance Terminate Successful', parseTerminateSuccessful],
  ['aws.cloudwatch/CloudWatch Alarm State Change', parseStatusAlarm],
  ['aws.health/AWS Health Event', parseHealth],
  ['aws.states/Step Functions Execution Status Change', parseExecutionStatus],
  ...zoneShiftTypes.map((type) => [`aws.arc-zonal-shift/${type}`, parseZoneShift] as const),
  ...Object.entries(whyIgnored).map(([type, why]) => [type, ignoring(why)] as const),
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
