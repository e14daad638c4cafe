import type { EventOf, SimEvent } from '../events.ts';
import { type IncidentSeen, type Intent, type Memory, ownerOf } from '../record.ts';

/** What a rule finds: a broken promise, or a world that changed inside the window allowed. */
export type Finding = { kind: 'violation' | 'residual'; says: string };

/** Judges one event against everything before it; undefined: nothing wrong. */
export type Rule = (event: SimEvent, memory: Memory) => Finding | undefined;

export const violation = (says: string): Finding => ({ kind: 'violation', says });
export const residual = (says: string): Finding => ({ kind: 'residual', says });

export const isCall = (event: SimEvent, ...calls: string[]): event is EventOf<'mutation'> =>
  event.kind === 'mutation' && calls.includes(event.call);

/** A dry run's own record: nobody's incident. */
const isRehearsal = (pk: string): boolean => pk.includes('#dry-');

/** An incident as it stands after a write. */
export const isState = (
  event: SimEvent,
): event is EventOf<'ledger'> & { item: Readonly<Record<string, unknown>> } =>
  event.kind === 'ledger' &&
  event.sk === 'STATE' &&
  event.item !== undefined &&
  !isRehearsal(event.pk);

/** The permission record of a volume as it stands after a write. */
export const isOwner = (
  event: SimEvent,
): event is EventOf<'ledger'> & { item: Readonly<Record<string, unknown>> } =>
  event.kind === 'ledger' && event.sk === 'OWNER' && event.item !== undefined;

export const volumeOf = ({ pk }: EventOf<'ledger'>): string => pk.slice('VOLUME#'.length);

/** A release that was not there before. */
export const newlyReleased = (event: SimEvent, memory: Memory): event is EventOf<'ledger'> => {
  if (!isOwner(event) || event.item.state !== 'released') return false;
  const before = memory.owners.get(volumeOf(event));
  return before?.state !== 'released' || before.epoch !== ownerOf(event).epoch;
};

/**
 * What was written down about a call before it was made. One invocation may repeat a call whose
 * answer was lost: what was sent before the second intent belongs to the first, however late it
 * arrives. An intent that came after the call is answered only if there is no other.
 */
export const intentFor = (event: EventOf<'mutation'>, memory: Memory): Intent | undefined => {
  const about = [...memory.intents.values()].filter(
    ({ call, target, invocationId }) =>
      call === event.call &&
      invocationId === event.by.invocationId &&
      (event.targets.includes(target) || call.includes(' ')),
  );
  return about.findLast(({ at }) => at <= event.by.wire.at) ?? about.at(-1);
};

/** The incident a call was made for. */
export const incidentFor = (
  event: EventOf<'mutation'>,
  memory: Memory,
): IncidentSeen | undefined => {
  const intent = intentFor(event, memory);
  return intent && memory.incidents.get(`INCIDENT#${intent.incidentId}`);
};

/** A machine that an incident had fenced and that runs again as a later start. */
export const hasReturned = (memory: Memory, instanceId: string): boolean => {
  const machine = memory.machines.get(instanceId);
  if (machine === undefined || !['pending', 'running'].includes(machine.state)) return false;
  return [...memory.incidents.values()].some(
    ({ instanceId: fenced, proof: [, proof], status }) =>
      fenced === instanceId &&
      status === 'recovered' &&
      proof !== undefined &&
      proof.launchTime < machine.launchTime,
  );
};

/** Agents the master lists on the machine and nobody has taken offers from. */
export const atWork = (memory: Memory, instanceId: string): string[] =>
  [...memory.agents.values()]
    .filter((agent) => agent.instanceId === instanceId && agent.listed)
    .map(({ agentId }) => agentId)
    .filter(
      (agentId) =>
        !memory.mutations.some(
          ({ accepted, call, targets }) =>
            accepted && call === 'DEACTIVATE_AGENT' && targets.includes(agentId),
        ),
    );
