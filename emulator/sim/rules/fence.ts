import type { EventOf, SimEvent } from '../events.ts';
import {
  heldBy,
  type IncidentSeen,
  incidentOf,
  isOff,
  justifying,
  type Memory,
  ownerOf,
  proofOf,
} from '../record.ts';
import { isForetold } from './announced.ts';
import {
  hasReturned,
  incidentFor,
  isCall,
  isState,
  newlyReleased,
  type Rule,
  residual,
  violation,
  volumeOf,
} from './rule.ts';

/** Power off, proof, release and telling, in this order: S1, S2, S3, S8, S10, S13. */

/** By a call of ours, or by our word that it may be had. */
const letGoByUs = ({ mutations, owners, releases }: Memory, volumeId: string): boolean =>
  releases.has(volumeId) ||
  mutations.some(
    ({ accepted, call, params, targets }) =>
      accepted &&
      (call === 'DetachVolume'
        ? params.VolumeId === volumeId
        : call === 'TerminateInstances' && targets.includes(owners.get(volumeId)?.from ?? '')),
  );

export const singleWriter: Rule = (event, memory) => {
  if (event.kind === 'foreign') {
    // What a person has pulled off a machine that writes on, DC/OS may have taken before any step.
    return letGoByUs(memory, event.volumeId)
      ? violation(`${event.rows} rows of somebody else landed on ${event.volumeId}`)
      : undefined;
  }
  if (event.kind === 'volume' && event.holders.length > 1) {
    const who = event.holders.map(({ instanceId }) => instanceId).join(' and ');
    return violation(`${event.volumeId} is attached to ${who}`);
  }
  if (!newlyReleased(event, memory)) return undefined;
  const { from = '' } = ownerOf(event);
  const machine = memory.machines.get(from);
  const volumeId = volumeOf(event);
  const reaches = heldBy(memory.volumes.get(volumeId)).some((h) => h.instanceId === from);
  const sameRun = machine?.launchTime === proofOf(memory, from)?.launchTime;
  return machine?.powered && (reaches || sameRun)
    ? violation(`${volumeId} is released while ${from} can write`)
    : undefined;
};

/** A volume is detached from the machine it was claimed from, and from nobody else. */
export const ownersAreLeftAlone: Rule = (event, memory) => {
  if (!isCall(event, 'DetachVolume') || !event.accepted) return undefined;
  const { VolumeId: volumeId = '' } = event.params;
  const from = memory.owners.get(volumeId)?.from;
  const robbed = heldBy(memory.volumes.get(volumeId)).find((h) => h.instanceId !== from);
  return robbed && violation(`${volumeId} is taken away from ${robbed.instanceId}`);
};

export const fenceBeforeRelease: Rule = (event, memory) => {
  if (!newlyReleased(event, memory)) return undefined;
  const volumeId = volumeOf(event);
  const { from = '' } = ownerOf(event);
  const proof = proofOf(memory, from);
  if (proof === undefined)
    return violation(`${volumeId} is released, ${from} was never proven off`);
  // One may be behind: two agree.
  const free = (memory.freeSeen.get(volumeId) ?? []).filter((at) => at >= proof.at);
  return free.length < 2
    ? violation(`${volumeId} is released, and no two reads after the proof showed it free`)
    : undefined;
};

/** A proof that was not there before. */
const newProof = (event: SimEvent, memory: Memory) => {
  if (!isState(event)) return undefined;
  const { by } = event;
  const before = memory.incidents.get(event.pk);
  const incident = incidentOf(event, before);
  const [first, second] = incident.proof;
  return first === undefined || before?.proof[0]?.at === first.at
    ? undefined
    : { by, incident, first, second };
};

/** What is written down as proof is true of the machine: it has no power, and may be trusted. */
export const proofIsTrue: Rule = (event, memory) => {
  const proven = newProof(event, memory);
  if (proven === undefined) return undefined;
  const { incident, first } = proven;
  const machine = memory.machines.get(incident.instanceId);
  // After Force a machine may write on for a while: that is why such a proof is called weak.
  const isOn = machine?.powered && machine.launchTime === first.launchTime && !incident.isWeak;
  return isOn ? violation(`${incident.instanceId} is proven off and has power`) : undefined;
};

/** Two reads of one incarnation, both sent after EC2 had accepted the last command to it. */
export const proofComesAfter: Rule = (event, memory) => {
  const proven = newProof(event, memory);
  if (proven === undefined) return undefined;
  const { by, incident, first, second } = proven;
  const { id, instanceId } = incident;
  if (second === undefined || second.launchTime !== first.launchTime) {
    return violation(`${id}: the proof is not two reads of one incarnation`);
  }
  const command = memory.commands.get(instanceId);
  const readAt = first.at - (by.clockOffMs ?? 0);
  return command?.launchTime === first.launchTime && readAt <= command.at
    ? violation(`${id}: a read from before the last command is half of the proof`)
    : undefined;
};

const IN_FLIGHT_MS = 2_000;

/** Sent when it was right, for all we know, and held up until it could do nothing any more. */
const cameTooLate = ({ accepted, at, by }: EventOf<'mutation'>): boolean =>
  !accepted && at - by.wire.at > IN_FLIGHT_MS;

/** The proof on which a volume is let go is of the incarnation that is there. */
export const proofIsOfThisRun: Rule = (event, memory) => {
  if (!isCall(event, 'DetachVolume')) return undefined;
  const { instanceId = '', proof: [proof] = [] } = incidentFor(event, memory) ?? {};
  const read = lastRead(event, memory, instanceId);
  if (proof === undefined || read === undefined) return undefined;
  if (cameTooLate(event)) return residual(`${event.call} was in flight, and EC2 refused it`);
  return proof.launchTime === read.launchTime
    ? undefined
    : violation(`DetachVolume on the proof of another incarnation of ${instanceId}`);
};

const lastRead = (event: EventOf<'mutation'>, memory: Memory, instanceId: string) =>
  justifying(memory, event.by, 'instances')
    .flatMap(({ instances = [] }) => instances)
    .findLast((seen) => seen.instanceId === instanceId);

const MIN_BEFORE_FORCE_MS = 60_000;

export const detachAfterProof: Rule = (event, memory) => {
  if (!isCall(event, 'DetachVolume')) return undefined;
  const { VolumeId: volumeId = '', InstanceId: instanceId, Force: force } = event.params;
  if (instanceId === undefined) return violation(`DetachVolume ${volumeId} names no instance`);
  if (cameTooLate(event)) return residual(`${event.call} was in flight, and EC2 refused it`);
  const proof = proofOf(memory, instanceId);
  if (proof === undefined || proof.at > event.by.wire.at) {
    return violation(`DetachVolume ${volumeId} from ${instanceId}, which was never proven off`);
  }
  const read = lastRead(event, memory, instanceId);
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

/** EC2's status checks; facts of EC2. */
const CHECKS_EVERY_MS = 60_000;

const NEEDED = ['instances', 'checks', 'agents'] as const;

/** As operators are told: so few may be lost at once, absolute and per cent, or Mesos is in doubt. */
const missingMax = (known: number, { BlindLimit, BlindLimitPercent }: Memory['policy']): number =>
  Math.min(Number(BlindLimit), Math.max(1, Math.ceil((known * Number(BlindLimitPercent)) / 100)));

/**
 * Well, and yet it may be fenced: the master has in truth not listed its agent for the grace, nearly
 * all others are listed, and policy or a person says that this is enough.
 */
const isPartitioned = (
  at: number,
  instanceId: string,
  incident: IncidentSeen | undefined,
  { agents, machines, policy, unlistedSince }: Memory,
): boolean => {
  const may =
    policy.PartitionedAgent === 'fence' || incident?.acknowledged.includes('partitioned') === true;
  const [own] = [...agents.values()].filter((agent) => agent.instanceId === instanceId);
  const since = own === undefined ? undefined : unlistedSince.get(own.agentId);
  if (!may || since === undefined) return false;
  const lost = [...agents.values()].filter(
    (agent) => !agent.listed && machines.get(agent.instanceId)?.well === true,
  );
  const graceMs = Number(policy.PartitionedGraceSeconds) * 1_000;
  return at - since >= graceMs && lost.length <= missingMax(agents.size, policy);
};

export const onlyTheFailed: Rule = (event, memory) => {
  if (!isCall(event, 'StopInstances', 'TerminateInstances')) return undefined;
  const [instanceId = ''] = event.targets;
  const machine = memory.machines.get(instanceId);
  const incident = incidentFor(event, memory);
  // Once a command was accepted the incident is completed, through restarts too.
  const committed = (memory.commands.get(instanceId)?.at ?? 0) >= (incident?.openedAt ?? Infinity);
  if (machine === undefined || committed || machine.state !== 'running') return undefined;
  const unwellUntil = memory.unwellUntil.get(instanceId) ?? 0;
  const onItsWay = `${instanceId} recovered while ${event.call} was on its way`;
  if (machine.well && unwellUntil >= event.by.wire.at) return residual(onItsWay);
  const missing = NEEDED.find((of) => justifying(memory, event.by, of).length === 0);
  if (missing) return violation(`${event.call} ${instanceId} without a fresh read of ${missing}`);
  // One that was fenced before and runs again may be fenced for that alone.
  if (!machine.well || incident?.ordered || hasReturned(memory, instanceId)) return undefined;
  if (isPartitioned(event.by.wire.at, instanceId, incident, memory)) return undefined;
  if (isForetold(event, incident, memory)) return undefined;
  // What EC2 calls impaired was so at its last check; while the agent is not back, nobody knows better.
  const isListed = [...memory.agents.values()].some(
    (agent) => agent.instanceId === instanceId && agent.listed,
  );
  const isImpaired = justifying(memory, event.by, 'checks').some(({ impaired }) => impaired);
  const lagMs = isImpaired && !isListed ? CHECKS_EVERY_MS : 0;
  const oldest = Math.min(
    ...NEEDED.flatMap((of) => justifying(memory, event.by, of)).map((read) => read.by.wire.at),
  );
  return unwellUntil >= oldest - lagMs
    ? residual(onItsWay)
    : violation(`${event.call} ${instanceId}, which is well`);
};

/** The fenced incarnation must not take the volume back from whoever has it now. */
export const noZombie: Rule = (event, memory) => {
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

const PARTIAL_MS = 10_000;

export const tellLast: Rule = (event, memory) => {
  if (!isCall(event, 'MARK_AGENT_GONE')) return undefined;
  const [agentId = ''] = event.targets;
  const instanceId = memory.agents.get(agentId)?.instanceId ?? '';
  const proof = proofOf(memory, instanceId);
  if (proof === undefined)
    return violation(`${agentId} is marked gone, its machine not proven off`);
  const incident = incidentFor(event, memory);
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
