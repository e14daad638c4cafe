import type { InstanceId } from '../domain/ids.ts';
import type { Incident, Signal } from '../domain/incident.ts';
import type { Instance, Volume } from '../domain/machine.ts';
import { dataOn, hasReturned, type Quarantine } from '../domain/quarantine.ts';
import type { MesosAgent } from '../domain/service.ts';
import type { ComputeReads } from '../ports/compute.ts';
import type { ClusterLedger, IncidentLedger, QuarantineLedger } from '../ports/ledger.ts';
import { admitEach, type FindWords } from './found-by-sweep.ts';
import type { IntakeDeps } from './intake.ts';
import { heldByOperator } from './switches.ts';

export interface ReturnedHostsDeps extends IntakeDeps {
  readonly ledger: IntakeDeps['ledger'] &
    Pick<IncidentLedger, 'lastIncidentOf'> &
    Pick<ClusterLedger, 'control'> &
    Pick<QuarantineLedger, 'endQuarantine'>;
  readonly compute: Pick<ComputeReads, 'instance'>;
}

/** What one sweep saw. Without Mesos it still sees what came up and what is attached. */
export interface ReturnView {
  readonly instances: readonly Instance[];
  readonly volumes: readonly Volume[];
  readonly agents: readonly MesosAgent[];
}

/** The same find is not made an incident of again before this. */
const repeatMs = 600_000;
/** So long EC2 shows what was terminated; after that it will not come back. */
const forgottenMs = 3_600_000;

/** Hosts in quarantine that run: what they say about themselves is not to be learned from. */
export const returnedIn = (
  quarantines: readonly Quarantine[],
  instances: readonly Instance[],
): ReadonlySet<InstanceId> => {
  const byId = new Map(quarantines.map((quarantine) => [quarantine.instanceId, quarantine]));
  return new Set(
    instances
      .filter((instance) => hasReturned(byId.get(instance.instanceId), instance))
      .map(({ instanceId }) => instanceId),
  );
};

interface Find {
  readonly key: string;
  readonly says: string;
}

/** What about the host no incident has dealt with; undefined: it is as it was left. */
const newsOf = (
  quarantine: Quarantine,
  instance: Instance,
  { agents, volumes }: ReturnView,
  cluster: string,
): Find | undefined => {
  const { launchTime, privateIp, state } = instance;
  const isNew = quarantine.returned?.launchTime !== launchTime;
  const active = agents
    .filter(({ active, deactivated, hostname }) => active && !deactivated && hostname === privateIp)
    .map(({ agentId }) => agentId);
  const data = dataOn(instance, volumes, cluster).map(({ volumeId }) => volumeId);
  if (!isNew && active.length === 0 && data.length === 0) return undefined;
  const says = [
    `found by the sweep: ${quarantine.incidentId} had fenced it, and it is ${state} since ${launchTime}`,
    ...(active.length === 0 ? [] : [`agent ${active.join(', ')} takes work`]),
    ...(data.length === 0 ? [] : [`${data.join(', ')} attached to it`]),
  ].join('; ');
  return { key: ['returned', launchTime, ...active, ...data].join(':'), says };
};

const isDealtWith = (last: Incident | undefined, { key }: Find, now: number): boolean => {
  if (last === undefined) return false;
  if (last.status === 'open' || last.status === 'held') return true;
  return last.signals.some((signal) => signal.key === key) && now - last.updatedAt < repeatMs;
};

const lookAt = async (
  deps: ReturnedHostsDeps,
  quarantine: Quarantine,
  instance: Instance,
  view: ReturnView,
): Promise<Signal | undefined> => {
  const { clock, ledger, scope } = deps;
  const { instanceId } = instance;
  if (!hasReturned(quarantine, instance)) return undefined;
  const find = newsOf(quarantine, instance, view, scope.cluster);
  if (find === undefined) return undefined;
  const [last, control] = await Promise.all([
    ledger.lastIncidentOf(scope.cluster, instanceId),
    ledger.control(scope.cluster),
  ]);
  const now = clock.now();
  if (isDealtWith(last, find, now)) return undefined;
  if (heldByOperator({ instanceId }, control, now) !== undefined) return undefined;
  return { ...find, source: 'sweep', instanceId, receivedAt: now };
};

/** It was terminated, or EC2 has forgotten it: no host comes back from that. */
const endOver = async (
  { clock, compute, ledger, log, scope }: ReturnedHostsDeps,
  quarantine: Quarantine,
  seen: Instance | undefined,
): Promise<void> => {
  const { instanceId } = quarantine;
  const instance = seen ?? (await compute.instance(instanceId));
  const isForgotten = instance === undefined && clock.now() - quarantine.since >= forgottenMs;
  if (instance?.state !== 'terminated' && !isForgotten) return;
  await ledger.endQuarantine(scope.cluster, quarantine);
  log.info('quarantine over', { instanceId, incidentId: quarantine.incidentId });
};

const words: FindWords = {
  found: ['fenced host runs again', 'ReturnedHostFound'],
  unseen: ['fenced host not looked at', 'ReturnedHostNotLookedAt'],
};

/** Finds fenced hosts that run again and are not kept from work yet. */
export const admitReturned = async (
  deps: ReturnedHostsDeps,
  quarantines: readonly Quarantine[],
  view: ReturnView,
): Promise<InstanceId[]> => {
  const byId = new Map(view.instances.map((instance) => [instance.instanceId, instance]));
  return admitEach(deps, quarantines, words, async (quarantine) => {
    const instance = byId.get(quarantine.instanceId);
    if (instance !== undefined && instance.state !== 'terminated') {
      return lookAt(deps, quarantine, instance, view);
    }
    await endOver(deps, quarantine, instance);
    return undefined;
  });
};
