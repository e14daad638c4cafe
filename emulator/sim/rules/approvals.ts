import { type Question, questionAt, questionIn } from '../consent.ts';
import type { EventOf } from '../events.ts';
import { justifying, type Memory } from '../record.ts';
import { incidentFor, isCall, isState, type Rule, residual, violation } from './rule.ts';

/** Where policy asks a person, nothing is done without their yes to just that: S16. */

const askedAbout = ({ policy }: Memory): readonly string[] =>
  (policy.ApprovalVerdicts ?? 'none').split(',');

/** The machine as it was served just before the command. */
const servedBefore = (event: EventOf<'mutation'>, memory: Memory, instanceId: string) =>
  justifying(memory, event.by, 'instances')
    .flatMap(({ instances = [] }) => instances)
    .findLast((seen) => seen.instanceId === instanceId);

/** These stand by themselves; any other one may be older than what the machine was just seen to be. */
const STANDING = [
  'Impaired',
  'Partitioned',
  'Ordered',
  'Returned',
  'Retiring',
  'Interrupted',
  'Leaving',
];

/**
 * Why it is fenced. What the record says may be from before the machine came up again: a command to
 * one that was just served as running, and impaired, is for that, whatever it was before.
 */
const reasonFor = (
  event: EventOf<'mutation'>,
  memory: Memory,
  { verdict }: Question,
  state: string | undefined,
): string | undefined => {
  const isImpaired = justifying(memory, event.by, 'checks').some(({ impaired }) => impaired);
  const isOlder = verdict !== undefined && !STANDING.includes(verdict);
  return isOlder && state === 'running' && isImpaired ? 'Impaired' : verdict;
};

/** By the record as it stood when the command was sent, the yes is to this very start of the machine. */
export const yesFirst: Rule = (event, memory) => {
  if (!isCall(event, 'StopInstances', 'TerminateInstances')) return undefined;
  const [instanceId = ''] = event.targets;
  const question = questionAt(incidentFor(event, memory)?.questions, event.by.wire.at);
  const served = servedBefore(event, memory, instanceId);
  if (question === undefined) return undefined;
  const reason = reasonFor(event, memory, question, served?.state);
  if (reason === undefined || !askedAbout(memory).includes(reason)) return undefined;
  const { launchTime, status } = question;
  if (status === 'approved' && launchTime === memory.machines.get(instanceId)?.launchTime) {
    return undefined;
  }
  return status === 'approved' && launchTime === served?.launchTime
    ? residual(`${instanceId} was started again while ${event.call} was on its way`)
    : violation(`${event.call} ${instanceId}, ${reason}: nobody has approved this start of it`);
};

/**
 * Nor is a volume taken off what is down, or Mesos told of it, before there was a yes. To which start is
 * asked no more: the proof of the fence is of one.
 */
export const yesBeforeTheRest: Rule = (event, memory) => {
  if (!isCall(event, 'DetachVolume', 'MARK_AGENT_GONE')) return undefined;
  const { at } = event.by.wire;
  const { id, questions = [] } = incidentFor(event, memory) ?? {};
  const verdict = questionAt(questions, at)?.verdict ?? '';
  const isSaid = questions.some((one) => one.at <= at && one.status === 'approved');
  return isSaid || !askedAbout(memory).includes(verdict)
    ? undefined
    : violation(`${event.call} for ${id}, ${verdict}: nobody has approved it`);
};

/** An answer to a question that is not asked any more counts for nothing. */
export const oldAnswersAreRefused: Rule = (event, memory) => {
  if (event.kind !== 'consent') return undefined;
  const { answer, approvalId, incidentId, sentAt } = event;
  const incident = memory.incidents.get(`INCIDENT#${incidentId}`);
  const question = questionAt(incident?.questions, sentAt);
  return question?.id === approvalId || answer === 'refused'
    ? undefined
    : violation(`yes to ${approvalId} was ${answer}, and ${question?.id ?? 'nothing'} is asked`);
};

const DECIDED = ['approved', 'denied'];

/** The first answer to a question stands; a person may write over anything. */
export const firstAnswerStands: Rule = (event, memory) => {
  if (!isState(event) || event.by.functionName === '') return undefined;
  const before = memory.incidents.get(event.pk)?.questions.at(-1);
  const now = questionIn(event.item, event.at);
  if (!DECIDED.includes(before?.status ?? '') || before?.id !== now.id) return undefined;
  const isSame = before?.status === now.status && before?.by === now.by;
  return isSame || now.status === 'withdrawn'
    ? undefined
    : violation(
        `${now.id} was ${before?.status} by ${before?.by}, and is ${now.status} by ${now.by}`,
      );
};
