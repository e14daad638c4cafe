import { incidentFor, isCall, type Rule, violation } from './rule.ts';

/** What operators ask for counts: L8. */

/** Giving back what was taken from a machine that is well is no step of a failover. */
const UNDOES = ['adopt', 'closeIncident', 'undoProtection'];

/** Read again within an invocation, before what cannot be undone, when it was read this long ago. */
const REREAD_MS = 30_000;

/** A cluster that is paused, or a machine in maintenance, is left as it is. */
export const pauseStops: Rule = (event, memory) => {
  if (event.kind !== 'mutation' || UNDOES.includes(event.by.functionName)) return undefined;
  const { invocationId, wire, clockOffMs = 0 } = event.by;
  // What ends at a time ends early for whoever's clock is ahead.
  const aheadMs = Math.max(0, clockOffMs);
  const { instanceId = '' } = incidentFor(event, memory) ?? {};
  const { paused, maintenance } = memory.control;
  const said = [paused, maintenance.get(instanceId)].find(
    (one) => one !== undefined && Math.max(wire.at, event.at) + aheadMs < one.until,
  );
  if (said === undefined) return undefined;
  const beganAfter = (memory.begunAt.get(invocationId) ?? wire.at) > said.at;
  const isFinal = isCall(event, 'StopInstances', 'TerminateInstances', 'DetachVolume');
  return beganAfter || (isFinal && wire.at - said.at > REREAD_MS)
    ? violation(`${event.call} although an operator had said stop`)
    : undefined;
};
