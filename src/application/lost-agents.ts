import type { InstanceId } from '../domain/ids.ts';
import type { Signal } from '../domain/incident.ts';
import type { Instance } from '../domain/machine.ts';
import { isDataOf } from '../domain/scope.ts';
import type { MesosAgent } from '../domain/service.ts';
import { isImpaired } from '../domain/verdict.ts';
import { admitEach, type FindWords } from './found-by-sweep.ts';
import { isSeenTo, type LostEventsDeps, type Machines } from './lost-events.ts';
import { heldByOperator } from './switches.ts';
import { isListed } from './witnesses.ts';

/** The inventory is kept every minute: older than this, a sweep before this one missed it too. */
const missedForMs = 90_000;

/** EC2 runs it and finds nothing wrong, it has data, and the master does not list its agent. */
const isMissing = (
  instance: Instance,
  { checks, volumes }: Machines,
  hosts: ReadonlySet<string>,
  cluster: string,
): boolean => {
  const { instanceId, privateIp, state } = instance;
  if (state !== 'running' || privateIp === undefined || hosts.has(privateIp)) return false;
  const own = checks.get(instanceId);
  if (own === undefined || isImpaired(own)) return false;
  return volumes.some((volume) => isDataOf(volume, instance, [], cluster));
};

const lookAt = async (
  { clock, ledger, scope }: LostEventsDeps,
  instance: Instance,
): Promise<Signal | undefined> => {
  const { instanceId, launchTime } = instance;
  const [inventory, last, control] = await Promise.all([
    ledger.inventory(instanceId),
    ledger.lastIncidentOf(scope.cluster, instanceId),
    ledger.control(scope.cluster),
  ]);
  const now = clock.now();
  // Never seen in Mesos since its start, it may not be there yet; a reboot is over soon.
  if (inventory === undefined || inventory.launchTime !== launchTime) return undefined;
  if (now - inventory.seenAt < missedForMs || isSeenTo(last, instance)) return undefined;
  if (heldByOperator({ instanceId }, control, now) !== undefined) return undefined;
  const agoS = Math.round((now - inventory.seenAt) / 1000);
  const says = `found by the sweep: Mesos listed its agent ${agoS} s ago and does not any more`;
  const key = `sweep:lost:${launchTime}:${inventory.seenAt}`;
  return { key, source: 'sweep', instanceId, says, receivedAt: now };
};

const words: FindWords = {
  found: ['agent lost by Mesos', 'LostAgentFoundBySweep'],
  unseen: ['lost agent not looked at', 'LostAgentNotLookedAt'],
};

/**
 * Finds agents with data that Mesos has lost while EC2 finds their machines well: no event tells of
 * a partition. Each is admitted as an event would be; what is to be done is for the verdict to say.
 */
export const admitLost = async (
  deps: LostEventsDeps,
  machines: Machines,
  agents: readonly MesosAgent[],
): Promise<InstanceId[]> => {
  const hosts = new Set(agents.filter(isListed).map(({ hostname }) => hostname));
  const missing = machines.instances.filter((instance) =>
    isMissing(instance, machines, hosts, deps.scope.cluster),
  );
  return admitEach(deps, missing, words, (instance) => lookAt(deps, instance));
};
