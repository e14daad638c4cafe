import type { AgentId, EpochMs } from '../domain/ids.ts';
import type { HoldReason, Incident, QuarantinedRun } from '../domain/incident.ts';
import type { Instance, Volume } from '../domain/machine.ts';
import { dataOn, hasReturned, isTaggedQuarantined, type Quarantine } from '../domain/quarantine.ts';
import { type Scope, whyNotOurs } from '../domain/scope.ts';
import type { MesosAgent } from '../domain/service.ts';
import { isDown } from '../domain/verdict.ts';
import type { ComputeReads, MachineMarks, Receipt } from '../ports/compute.ts';
import type { ClusterLedger, IncidentLedger, QuarantineLedger } from '../ports/ledger.ts';
import type { Orchestrator } from '../ports/orchestrator.ts';
import type { Clock } from '../ports/system.ts';
import { answerOf, makeCalls, type PlannedCall } from './calls.ts';
import { hold, loadStep, type StepInput } from './step.ts';
import { heldByOperator, type SwitchDeps, switchedSince } from './switches.ts';

export interface QuarantineAgentDeps extends SwitchDeps {
  readonly ledger: Pick<IncidentLedger, 'incident' | 'save' | 'intend' | 'conclude'> &
    Pick<ClusterLedger, 'control'> &
    Pick<QuarantineLedger, 'quarantine' | 'saveQuarantine'>;
  readonly compute: Pick<ComputeReads, 'instance' | 'volumesOf'> &
    Pick<MachineMarks, 'markQuarantined'>;
  readonly orchestrator: Pick<Orchestrator, 'agents' | 'capabilities' | 'deactivate'>;
  readonly scope: Scope;
  readonly clock: Clock;
}

export type QuarantineDecision =
  | { readonly kind: 'quarantined' }
  | { readonly kind: 'waiting'; readonly waitSeconds: number }
  /** It is no idle host any more: it is down, or has data of ours. */
  | { readonly kind: 'changed'; readonly waitSeconds: number }
  /** Somebody has un-fenced it. */
  | { readonly kind: 'cancelled' }
  | { readonly kind: 'hold'; readonly reason: HoldReason };

const actor = 'QuarantineAgent';
/** Long enough for EC2's reads to agree. */
const changed = { kind: 'changed', waitSeconds: 1 } as const;
/** A booting machine is waited for at this pace. */
const lookSeconds = 5;

/** A machine that has just come up may not have told Mesos of itself yet. */
const registersWithinMs = 180_000;

const mayStillRegister = ({ launchTime }: Instance, now: EpochMs): boolean =>
  now - Date.parse(launchTime) < registersWithinMs;

interface Picture {
  readonly instance: Instance;
  readonly volumes: readonly Volume[];
  /** Agents Mesos lists on this host, under whatever id. */
  readonly here: readonly MesosAgent[];
}

const lookAt = async (
  { compute, orchestrator }: QuarantineAgentDeps,
  { instanceId }: Incident,
): Promise<Picture | undefined> => {
  const [instance, volumes, agents] = await Promise.all([
    compute.instance(instanceId),
    compute.volumesOf(instanceId),
    orchestrator.agents(),
  ]);
  if (instance === undefined) return undefined;
  const here = agents.filter(
    ({ hostname }) => instance.privateIp !== undefined && hostname === instance.privateIp,
  );
  return { instance, volumes, here };
};

const activeOf = ({ here }: Picture): readonly MesosAgent[] =>
  here.filter(({ deactivated }) => !deactivated);

const deactivateCall = (
  { orchestrator }: QuarantineAgentDeps,
  agentId: AgentId,
): PlannedCall<boolean> => ({
  intent: { call: 'DEACTIVATE_AGENT', target: agentId, parameters: {} },
  make: () => orchestrator.deactivate(agentId),
  outcome: (done) => (done ? {} : { refused: 'not known to Mesos, or no such call' }),
});

/** The tag by which people see what this machine is. */
export const markCall = (
  { compute }: { readonly compute: Pick<MachineMarks, 'markQuarantined'> },
  { id, instanceId }: Incident,
): PlannedCall<Receipt> => ({
  intent: { call: 'CreateTags', target: instanceId, parameters: { quarantined: id } },
  make: () => compute.markQuarantined(instanceId, id),
  outcome: (receipt) => receipt,
});

/** Why this host cannot be quarantined as it stands; undefined: it can. */
const whyNot = async (
  { orchestrator, scope }: QuarantineAgentDeps,
  picture: Picture,
): Promise<{ reason: HoldReason; says: string } | undefined> => {
  const { instance } = picture;
  const stranger = whyNotOurs(instance.tags, scope);
  if (stranger !== undefined) {
    return { reason: 'ambiguous-scope', says: `${instance.instanceId} ${stranger}` };
  }
  const [agent] = activeOf(picture);
  if (agent === undefined) return undefined;
  const { deactivateAgent, version } = await orchestrator.capabilities();
  if (deactivateAgent) return undefined;
  const says =
    `the fenced host is back as agent ${agent.agentId}, and DC/OS ${version} cannot keep work from ` +
    'it. Stop the instance, start a failover of it to have it fenced, or un-fence it.';
  return { reason: 'returned-agent', says };
};

/** Written down twice: on the incident, which ends with it, and for the sweep, which guards it. */
const record = async (
  { clock, ledger, scope }: QuarantineAgentDeps,
  incident: Incident,
  quarantine: Quarantine,
  { instance, here }: Picture,
): Promise<QuarantineDecision> => {
  const at: EpochMs = clock.now();
  const { launchTime } = instance;
  const run: QuarantinedRun = { launchTime, at, agentIds: here.map(({ agentId }) => agentId) };
  const next = { ...quarantine, returned: run };
  if ((await ledger.saveQuarantine(scope.cluster, next)) === 'lost') return { kind: 'cancelled' };
  await ledger.save(incident.id, incident.token, { quarantine: run }, at);
  return { kind: 'quarantined' };
};

/**
 * Keeps work from a fenced host that runs again: whatever agent registers there gets no offers, and
 * people see a tag. Done only when seen: two reads of the host without data of ours, and a master
 * that lists no active agent on it. Nothing is detached, and nobody who owns a volume is touched.
 */
export const createQuarantineAgent =
  (all: QuarantineAgentDeps) =>
  async (input: StepInput): Promise<QuarantineDecision> => {
    const { clock, ledger, scope } = all;
    const startedAt = clock.now();
    const deps = { ...all, switches: { readAt: startedAt } };
    const { incident, control } = await loadStep(ledger, input, scope.cluster);
    const switched = heldByOperator(incident, control, startedAt);
    if (switched !== undefined) return hold(ledger, incident, switched, clock.now());
    const [quarantine, before] = await Promise.all([
      ledger.quarantine(scope.cluster, incident.instanceId),
      lookAt(deps, incident),
    ]);
    if (before === undefined) {
      const says = 'EC2 does not know the returned instance, and unknown is not gone';
      return hold(ledger, incident, { reason: 'unknown-incarnation', says }, clock.now());
    }
    const isOver = quarantine === undefined || quarantine.lifted !== undefined;
    if (isOver) return { kind: 'cancelled' };
    const isIdle = ({ instance, volumes }: Picture): boolean =>
      hasReturned(quarantine, instance) && dataOn(instance, volumes, scope.cluster).length === 0;
    if (isDown(before.instance.state) || !isIdle(before)) return changed;
    const stop = (await whyNot(deps, before)) ?? (await switchedSince(deps, incident));
    if (stop !== undefined) return hold(ledger, incident, stop, clock.now());
    const marks = isTaggedQuarantined(before.instance) ? [] : [markCall(deps, incident)];
    const calls: PlannedCall<unknown>[] = [
      ...activeOf(before).map(({ agentId }) => deactivateCall(deps, agentId)),
      ...marks,
    ];
    for (const result of await makeCalls(deps, incident, actor, calls)) answerOf(result);
    const after = calls.length === 0 ? before : await lookAt(deps, incident);
    if (after === undefined || !isIdle(after)) return changed;
    const isComing = after.here.length === 0 && mayStillRegister(after.instance, clock.now());
    if (isComing || activeOf(after).length > 0) {
      return { kind: 'waiting', waitSeconds: lookSeconds };
    }
    return record(deps, incident, quarantine, after);
  };
