import { incidentFor, type Rule, violation } from './rule.ts';

/** What operators ask for counts: L8. */

/** Tagging what is well is no step of a failover. */
const APART = ['adopt'];

/** Read again within an invocation, before anything is changed, when it was read this long ago. */
const REREAD_MS = 15_000;

/** A cluster that is paused, a machine in maintenance or an incident that is held is left as it is. */
export const pauseStops: Rule = (event, memory) => {
  if (event.kind !== 'mutation' || APART.includes(event.by.functionName)) return undefined;
  const { invocationId, wire, clockOffMs = 0 } = event.by;
  // What ends at a time ends early for whoever's clock is ahead.
  const aheadMs = Math.max(0, clockOffMs);
  const { instanceId = '', heldByPersonAt } = incidentFor(event, memory) ?? {};
  const held = heldByPersonAt === undefined ? undefined : { at: heldByPersonAt, until: Infinity };
  const { paused, maintenance } = memory.control;
  const said = [paused, maintenance.get(instanceId), held].find(
    (one) => one !== undefined && Math.max(wire.at, event.at) + aheadMs < one.until,
  );
  if (said === undefined) return undefined;
  const beganAfter = (memory.begunAt.get(invocationId) ?? wire.at) > said.at;
  return beganAfter || wire.at - said.at > REREAD_MS
    ? violation(`${event.call} although an operator had said stop`)
    : undefined;
};
