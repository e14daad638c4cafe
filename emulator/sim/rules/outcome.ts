import { heldBy, incidentOf } from '../record.ts';
import { isState, type Rule, violation } from './rule.ts';

/** Honest ends, quiet messages, no secrets: S11, S14, S15. */

export const honestEnd: Rule = (event, memory) => {
  if (!isState(event) || event.item.status !== 'recovered') return undefined;
  const before = memory.incidents.get(event.pk);
  if (before?.status === 'recovered') return undefined;
  const next = incidentOf(event, before);
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
