import type { EventOf, SimEvent } from './events.ts';
import {
  heldBy,
  type IncidentSeen,
  incidentOf,
  intentOf,
  isOff,
  justifying,
  type Memory,
  ownerOf,
  proofOf,
} from './record.ts';

/** What a rule finds: a broken promise, or a world that changed inside the window allowed. */
export type Finding = { kind: 'violation' | 'residual'; says: string };

/** Judges one event against everything before it; undefined: nothing wrong. */
type Rule = (event: SimEvent, memory: Memory) => Finding | undefined;

const violation = (says: string): Finding => ({ kind: 'violation', says });
const residual = (says: string): Finding => ({ kind: 'residual', says });

const isCall = (event: SimEvent, ...calls: string[]): event is EventOf<'mutation'> =>
  event.kind === 'mutation' && calls.includes(event.call);

const OPEN = ['open', 'held'];
const isOpen = ({ status }: IncidentSeen): boolean => OPEN.includes(status);

const releasedIn = (event: SimEvent): event is EventOf<'ledger'> =>
  event.kind === 'ledger' && event.sk === 'OWNER' && event.item?.state === 'released';

const newlyReleased = (event: SimEvent, memory: Memory): event is EventOf<'ledger'> => {
  if (!releasedIn(event)) return false;
  const before = memory.owners.get(event.pk.slice(7));
  const { epoch } = ownerOf(event);
  return before?.state !== 'released' || before.epoch !== epoch;
};

const singleWriter: Rule = (event, memory) => {
  if (event.kind === 'foreign') {
    return violation(`${event.rows} rows of somebody else landed on ${event.volumeId}`);
  }
  if (event.kind === 'volume' && event.holders.length > 1) {
    const who = event.holders.map(({ instanceId }) => instanceId).join(' and ');
    return violation(`${event.volumeId} is attached to ${who}`);
  }
  if (!newlyReleased(event, memory)) return undefined;
  const { from = '' } = ownerOf(event);
  const machine = memory.machines.get(from);
  const volumeId = event.pk.slice(7);
  const reaches = heldBy(memory.volumes.get(volumeId)).some((h) => h.instanceId === from);
  const sameRun = machine?.launchTime === proofOf(memory, from)?.launchTime;
  return machine?.powered && (reaches || sameRun)
    ? violation(`${volumeId} is released while ${from} can write`)
    : undefined;
};

const fenceBeforeRelease: Rule = (event, memory) => {
  if (!newlyReleased(event, memory)) return undefined;
  const volumeId = event.pk.slice(7);
  const { from = '' } = ownerOf(event);
  const proof = proofOf(memory, from);
  if (proof === undefined)
    return violation(`${volumeId} is released, ${from} was never proven off`);
  const free = memory.freeSeen.get(volumeId);
  if (free === undefined || free < proof.at) {
    return violation(`${volumeId} is released, no read after the proof showed it free`);
  }
  return undefined;
};

const MIN_BEFORE_FORCE_MS = 60_000;

const detachAfterProof: Rule = (event, memory) => {
  if (!isCall(event, 'DetachVolume')) return undefined;
  const { VolumeId: volumeId = '', InstanceId: instanceId, Force: force } = event.params;
  if (instanceId === undefined) return violation(`DetachVolume ${volumeId} names no instance`);
  const proof = proofOf(memory, instanceId);
  if (proof === undefined || proof.at > event.by.wire.at) {
    return violation(`DetachVolume ${volumeId} from ${instanceId}, which was never proven off`);
  }
  const read = justifying(memory, event.by, 'instances')
    .flatMap(({ instances = [] }) => instances)
    .findLast((seen) => seen.instanceId === instanceId);
  if (!isOff(read?.state) || read?.launchTime !== proof.launchTime) {
    return violation(`DetachVolume ${volumeId}: no read just before shows ${instanceId} off`);
  }
  const earlier = memory.mutations.find(
    (m) => m.call === 'DetachVolume' && m.params.VolumeId === volumeId,
  );
  if (force === 'true' && (!earlier || event.at - earlier.at < MIN_BEFORE_FORCE_MS)) {
    return violation(`DetachVolume ${volumeId} with Force and no plain one long before`);
  }
  return event.accepted && !isOff(memory.machines.get(instanceId)?.state)
    ? residual(`${instanceId} came up just before DetachVolume ${volumeId} was applied`)
    : undefined;
};

const epochRises: Rule = (event, memory) => {
  if (event.kind === 'read' && event.of === 'ledger' && event.consistent === false) {
    return violation(`${event.by.functionName} reads the ledger eventually consistent`);
  }
  if (event.kind === 'ledger' && event.sk === 'OWNER' && event.item !== undefined) {
    const before = memory.owners.get(event.pk.slice(7));
    const next = ownerOf(event);
    if (before === undefined) return undefined;
    const stolen = before.epoch === next.epoch && before.incidentId !== next.incidentId;
    return next.epoch < before.epoch || stolen
      ? violation(`${event.pk}: epoch ${next.epoch} of ${next.incidentId} after ${before.epoch}`)
      : undefined;
  }
  if (event.kind !== 'mutation') return undefined;
  const intent = intentFor(event, memory);
  const incident = intent && memory.incidents.get(`INCIDENT#${intent.incidentId}`);
  if (!intent || !incident || incident.token === intent.token) return undefined;
  // Sent before the incident was taken over: the one call that may be in flight.
  return event.by.wire.at <= incident.takenAt
    ? residual(`${event.call} was in flight when token ${intent.token} ended`)
    : violation(`${event.call} under token ${intent.token}, which is over`);
};

const oneExecution: Rule = (event, memory) => {
  if (event.kind !== 'ledger' || event.sk !== 'STATE' || event.item === undefined) return undefined;
  const before = memory.incidents.get(event.pk);
  const next = incidentOf(event, before);
  const rival = [...memory.incidents.values()].find(
    (other) => other.id !== next.id && other.instanceId === next.instanceId && isOpen(other),
  );
  if (rival && isOpen(next)) return violation(`${next.id} is open beside ${rival.id}`);
  const rebound =
    before?.token === next.token &&
    before.executionArn !== undefined &&
    before.executionArn !== next.executionArn;
  return rebound ? violation(`${next.id}: two executions under token ${next.token}`) : undefined;
};

const HARMLESS = ['DELETE /v2/queue/delay', 'DELETE /v2/apps/tasks'];

const scoped: Rule = (event, memory) => {
  if (event.kind !== 'mutation' || HARMLESS.includes(event.call)) return undefined;
  if (event.by.functionName === 'adopt') return undefined;
  const stranger = event.targets.find(
    (id) => memory.machines.get(id)?.ours === false || memory.volumes.get(id)?.ours === false,
  );
  return stranger !== undefined && event.accepted
    ? violation(`${event.call} of ${stranger}, which is not in scope`)
    : undefined;
};

const flagValues = (params: Readonly<Record<string, string>>): (string | undefined)[] => {
  const devices = Object.keys(params).filter((name) =>
    /^BlockDeviceMapping\.\d+\.DeviceName$/.test(name),
  );
  return devices.map((name) => params[name.replace('DeviceName', 'Ebs.DeleteOnTermination')]);
};

const keepsData: Rule = (event, memory) => {
  if (event.kind !== 'mutation') return undefined;
  if (event.call === 'DeleteVolume') return violation('DeleteVolume is never called');
  if (event.call === 'ModifyInstanceAttribute') {
    return flagValues(event.params).some((value) => value !== 'false')
      ? violation('DeleteOnTermination is not written out as false')
      : undefined;
  }
  if (event.call !== 'TerminateInstances') return undefined;
  const doomed = [...memory.volumes.values()].find(
    ({ ours, holders }) =>
      ours && holders.some((h) => event.targets.includes(h.instanceId) && h.deleteOnTermination),
  );
  return doomed ? violation(`TerminateInstances would delete ${doomed.volumeId}`) : undefined;
};

const NEEDED = ['instances', 'checks', 'agents'] as const;

const onlyTheFailed: Rule = (event, memory) => {
  if (!isCall(event, 'StopInstances', 'TerminateInstances')) return undefined;
  const [instanceId = ''] = event.targets;
  const machine = memory.machines.get(instanceId);
  const intent = intentFor(event, memory);
  const incident = intent && memory.incidents.get(`INCIDENT#${intent.incidentId}`);
  // Once a command was accepted the incident is completed, through restarts too.
  const committed = (memory.commands.get(instanceId)?.at ?? 0) >= (incident?.openedAt ?? Infinity);
  if (machine === undefined || committed || machine.state !== 'running') return undefined;
  const missing = NEEDED.find((of) => justifying(memory, event.by, of).length === 0);
  if (missing) return violation(`${event.call} ${instanceId} without a fresh read of ${missing}`);
  if (!machine.well || incident?.ordered) return undefined;
  const oldest = Math.min(
    ...NEEDED.flatMap((of) => justifying(memory, event.by, of)).map((read) => read.by.wire.at),
  );
  return (memory.unwellUntil.get(instanceId) ?? 0) >= oldest
    ? residual(`${instanceId} recovered while ${event.call} was on its way`)
    : violation(`${event.call} ${instanceId}, which is well`);
};

/** The fenced incarnation must not take the volume back from whoever has it now. */
const noZombie: Rule = (event, memory) => {
  if (event.kind !== 'volume') return undefined;
  const owner = memory.owners.get(event.volumeId);
  if (owner?.state !== 'owned' || owner.from === undefined || owner.owner === owner.from) {
    return undefined;
  }
  const { from } = owner;
  return event.holders.some(({ instanceId }) => instanceId === from)
    ? violation(`${from} holds ${event.volumeId} again, which ${owner.owner ?? 'another'} owns`)
    : undefined;
};

const honestEnd: Rule = (event, memory) => {
  if (event.kind !== 'ledger' || event.sk !== 'STATE' || event.item?.status !== 'recovered') {
    return undefined;
  }
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

const intentFor = (event: EventOf<'mutation'>, memory: Memory) =>
  [...memory.intents.values()].findLast(
    ({ call, target, invocationId }) =>
      call === event.call &&
      invocationId === event.by.invocationId &&
      (event.targets.includes(target) || call.includes(' ')),
  );

const intentFirst: Rule = (event, memory) => {
  if (event.kind === 'mutation' && event.by.functionName !== 'adopt') {
    const intent = intentFor(event, memory);
    if (intent === undefined || intent.at > event.by.wire.at) {
      return violation(`${event.call} ${event.targets.join(' ')} without an intent before it`);
    }
  }
  if (event.kind !== 'ledger' || !event.sk.startsWith('STEP#')) return undefined;
  const { call, outcome, invocationId } = intentOf(event);
  const made = memory.mutations.some(
    (m) => m.call === call && m.accepted && m.by.invocationId === invocationId,
  );
  return outcome?.kind === 'accepted' && !made
    ? violation(`${call} is recorded as accepted, and nobody accepted it`)
    : undefined;
};

const PARTIAL_MS = 10_000;

const tellLast: Rule = (event, memory) => {
  if (!isCall(event, 'MARK_AGENT_GONE')) return undefined;
  const [agentId = ''] = event.targets;
  const instanceId = memory.agents.get(agentId) ?? '';
  const proof = proofOf(memory, instanceId);
  if (proof === undefined)
    return violation(`${agentId} is marked gone, its machine not proven off`);
  const intent = intentFor(event, memory);
  const incident = intent && memory.incidents.get(`INCIDENT#${intent.incidentId}`);
  if (incident && incident.instanceId !== instanceId) {
    return violation(`${agentId} runs on ${instanceId}, not on ${incident.instanceId}`);
  }
  const pending = (incident?.volumeIds ?? []).find((volumeId) => {
    if (['released', 'owned'].includes(memory.owners.get(volumeId)?.state ?? '')) return false;
    const holders = heldBy(memory.volumes.get(volumeId));
    // Elsewhere, alone, after the proof: DC/OS relaunched by itself and was quicker than we.
    const [holder, other] = holders;
    if (holder !== undefined && !other && holder.instanceId !== instanceId) return false;
    const stays = holders.length > 0 && holders.every((h) => h.instanceId === instanceId);
    return !(stays && event.at - proof.at >= PARTIAL_MS);
  });
  return pending
    ? violation(`${agentId} is marked gone before ${pending} was released`)
    : undefined;
};

const quietMessages: Rule = (event) =>
  event.kind === 'mutation' && event.by.functionName === 'notify'
    ? violation(`a message makes a change: ${event.call}`)
    : undefined;

const SECRETS = /xox[abp]-[\w-]+|hooks\.slack\.com\/services|eyJ[\w-]+\.[\w-]+\.[\w-]+/;

const noSecrets: Rule = (event) => {
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

/** Every invariant that holds at every instant, by its id. */
export const invariants: Readonly<Record<string, Rule>> = {
  S1: singleWriter,
  S2: fenceBeforeRelease,
  S3: detachAfterProof,
  S4: epochRises,
  S5: oneExecution,
  S6: scoped,
  S7: keepsData,
  S8: onlyTheFailed,
  S10: noZombie,
  S11: honestEnd,
  S12: intentFirst,
  S13: tellLast,
  S14: quietMessages,
  S15: noSecrets,
};
