import type { InstanceId } from '../domain/ids.ts';
import type { Incident } from '../domain/incident.ts';
import type { Instance, Volume } from '../domain/machine.ts';
import type { Ownership } from '../domain/ownership.ts';
import type { Quarantine } from '../domain/quarantine.ts';
import type { Scope } from '../domain/scope.ts';
import type { MesosAgent } from '../domain/service.ts';
import { whyStillFenced } from '../domain/unfence.ts';
import type { ComputeReads, MachineMarks } from '../ports/compute.ts';
import type {
  ClusterLedger,
  IncidentLedger,
  OwnershipLedger,
  QuarantineLedger,
} from '../ports/ledger.ts';
import type { Orchestrator } from '../ports/orchestrator.ts';
import type { Clock, Log, Metrics } from '../ports/system.ts';
import { heldByOperator } from './switches.ts';

export interface UnfenceDeps {
  readonly ledger: Pick<IncidentLedger, 'openIncidentOf'> &
    Pick<ClusterLedger, 'control'> &
    Pick<QuarantineLedger, 'quarantine' | 'saveQuarantine' | 'endQuarantine'> &
    Pick<OwnershipLedger, 'ownership'>;
  readonly compute: Pick<ComputeReads, 'instance' | 'volumesOf'> &
    Pick<MachineMarks, 'unmarkQuarantined'>;
  readonly orchestrator: Pick<Orchestrator, 'agents' | 'reactivate'>;
  readonly scope: Scope;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
}

export interface UnfenceRequest {
  readonly instanceId: InstanceId;
  readonly requestedBy: string;
  readonly reason: string;
}

export type Unfenced =
  | {
      readonly kind: 'unfenced';
      readonly instanceId: InstanceId;
      /** Agents that get offers again; none where none had been deactivated. */
      readonly agentIds: readonly string[];
      readonly says: string;
    }
  | {
      readonly kind: 'refused';
      readonly instanceId: InstanceId;
      /** Everything that speaks against it, so that a person need not ask again and again. */
      readonly why: readonly string[];
    };

interface Picture {
  readonly instance: Instance | undefined;
  readonly volumes: readonly Volume[];
  readonly agents: readonly MesosAgent[];
  readonly records: readonly (Ownership | undefined)[];
}

const lookAt = async (deps: UnfenceDeps, quarantine: Quarantine): Promise<Picture> => {
  const { compute, ledger, orchestrator } = deps;
  const [instance, volumes, agents, records] = await Promise.all([
    compute.instance(quarantine.instanceId),
    compute.volumesOf(quarantine.instanceId),
    orchestrator.agents(),
    Promise.all(quarantine.volumes.map(({ volumeId }) => ledger.ownership(volumeId))),
  ]);
  return { instance, volumes, agents, records };
};

const isHere = ({ instance }: Picture, { hostname }: MesosAgent): boolean =>
  instance?.privateIp !== undefined && hostname === instance.privateIp;

/** Held because this Mesos cannot keep work from the host: to let it work is one way out. */
const waitsForPerson = ({ hold, status }: Incident): boolean =>
  status === 'held' && hold?.reason === 'returned-agent';

const refusals = async (
  deps: UnfenceDeps,
  quarantine: Quarantine,
  picture: Picture,
): Promise<readonly string[]> => {
  const { clock, ledger, scope } = deps;
  const [open, control] = await Promise.all([
    ledger.openIncidentOf(quarantine.instanceId),
    ledger.control(scope.cluster),
  ]);
  const switched = heldByOperator(quarantine, control, clock.now());
  return [
    ...(switched === undefined ? [] : [switched.says]),
    ...(open === undefined || waitsForPerson(open)
      ? []
      : [`incident ${open.id} is open about it: it ends first`]),
    ...whyStillFenced({ quarantine, ...picture, scope }),
  ];
};

/**
 * The calls themselves. The record that says `lifted` is their intent: written before, and taken away
 * only when a read shows that they are done. Repeated, each changes nothing more.
 */
const giveBack = async (
  deps: UnfenceDeps,
  lifted: Quarantine,
  picture: Picture,
): Promise<readonly string[] | undefined> => {
  const { compute, ledger, orchestrator, scope } = deps;
  const idle = picture.agents.filter((agent) => isHere(picture, agent) && agent.deactivated);
  await compute.unmarkQuarantined(lifted.instanceId);
  for (const { agentId } of idle) await orchestrator.reactivate(agentId);
  const after = idle.length === 0 ? picture.agents : await orchestrator.agents();
  if (after.some((agent) => isHere(picture, agent) && agent.deactivated)) return undefined;
  await ledger.endQuarantine(scope.cluster, lifted);
  return idle.map(({ agentId }) => agentId);
};

/**
 * Brings the capacity of a fenced host back, if nothing of what it was fenced for can still go wrong:
 * Mesos has forgotten its old agent, no data is on it, and every volume it had is another's by the
 * ledger. Refused, it says everything that stands against it and has changed nothing.
 */
export const createUnfence =
  (deps: UnfenceDeps) =>
  async ({ instanceId, reason, requestedBy: by }: UnfenceRequest): Promise<Unfenced> => {
    const { clock, ledger, log, metrics, scope } = deps;
    const refused = (why: readonly string[]): Unfenced => {
      log.info('un-fence refused', { instanceId, why: why.join('; ') });
      metrics.count('UnfenceRefused');
      return { kind: 'refused', instanceId, why };
    };
    const quarantine = await ledger.quarantine(scope.cluster, instanceId);
    if (quarantine === undefined) return refused([`${instanceId} is not in quarantine`]);
    const picture = await lookAt(deps, quarantine);
    const why = await refusals(deps, quarantine, picture);
    if (why.length > 0) return refused(why);
    // Asked before and cut short: who asked first is on record.
    const lifted = quarantine.lifted ?? { by, reason, at: clock.now() };
    const next = { ...quarantine, lifted };
    if ((await ledger.saveQuarantine(scope.cluster, next)) === 'lost') {
      return refused([`${instanceId} was fenced once more at this very moment`]);
    }
    const agentIds = await giveBack(deps, next, picture);
    if (agentIds === undefined) {
      return refused(['Mesos does not list its agent active yet: ask again to complete it']);
    }
    log.info('agent un-fenced', { instanceId, by, reason, agentIds });
    metrics.count('AgentUnfenced');
    const back = agentIds.length === 0 ? 'no agent had been deactivated' : agentIds.join(', ');
    const says = `${instanceId} is out of quarantine; active again: ${back}`;
    return { kind: 'unfenced', instanceId, agentIds, says };
  };
