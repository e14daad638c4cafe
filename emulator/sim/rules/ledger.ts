import type { EventOf } from '../events.ts';
import type { IncidentSeen } from '../record.ts';
import { incidentOf, intentOf, ownerOf } from '../record.ts';
import { isGivenAway } from './announced.ts';
import {
  intentFor,
  isCall,
  isOwner,
  isState,
  type Rule,
  residual,
  violation,
  volumeOf,
} from './rule.ts';

/** Tokens, epochs and intents: S4, S5, S12, and L9 as far as every instant can tell. */

/** A call follows the write of its intent at once, or is not made. */
const IN_FLIGHT_MS = 2_000;

const OPEN = ['open', 'held'];
const isOpen = ({ status }: IncidentSeen): boolean => OPEN.includes(status);

export const readsAreConsistent: Rule = (event) =>
  event.kind === 'read' && event.of === 'ledger' && event.consistent === false
    ? violation(`${event.by.functionName} reads the ledger eventually consistent`)
    : undefined;

export const epochRises: Rule = (event, memory) => {
  if (!isOwner(event)) return undefined;
  const before = memory.owners.get(volumeOf(event));
  const next = ownerOf(event);
  if (before === undefined) return undefined;
  // The sweep writes down where DC/OS has taken a volume, on the record as it finds it: one that names an
  // incident which never was has been written by hand.
  const isFollowing = event.by.functionName === 'sweep' && next.state === 'owned';
  const isForged = !memory.incidents.has(`INCIDENT#${next.incidentId}`);
  const isOthers = before.epoch === next.epoch && before.incidentId !== next.incidentId;
  const stolen = isOthers && !(isFollowing && isForged);
  // Claimed a second time, it would lose what happened to it under the first claim.
  const again = next.state === 'claimed' && next.epoch <= before.epoch;
  return next.epoch < before.epoch || stolen || again
    ? violation(`${event.pk}: epoch ${next.epoch} of ${next.incidentId} after ${before.epoch}`)
    : undefined;
};

export const tokenCounts: Rule = (event, memory) => {
  if (event.kind !== 'mutation') return undefined;
  const intent = intentFor(event, memory);
  const incident = intent && memory.incidents.get(`INCIDENT#${intent.incidentId}`);
  if (!intent || !incident || incident.token === intent.token) return undefined;
  // Sent, or allowed by the ledger a moment ago, before the incident was taken over: the one call
  // that may be in flight, for EC2 asks nobody's token.
  const wasAllowed = intent.at <= incident.takenAt && event.by.wire.at - intent.at <= IN_FLIGHT_MS;
  return event.by.wire.at <= incident.takenAt || wasAllowed
    ? residual(`${event.call} was in flight when token ${intent.token} ended`)
    : violation(`${event.call} under token ${intent.token}, which is over`);
};

export const oneExecution: Rule = (event, memory) => {
  if (!isState(event)) return undefined;
  const before = memory.incidents.get(event.pk);
  const next = incidentOf(event, before);
  const rival = [...memory.incidents.values()].find(
    (other) => other.id !== next.id && other.instanceId === next.instanceId && isOpen(other),
  );
  if (rival && isOpen(next)) return violation(`${next.id} is open beside ${rival.id}`);
  // One that is held only waits: a new signal may wake it by a new execution.
  // Who takes it over unbinds its execution; a token alone is changed by a person's edit only.
  const unbound = next.executionArn !== before?.executionArn;
  const taken = before?.status === 'open' && next.token > before.token && unbound;
  // A person's hold takes it away as well, and puts no execution in the place of the one at work.
  const isHeld = event.item.operatorHold !== undefined;
  if (taken && !isHeld && !isGivenAway(event) && memory.running.has(before.executionArn ?? '')) {
    return violation(`${next.id} is taken over while an execution works on it`);
  }
  const rebound =
    before?.token === next.token &&
    before.executionArn !== undefined &&
    before.executionArn !== next.executionArn;
  return rebound ? violation(`${next.id}: two executions under token ${next.token}`) : undefined;
};

/**
 * Adopt works while all is well: no incident, so no audit. What loses nothing and is simply done
 * again needs no intent; anything else it did would.
 */
const needsNoIntent = ({ by, call }: EventOf<'mutation'>): boolean =>
  by.functionName === 'adopt' && ['CreateTags', 'ModifyInstanceAttribute'].includes(call);

export const intentFirst: Rule = (event, memory) => {
  if (event.kind === 'mutation' && !needsNoIntent(event)) {
    const intent = intentFor(event, memory);
    if (intent === undefined || intent.at > event.by.wire.at) {
      return violation(`${event.call} ${event.targets.join(' ')} without an intent before it`);
    }
  }
  if (event.kind !== 'ledger' || !event.sk.startsWith('STEP#')) return undefined;
  const { call, outcome, invocationId, target } = intentOf(event);
  // Mesos refuses to reactivate what is active already: then an earlier call has done it.
  const isDoneBefore = (m: EventOf<'mutation'>): boolean =>
    call === 'REACTIVATE_AGENT' && m.targets.includes(target);
  const made = memory.mutations.some(
    (m) => m.call === call && m.accepted && (m.by.invocationId === invocationId || isDoneBefore(m)),
  );
  return outcome?.kind === 'accepted' && !made
    ? violation(`${call} is recorded as accepted, and nobody accepted it`)
    : undefined;
};

const REPEAT_MS = 5 * 60_000;

/**
 * One rung, one command; one more may make good an answer that was lost. What was on its way when a
 * command was sent had changed nothing that its sender could have seen.
 */
export const rungsAreUsedOnce: Rule = (event, memory) => {
  if (!isCall(event, 'StopInstances') || !event.accepted) return undefined;
  const [instanceId = ''] = event.targets;
  const { Force: force } = event.params;
  // By its launch time: every incarnation has rungs of its own.
  const since = Math.max(memory.machines.get(instanceId)?.launchTime ?? 0, event.at - REPEAT_MS);
  const earlier = memory.mutations.filter(
    (m) =>
      isCall(m, 'StopInstances') &&
      m.accepted &&
      m.at > since &&
      m.at <= event.by.wire.at &&
      m.targets.includes(instanceId) &&
      m.params.Force === force,
  );
  let [commands, arrivedAt] = [0, Number.NEGATIVE_INFINITY];
  for (const m of earlier) {
    // Those sent before the first of them had arrived are one command, repeated into the dark.
    if (m.by.wire.at < arrivedAt) continue;
    commands += 1;
    arrivedAt = m.at;
  }
  return commands > 1
    ? violation(`StopInstances ${instanceId} a third time within five minutes`)
    : undefined;
};
