import { isGoingDown, type Memory } from '../record.ts';
import { isCall, type Rule, violation } from './rule.ts';

/** How many machines that are not down are fenced at once: S9. */

/** From being let through to the command: soft evidence alone may be watched for so long. */
const LET_THROUGH_EARLIER_MS = 300_000;

/** So many in a zone within a window. The smaller limit counts, but of few agents one may always be fenced. */
export const limitOf = ({ machines, policy }: Memory): number => {
  const agents = [...machines.values()].filter(({ ours }) => ours).length;
  const share = Math.ceil((agents * Number(policy.StormLimitPercent)) / 100);
  return Math.min(Number(policy.StormLimit), Math.max(1, share));
};

/** A person has asked for it, or waved it through. */
const isLeft = ({ incidents }: Memory, instanceId: string): boolean =>
  [...incidents.values()].some(
    (incident) =>
      incident.instanceId === instanceId &&
      (incident.ordered || incident.acknowledged.includes('storm')),
  );

/**
 * Machines that are not down are fenced within the limits, per zone; agents of another role are never
 * ours. What a person has given leave for is not counted.
 */
export const fewAtOnce: Rule = (event, memory) => {
  if (!isCall(event, 'StopInstances', 'TerminateInstances') || !event.accepted) return undefined;
  const [instanceId = ''] = event.targets;
  const machine = memory.machines.get(instanceId);
  const { StormLimit, StormWindowSeconds } = memory.policy;
  if (machine === undefined || isGoingDown(machine.state) || isLeft(memory, instanceId)) {
    return undefined;
  }
  const isWaved = event.at < (memory.control.stormWaved?.until ?? 0);
  if (StormLimit === undefined || isWaved) return undefined;
  // Let through by a clock that is behind, a window is over early for one that is ahead.
  const earlyMs = LET_THROUGH_EARLIER_MS + memory.clocks.aheadMs + memory.clocks.behindMs;
  const since = event.at - (Number(StormWindowSeconds) * 1_000 - earlyMs);
  const others = [...memory.struck].filter(
    ([id, { at, zone }]) =>
      id !== instanceId && zone === machine.zone && at > since && !isLeft(memory, id),
  );
  const limit = limitOf(memory);
  return others.length >= limit
    ? violation(`${event.call} ${instanceId}, and ${others.length} more there (limit ${limit})`)
    : undefined;
};
