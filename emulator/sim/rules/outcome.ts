import { heldBy, type IncidentSeen, incidentOf, type Memory } from '../record.ts';
import { atWork, hasReturned, isState, type Rule, violation } from './rule.ts';

/** Honest ends, quiet messages, no secrets: S11, S14, S15. */

/** Fenced by this incident, and by an earlier one before it came back. */
const wasFenced = ({ id, instanceId, proof }: IncidentSeen, { incidents }: Memory): boolean =>
  proof.length === 2 &&
  [...incidents.values()].some(
    (other) => other.id !== id && other.instanceId === instanceId && other.proof.length === 2,
  );

/** A returned host is quarantined if it is one, has nothing of ours, and no agent on it gets work. */
const honestQuarantine = ({ id, instanceId }: IncidentSeen, memory: Memory) => {
  const { state } = memory.machines.get(instanceId) ?? {};
  // It may have gone off again since it was seen.
  if (state !== 'running' && state !== 'pending') return undefined;
  if (!hasReturned(memory, instanceId)) {
    return violation(`${id} quarantines ${instanceId}, which nobody had fenced`);
  }
  const held = [...memory.volumes.values()].find(
    ({ holders, ours }) => ours && holders.some((holder) => holder.instanceId === instanceId),
  );
  if (held) return violation(`${id} is recovered by quarantine, and ${held.volumeId} is there`);
  const [agentId] = atWork(memory, instanceId);
  return agentId === undefined
    ? undefined
    : violation(`${id} is recovered by quarantine, and ${agentId} gets work`);
};

export const honestEnd: Rule = (event, memory) => {
  if (!isState(event) || event.item.status !== 'recovered') return undefined;
  const before = memory.incidents.get(event.pk);
  if (before?.status === 'recovered') return undefined;
  const next = incidentOf(event, before);
  if (next.isQuarantine) return honestQuarantine(next, memory);
  // A returned host without data is fenced for having come back: there is no app to bring back.
  if (next.volumeIds.length === 0 && next.recoveredTo.length === 0 && wasFenced(next, memory)) {
    return undefined;
  }
  if (next.recoveredTo.length === 0)
    return violation(`${next.id} is recovered, and no app is back`);
  const homes = next.recoveredTo.map(({ toInstanceId }) => toInstanceId);
  const astray = next.volumeIds.find((volumeId) => {
    const [holder, other] = heldBy(memory.volumes.get(volumeId));
    return other !== undefined || holder === undefined || !homes.includes(holder.instanceId);
  });
  return astray
    ? violation(`${next.id} is recovered, and ${astray} is not where its app is`)
    : undefined;
};

export const quietMessages: Rule = (event) =>
  event.kind === 'mutation' && event.by.functionName === 'notify'
    ? violation(`a message makes a change: ${event.call}`)
    : undefined;

/** Of all that wait in a storm one message tells: none of them has news of its own. */
export const oneDigest: Rule = (event, { stormQueue }) =>
  event.kind === 'news' &&
  event.phase === 'held' &&
  /^(?:blind|storm)$/.test(event.holdReason ?? '') &&
  stormQueue.has(event.incidentId)
    ? violation(`${event.incidentId} waits in a storm and tells of it by itself`)
    : undefined;

const SECRETS = /xox[abp]-[\w-]+|hooks\.slack\.com\/services|eyJ[\w-]+\.[\w-]+\.[\w-]+/;

export const noSecrets: Rule = (event) => {
  const text =
    event.kind === 'said'
      ? event.text
      : event.kind === 'ledger'
        ? JSON.stringify(event.item ?? {})
        : '';
  return SECRETS.test(text)
    ? violation(`a secret is in ${event.kind === 'said' ? event.where : 'the ledger'}`)
    : undefined;
};
