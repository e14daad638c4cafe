import type { AgentId, EpochMs, InstanceId } from '../domain/ids.ts';
import type { Verdict } from '../domain/incident.ts';
import type { Inventory, MesosAgent } from '../domain/service.ts';
import {
  type ChecksWitness,
  type Ec2Witness,
  type Evidence,
  isDown,
  type MesosWitness,
  mayFence,
} from '../domain/verdict.ts';
import type { ComputeReads } from '../ports/compute.ts';
import type { Orchestrator } from '../ports/orchestrator.ts';
import type { Clock } from '../ports/system.ts';

export interface WitnessDeps {
  readonly compute: Pick<ComputeReads, 'instance' | 'statusChecks'>;
  readonly orchestrator: Pick<Orchestrator, 'agents' | 'probe'>;
  readonly clock: Clock;
}

/** A probe that gets no answer for this long has failed. */
export const probeTimeoutMs = 1_000;
/** Two failed probes make an agent silent. */
export const silentProbes = 2;
/** Failed probes older than this say nothing about now. */
const silenceLastsMs = 150_000;
/**
 * A last look for a sign of life, when two full probes failed a moment ago: longer than the 99th
 * percentile of an answer through Admin Router, and no longer than the reads of EC2 beside it.
 */
const lastLookMs = 100;
/** At least this many others must answer, or the probe proves nothing about this one. */
const othersAnsweringMin = 2;
const othersAskedMax = 3;

const say = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Unreadable is evidence of its own: never an answer, never an exception. */
const readEc2 = async (deps: WitnessDeps, instanceId: InstanceId): Promise<Ec2Witness> => {
  try {
    const instance = await deps.compute.instance(instanceId);
    return instance === undefined ? { kind: 'unknown-instance' } : { kind: 'seen', instance };
  } catch (error) {
    return { kind: 'unreadable', why: say(error) };
  }
};

const readChecks = async (deps: WitnessDeps, instanceId: InstanceId): Promise<ChecksWitness> => {
  try {
    const checks = await deps.compute.statusChecks(instanceId);
    return checks === undefined ? { kind: 'none' } : { kind: 'seen', checks };
  } catch (error) {
    return { kind: 'unreadable', why: say(error) };
  }
};

interface KnownAgent {
  readonly privateIp: string | undefined;
  readonly agentIds: readonly AgentId[];
  /** Full probes that failed in a row just before, with others answering. */
  readonly failedProbes: number;
}

const fromInventory = (inventory: Inventory, now: EpochMs): KnownAgent => {
  const { silence } = inventory;
  const fresh = silence !== undefined && now - silence.lastAt <= silenceLastsMs;
  return {
    privateIp: inventory.privateIp,
    agentIds: inventory.agentIds,
    failedProbes: fresh ? silence.probes : 0,
  };
};

/**
 * What is known of the agent, for an incident that was judged before. Once anything spoke against a
 * failure, the agent perhaps, the probes that failed before that count no more: it is asked in full.
 */
export const knownSince = (
  inventory: Inventory | undefined,
  verdict: Verdict | undefined,
): Inventory | undefined => {
  if (inventory?.silence === undefined || verdict === undefined) return inventory;
  if (mayFence(verdict) || verdict.at < inventory.silence.lastAt) return inventory;
  const { silence: _before, ...rest } = inventory;
  return rest;
};

const fromInstance = (ec2: Ec2Witness): KnownAgent => ({
  privateIp: ec2.kind === 'seen' ? ec2.instance.privateIp : undefined,
  agentIds: [],
  failedProbes: 0,
});

const isHere = (agent: MesosAgent, known: KnownAgent): boolean =>
  agent.hostname === known.privateIp || known.agentIds.includes(agent.agentId);

/**
 * Asks the agent itself, through Admin Router, beside others that should answer. A hung kernel
 * closes no connection, so the master would need five minutes to notice.
 */
const probeAgent = async (
  deps: WitnessDeps,
  agent: MesosAgent,
  others: readonly MesosAgent[],
  failedProbes: number,
  signal: AbortSignal,
): Promise<MesosWitness> => {
  const missing = Math.max(0, silentProbes - failedProbes);
  const looks = missing > 0 ? missing : 1;
  const timeoutMs = missing > 0 ? probeTimeoutMs : lastLookMs;
  const probe = (target: MesosAgent, ms: number): Promise<boolean> =>
    deps.orchestrator.probe(target.agentId, ms, signal);
  const [here, there] = await Promise.all([
    Promise.all(Array.from({ length: looks }, () => probe(agent, timeoutMs))),
    Promise.all(others.slice(0, othersAskedMax).map((other) => probe(other, probeTimeoutMs))),
  ]);
  if (here.includes(true)) {
    return { kind: 'working', agentId: agent.agentId, how: 'it answers' };
  }
  const answering = there.filter(Boolean).length;
  return answering >= othersAnsweringMin
    ? { kind: 'silent', agentId: agent.agentId, probes: failedProbes + missing }
    : { kind: 'unclear', agentId: agent.agentId, answering };
};

/** Passes an answer through and notes when it came. */
type Stamp = <Answer>(asked: Promise<Answer>) => Promise<Answer>;

/** Evidence, and when the first of its answers came: it is as old as that. */
export interface FreshEvidence extends Evidence {
  readonly oldestAt: EpochMs;
}

/** The orchestrator's view of one agent: the master's list first, then the agent itself. */
const readMesos = async (
  deps: WitnessDeps,
  known: KnownAgent,
  signal: AbortSignal,
  answered: Stamp,
): Promise<MesosWitness> => {
  let agents: MesosAgent[];
  try {
    agents = await answered(deps.orchestrator.agents());
  } catch (error) {
    return { kind: 'masters-unreachable', why: say(error) };
  }
  const here = agents.filter((agent) => isHere(agent, known));
  // A deactivated agent is listed inactive although it may be well: only the agent can tell.
  const active = here.find((agent) => (agent.active || agent.deactivated) && !agent.recovered);
  if (active === undefined) {
    const [listed] = here;
    return listed === undefined
      ? { kind: 'not-listed' }
      : { kind: 'inactive', agentId: listed.agentId };
  }
  const others = agents.filter((agent) => agent.active && !here.includes(agent));
  return probeAgent(deps, active, others, known.failedProbes, signal);
};

/**
 * Fresh reads of all witnesses, side by side. Never throws: what cannot be read is evidence of its
 * own. Where EC2 says the instance is down nobody waits for the agent to answer.
 */
export const gatherEvidence = async (
  deps: WitnessDeps,
  instanceId: InstanceId,
  inventory: Inventory | undefined,
): Promise<FreshEvidence> => {
  const stopAsking = new AbortController();
  let oldestAt: EpochMs | undefined;
  const answered: Stamp = async (asked) => {
    const answer = await asked;
    oldestAt ??= deps.clock.now();
    return answer;
  };
  const reading = answered(readEc2(deps, instanceId));
  const checking = answered(readChecks(deps, instanceId));
  const asking =
    inventory === undefined
      ? reading.then((ec2) => readMesos(deps, fromInstance(ec2), stopAsking.signal, answered))
      : readMesos(deps, fromInventory(inventory, deps.clock.now()), stopAsking.signal, answered);
  const [ec2, checks] = await Promise.all([reading, checking]);
  if (ec2.kind === 'seen' && isDown(ec2.instance.state)) stopAsking.abort();
  let mesos = await asking;
  const restarted =
    ec2.kind === 'seen' &&
    inventory !== undefined &&
    ec2.instance.launchTime !== inventory.launchTime;
  // What was known of the earlier incarnation, its silence above all, says nothing about this one.
  if (restarted) mesos = await readMesos(deps, fromInstance(ec2), stopAsking.signal, answered);
  const at = deps.clock.now();
  return { at, oldestAt: oldestAt ?? at, ec2, checks, mesos };
};
