import { type Question, questionsOf } from './consent.ts';
import type { By, EventOf, Foretold, Holder, SimEvent } from './events.ts';
import { list, object, text } from './json.ts';
import { type Switches, switchesOf } from './switches.ts';

/** A broken promise. */
export interface Violation {
  invariant: string;
  /** Epoch ms. */
  at: number;
  says: string;
}

export interface Proof {
  /** First read that says off, sent after the last accepted command on this incarnation. */
  at: number;
  launchTime: number;
}

export interface Intent {
  call: string;
  target: string;
  token: number;
  actor: string;
  incidentId: string;
  invocationId: string;
  /** Written down, epoch ms. */
  at: number;
  outcome?: { kind: string };
}

export interface IncidentSeen {
  id: string;
  instanceId: string;
  status: string;
  token: number;
  executionArn: string | undefined;
  holdReason: string | undefined;
  /** Every reason it was ever held for, and since when, in order. */
  holds: readonly { reason: string; at: number }[];
  handedOff: boolean;
  volumeIds: readonly string[];
  agentIds: readonly string[];
  recoveredTo: readonly { toInstanceId: string }[];
  /** When the token last rose, epoch ms. */
  takenAt: number;
  ordered: boolean;
  /** What a person has waved through. */
  acknowledged: readonly string[];
  /** Since when a person holds it. */
  heldByPersonAt: number | undefined;
  /** When it was first written down. */
  openedAt: number;
  /** As written down: the two reads that say off. */
  proof: readonly { at: number; launchTime: number }[];
  /** It took Force. */
  isWeak: boolean;
  /** It ended with a returned host that gets no work, and no fence. */
  isQuarantine: boolean;
  /** A signal told of what AWS plans for the machine. */
  isAnnounced: boolean;
  /** What a person was asked, and what has become of it, in order. */
  questions: readonly Question[];
}

export interface Owner {
  epoch: number;
  state: string;
  incidentId: string | undefined;
  from: string | undefined;
  owner: string | undefined;
}

/** Everything the checker remembers: what is true, what was served, what was written. */
export interface Memory {
  readonly machines: Map<string, EventOf<'machine'>>;
  /** When a machine was last not well; a running one is well since then. */
  readonly unwellUntil: Map<string, number>;
  readonly volumes: Map<string, EventOf<'volume'>>;
  /** Machine or volume -> when it left our scope. */
  readonly strangerSince: Map<string, number>;
  readonly agents: Map<string, EventOf<'agent'>>;
  readonly reads: Map<string, EventOf<'read'>[]>;
  /** Of the newest incarnation. */
  readonly commands: Map<string, { at: number; launchTime: number }>;
  readonly proofs: Map<string, Proof>;
  /** Volume -> when the reads were sent that showed it free, since one showed it held. */
  readonly freeSeen: Map<string, readonly number[]>;
  /** Executions that have not ended. */
  readonly running: Set<string>;
  readonly owners: Map<string, Owner>;
  readonly incidents: Map<string, IncidentSeen>;
  readonly intents: Map<string, Intent>;
  /** Machine -> since when it has been off. */
  readonly offSince: Map<string, number>;
  /** Volume -> the machine that held it last but one, and until when. */
  readonly letGo: Map<string, { instanceId: string; at: number }>;
  /** Volume -> its last release. */
  readonly releases: Map<string, { at: number; incidentId: string | undefined }>;
  /** Invocation -> when it sent the first request we saw. */
  readonly begunAt: Map<string, number>;
  control: Switches;
  /** The deployment's parameters. */
  policy: Readonly<Record<string, string>>;
  /** Agent -> since when the master has not listed it. */
  readonly unlistedSince: Map<string, number>;
  /** Machine -> when and where it was last given a power command while it was not down. */
  readonly struck: Map<string, { at: number; zone: string | undefined }>;
  /** How far the service's clocks were seen to be off, ms: the one most behind, the one most ahead. */
  clocks: { behindMs: number; aheadMs: number };
  readonly mutations: EventOf<'mutation'>[];
  /** Incidents that wait in a storm, as it is written down. */
  stormQueue: ReadonlySet<string>;
  /** Machine -> what was last served about AWS's plans with it. */
  readonly foretold: Map<string, Foretold>;
}

export const createMemory = (): Memory => ({
  machines: new Map(),
  unwellUntil: new Map(),
  volumes: new Map(),
  strangerSince: new Map(),
  agents: new Map(),
  reads: new Map(),
  commands: new Map(),
  proofs: new Map(),
  freeSeen: new Map(),
  running: new Set(),
  owners: new Map(),
  incidents: new Map(),
  intents: new Map(),
  offSince: new Map(),
  letGo: new Map(),
  releases: new Map(),
  begunAt: new Map(),
  control: { paused: undefined, maintenance: new Map(), stormWaved: undefined },
  policy: {},
  unlistedSince: new Map(),
  struck: new Map(),
  clocks: { behindMs: 0, aheadMs: 0 },
  mutations: [],
  stormQueue: new Set(),
  foretold: new Map(),
});

export const isOff = (state: string | undefined): boolean =>
  state === 'stopped' || state === 'terminated';

/** Down, or on the way there: nothing healthy can be hurt any more. */
export const isGoingDown = (state: string | undefined): boolean =>
  isOff(state) || state === 'stopping' || state === 'shutting-down';

export const heldBy = (volume: EventOf<'volume'> | undefined): readonly Holder[] =>
  volume?.holders ?? [];

/** Off by a read sent after the last command this incarnation was given. */
export const proofOf = (memory: Memory, instanceId: string): Proof | undefined => {
  const proof = memory.proofs.get(instanceId);
  const command = memory.commands.get(instanceId);
  const isEarly =
    command !== undefined && command.launchTime === proof?.launchTime && proof.at <= command.at;
  return isEarly ? undefined : proof;
};

/** A read that justifies is answered within this long before the change is sent. */
export const justifiesMs = 2_000;

/** Reads of the same invocation, answered before this request was sent and not long before. */
export const justifying = (memory: Memory, by: By, of: EventOf<'read'>['of']): EventOf<'read'>[] =>
  (memory.reads.get(by.invocationId) ?? []).filter((read) => {
    const { answeredAt } = read.by.wire;
    if (read.of !== of || answeredAt === undefined || answeredAt > by.wire.at) return false;
    return by.wire.at - answeredAt <= justifiesMs;
  });

/** An incident's STATE item, as far as the invariants ask. */
export const incidentOf = (
  { item = {}, at }: EventOf<'ledger'>,
  before: IncidentSeen | undefined,
): IncidentSeen => {
  const facts = object(item.facts);
  const token = Number(item.token);
  const fence = object(item.fence);
  const signals = Object.values(object(item.signals)) as { source?: string; notice?: object }[];
  const holdReason = text(object(item.hold).reason);
  const holds = before?.holds ?? [];
  const isNew = holdReason !== undefined && holdReason !== before?.holdReason;
  return {
    id: String(item.id),
    instanceId: String(item.instanceId),
    status: String(item.status),
    token,
    executionArn: text(item.executionArn),
    holdReason,
    holds: isNew ? [...holds, { reason: holdReason, at }] : holds,
    handedOff: object(item.handOff).completedAt !== undefined,
    volumeIds: list<{ volumeId: string }>(facts.volumes).map(({ volumeId }) => volumeId),
    agentIds: list<string>(facts.agentIds),
    recoveredTo: list<{ toInstanceId: string }>(object(item.recovery).apps),
    takenAt: before?.token === token ? before.takenAt : at,
    acknowledged: list<string>(item.acknowledged),
    // Who asks for a planned move orders no fence.
    ordered: signals.some(({ notice, source }) => source === 'operator' && notice === undefined),
    isAnnounced: signals.some(
      ({ notice, source }) => source !== 'operator' && notice !== undefined,
    ),
    heldByPersonAt: item.operatorHold === undefined ? undefined : (before?.heldByPersonAt ?? at),
    openedAt: before?.openedAt ?? at,
    proof: list<{ at: number; launchTime: string }>(fence.proof).map((read) => ({
      at: read.at,
      launchTime: Date.parse(read.launchTime),
    })),
    isWeak: fence.strength === 'weak',
    isQuarantine: item.quarantine !== undefined && item.recovery === undefined,
    questions: questionsOf(item, at, before?.questions),
  };
};

export const ownerOf = ({ item = {} }: EventOf<'ledger'>): Owner => ({
  epoch: Number(item.epoch),
  state: String(item.state),
  incidentId: text(item.incidentId),
  from: text(item.from),
  owner: text(item.owner),
});

export const intentOf = ({ item = {}, pk, by, at }: EventOf<'ledger'>): Intent => {
  const outcome = item.outcome as Intent['outcome'];
  return {
    call: String(item.call),
    target: String(item.target),
    token: Number(item.token),
    actor: String(item.actor),
    incidentId: pk.slice('INCIDENT#'.length),
    invocationId: by.invocationId,
    at,
    ...(outcome === undefined ? {} : { outcome }),
  };
};

const rememberRead = (memory: Memory, read: EventOf<'read'>): void => {
  const { invocationId } = read.by;
  const mine = memory.reads.get(invocationId) ?? [];
  mine.push(read);
  memory.reads.set(invocationId, mine);
  for (const plan of read.foretold ?? []) memory.foretold.set(plan.instanceId, plan);
  for (const { instanceId, state, launchTime } of read.instances ?? []) {
    const command = memory.commands.get(instanceId);
    const commanded = command?.launchTime === launchTime;
    const known = memory.proofs.get(instanceId);
    if (!isOff(state) || (commanded && read.by.wire.at <= command.at)) continue;
    if (known?.launchTime !== launchTime || (commanded && known.at < command.at)) {
      memory.proofs.set(instanceId, { at: read.by.wire.at, launchTime });
    }
  }
  for (const { volumeId, state, holders } of read.volumes ?? []) {
    const isFree = state === 'available' && holders.length === 0;
    const before = memory.freeSeen.get(volumeId) ?? [];
    memory.freeSeen.set(volumeId, isFree ? [...before.slice(-1), read.by.wire.at] : []);
  }
};

/** The outcome is added later; written down it was when it was first. */
const rememberIntent = (memory: Memory, event: EventOf<'ledger'>): void => {
  const key = event.pk + event.sk;
  const intent = intentOf(event);
  const first = memory.intents.get(key);
  memory.intents.set(key, first === undefined ? intent : { ...intent, at: first.at });
};

const rememberOwner = (memory: Memory, event: EventOf<'ledger'>): void => {
  const volumeId = event.pk.slice('VOLUME#'.length);
  const owner = ownerOf(event);
  const before = memory.owners.get(volumeId);
  const isNew = before?.state !== 'released' || before.epoch !== owner.epoch;
  if (owner.state === 'released' && isNew) {
    memory.releases.set(volumeId, { at: event.at, incidentId: owner.incidentId });
  }
  memory.owners.set(volumeId, owner);
};

const POWER = /^(?:Stop|Terminate)Instances$/;

/** Takes an event into the memory; what the invariants compare it with is what was before. */
export const remember = (memory: Memory, event: SimEvent): void => {
  if ('by' in event && !memory.begunAt.has(event.by.invocationId)) {
    memory.begunAt.set(event.by.invocationId, event.by.wire.at);
  }
  if ('by' in event) {
    const { clocks } = memory;
    clocks.behindMs = Math.max(clocks.behindMs, -(event.by.clockOffMs ?? 0));
    clocks.aheadMs = Math.max(clocks.aheadMs, event.by.clockOffMs ?? 0);
  }
  switch (event.kind) {
    case 'machine': {
      const before = memory.machines.get(event.instanceId);
      if (!event.well || before?.well === false) memory.unwellUntil.set(event.instanceId, event.at);
      if (before?.ours && !event.ours) memory.strangerSince.set(event.instanceId, event.at);
      memory.machines.set(event.instanceId, event);
      if (!isOff(event.state)) memory.offSince.delete(event.instanceId);
      else if (!isOff(before?.state)) memory.offSince.set(event.instanceId, event.at);
      return;
    }
    case 'volume':
      if (memory.volumes.get(event.volumeId)?.ours && !event.ours) {
        memory.strangerSince.set(event.volumeId, event.at);
      }
      for (const { instanceId } of memory.volumes.get(event.volumeId)?.holders ?? []) {
        const isHeld = event.holders.some((holder) => holder.instanceId === instanceId);
        if (!isHeld) memory.letGo.set(event.volumeId, { instanceId, at: event.at });
      }
      memory.volumes.set(event.volumeId, event);
      return;
    case 'agent':
      if (event.listed) memory.unlistedSince.delete(event.agentId);
      else if (!memory.unlistedSince.has(event.agentId)) {
        memory.unlistedSince.set(event.agentId, event.at);
      }
      memory.agents.set(event.agentId, event);
      return;
    case 'policy':
      memory.policy = event.parameters;
      return;
    case 'execution':
      if (event.running) memory.running.add(event.arn);
      else memory.running.delete(event.arn);
      return;
    case 'read':
      rememberRead(memory, event);
      return;
    case 'mutation':
      memory.mutations.push(event);
      for (const target of event.accepted && POWER.test(event.call) ? event.targets : []) {
        const { state, launchTime = 0, zone } = memory.machines.get(target) ?? {};
        if (!isGoingDown(state)) memory.struck.set(target, { at: event.at, zone });
        // To a machine that is off a command means nothing: what was read of it stays true.
        if (!isOff(state)) memory.commands.set(target, { at: event.at, launchTime });
      }
      return;
    case 'ledger':
      if (event.item === undefined) return;
      if (event.sk === 'OWNER') rememberOwner(memory, event);
      if (event.sk === 'STORM') {
        memory.stormQueue = new Set(Object.keys(object(event.item.waiting)));
      }
      if (event.sk === 'CONTROL') memory.control = switchesOf(event, memory.control);
      if (event.sk.startsWith('STEP#')) rememberIntent(memory, event);
      if (event.sk === 'STATE' && !event.pk.includes('#dry-')) {
        const before = memory.incidents.get(event.pk);
        memory.incidents.set(event.pk, incidentOf(event, before));
      }
      return;
    case 'consent':
    case 'foreign':
    case 'news':
    case 'said':
      return;
  }
};
