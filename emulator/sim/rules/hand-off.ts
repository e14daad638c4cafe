import { incidentFor, isCall, type Rule, violation } from './rule.ts';

/**
 * Nobody is told to start an app whose volume EC2 was just heard not to have any more: REX-Ray would
 * create an empty one of its name. S13.
 */
export const tellOfNothingLost: Rule = (event, memory) => {
  if (!isCall(event, 'MARK_AGENT_GONE')) return undefined;
  const ours = incidentFor(event, memory)?.volumeIds ?? [];
  const lost = (memory.reads.get(event.by.invocationId) ?? []).flatMap(
    ({ unknown = [], volumes = [] }) => [
      ...[unknown].flat(),
      ...volumes.filter(({ state }) => /^delet/.test(state)).map(({ volumeId }) => volumeId),
    ],
  );
  const [volumeId] = lost.filter((id) => ours.includes(id));
  return volumeId
    ? violation(`${event.call}, and EC2 had just said that ${volumeId} is gone`)
    : undefined;
};
