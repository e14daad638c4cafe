import type { AgentId, EpochMs, InstanceId } from '../domain/ids.ts';
import type { Verdict } from '../domain/incident.ts';
import type { Policy } from '../domain/policy.ts';
import type { Inventory, MesosAgent } from '../domain/service.ts';
import {
  type ChecksWitness,
  type Ec2Witness,
  type Evidence,
  isDown,
  isImpaired,
  isLost,
  type MastersWitness,
  type MesosWitness,
  mayFence,
  missingMax,
} from '../domain/verdict.ts';
import type { ComputeReads } from '../ports/compute.ts';
import type { Orchestrator } from '../ports/orchestrator.ts';
import type { Clock } from '../ports/system.ts';

export interface WitnessDeps {
  readonly compute: Pick<ComputeReads, 'instance' | 'statusChecks'>;
  readonly orchestrator: Pick<Orchestrator, 'agents' | 'probe'>;
  readonly clock: Clock;
}

/** What it takes to hold Mesos against EC2: the agents that should be there, and both their words. */
export interface CountDeps {
  readonly compute: Pick<ComputeReads, 'instancesOfCluster' | 'statusChecksOf'>;
  readonly policy: Pick<Policy, 'blindLimit' | 'blindLimitPercent'>;
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

const isLastLook = ({ failedProbes }: KnownAgent): boolean => failedProbes >= silentProbes;

type Probes = Promise<readonly boolean[]>;

/** Two at once, a last look too: one alone may meet a fault of Admin Router's. */
const probeTwice = (
  { orchestrator }: WitnessDeps,
  agentId: AgentId,
  known: KnownAgent,
  signal: AbortSignal,
): Probes => {
  const timeoutMs = isLastLook(known) ? lastLookMs : probeTimeoutMs;
  const probes = Array.from({ length: silentProbes }, () =>
    orchestrator.probe(agentId, timeoutMs, signal),
  );
  return Promise.all(probes);
};

/**
 * Asks the agent itself, through Admin Router, beside others that should answer. A hung kernel
 * closes no connection, so the master would need five minutes to notice.
 */
const probeAgent = async (
  deps: WitnessDeps,
  agent: MesosAgent,
  others: readonly MesosAgent[],
  { failedProbes }: KnownAgent,
  probes: Probes,
  signal: AbortSignal,
): Promise<MesosWitness> => {
  const missing = Math.max(0, silentProbes - failedProbes);
  const [here, there] = await Promise.all([
    probes,
    Promise.all(
      others
        .slice(0, othersAskedMax)
        .map((other) => deps.orchestrator.probe(other.agentId, probeTimeoutMs, signal)),
    ),
  ]);
  if (here.includes(true)) {
    return { kind: 'working', agentId: agent.agentId, how: 'it answers' };
  }
  const answering = there.filter(Boolean).length;
  return answering >= othersAnsweringMin
    ? { kind: 'silent', agentId: agent.agentId, probes: failedProbes + missing }
    : { kind: 'unclear', agentId: agent.agentId, answering };
};

/** Neither recovered only, nor unheard of; one that we deactivated ourselves may well work. */
export const isListed = (agent: MesosAgent): boolean =>
  (agent.active || agent.deactivated) && !agent.recovered;

/**
 * How many agents that were seen well once Mesos has lost now, although EC2 runs them and does not
 * call them impaired. As long as Mesos lists nearly all of them nobody asks EC2: then the difference
 * is all there can be. An agent that EC2 cannot be asked about may be well.
 */
export const countMissing = async (
  { compute, policy }: CountDeps,
  agents: readonly MesosAgent[],
  watched: readonly InstanceId[],
): Promise<MastersWitness> => {
  const listed = agents.filter(isListed);
  const known = Math.max(watched.length, listed.length);
  const difference = watched.length - listed.length;
  if (difference <= missingMax(known, policy)) {
    return { kind: 'counted', known, missing: Math.max(0, difference) };
  }
  const hosts = new Set(listed.map(({ hostname }) => hostname));
  try {
    const unseen = (await compute.instancesOfCluster()).filter(
      ({ instanceId, privateIp, state }) =>
        state === 'running' && watched.includes(instanceId) && !hosts.has(privateIp ?? ''),
    );
    const checks = await compute.statusChecksOf(unseen.map(({ instanceId }) => instanceId));
    const well = unseen.filter(({ instanceId }) => {
      const own = checks.get(instanceId);
      return own === undefined || !isImpaired(own);
    });
    return { kind: 'counted', known, missing: well.length };
  } catch (error) {
    return { kind: 'uncounted', known, why: say(error) };
  }
};

/** Passes an answer through and notes when it came. */
type Stamp = <Answer>(asked: Promise<Answer>) => Promise<Answer>;

/** Evidence, and when the first of its answers came: it is as old as that. */
export interface FreshEvidence extends Evidence {
  readonly oldestAt: EpochMs;
}

/** The master's word on one agent, and the list it is from; empty: the masters did not answer. */
interface MesosView {
  readonly mesos: MesosWitness;
  readonly agents: readonly MesosAgent[];
}

/** The orchestrator's view of one agent: the master's list, and the agent itself. */
const readMesos = async (
  deps: WitnessDeps,
  known: KnownAgent,
  signal: AbortSignal,
  answered: Stamp,
): Promise<MesosView> => {
  const [only, ...more] = known.agentIds;
  const isOne = only !== undefined && more.length === 0;
  // Most likely it is silent still: its last look need not wait for the list.
  const early = isOne && isLastLook(known) ? probeTwice(deps, only, known, signal) : undefined;
  const probesOf = (agentId: AgentId): Probes =>
    (agentId === only ? early : undefined) ?? probeTwice(deps, agentId, known, signal);
  let agents: MesosAgent[];
  try {
    agents = await answered(deps.orchestrator.agents());
  } catch (error) {
    return { mesos: { kind: 'masters-unreachable', why: say(error) }, agents: [] };
  }
  return { mesos: await askMesos(deps, known, agents, probesOf, signal), agents };
};

const askMesos = async (
  deps: WitnessDeps,
  known: KnownAgent,
  agents: readonly MesosAgent[],
  probesOf: (agentId: AgentId) => Probes,
  signal: AbortSignal,
): Promise<MesosWitness> => {
  const here = agents.filter((agent) => isHere(agent, known));
  // A deactivated agent is listed inactive although it may be well: only the agent can tell.
  const active = here.find(isListed);
  if (active === undefined) {
    const [listed] = here;
    return listed === undefined
      ? { kind: 'not-listed' }
      : { kind: 'inactive', agentId: listed.agentId };
  }
  const others = agents.filter((agent) => agent.active && !here.includes(agent));
  return probeAgent(deps, active, others, known, probesOf(active.agentId), signal);
};

/** Holds Mesos against EC2, if it has lost this agent and EC2 runs it. */
type Count = (agents: readonly MesosAgent[]) => Promise<MastersWitness>;

/**
 * Fresh reads of all witnesses, side by side. Never throws: what cannot be read is evidence of its
 * own. Where EC2 says the instance is down nobody waits for the agent to answer. `count` is asked
 * whether Mesos is to be believed when it has lost this agent; without it nobody counts.
 */
export const gatherEvidence = async (
  deps: WitnessDeps,
  instanceId: InstanceId,
  inventory: Inventory | undefined,
  count?: Count,
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
  let view = await asking;
  const restarted =
    ec2.kind === 'seen' &&
    inventory !== undefined &&
    ec2.instance.launchTime !== inventory.launchTime;
  // What was known of the earlier incarnation, its silence above all, says nothing about this one.
  if (restarted) view = await readMesos(deps, fromInstance(ec2), stopAsking.signal, answered);
  const { agents, mesos } = view;
  const isRunning = ec2.kind === 'seen' && ec2.instance.state === 'running';
  const masters = isRunning && isLost(mesos) ? await count?.(agents) : undefined;
  const at = deps.clock.now();
  const seen = { at, oldestAt: oldestAt ?? at, ec2, checks, mesos };
  return masters === undefined ? seen : { ...seen, masters };
};
