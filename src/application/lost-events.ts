import { modeOf } from '../domain/announced.ts';
import type { InstanceId, LaunchTime } from '../domain/ids.ts';
import type { Incident, Signal } from '../domain/incident.ts';
import type { Instance, StatusChecks, Volume } from '../domain/machine.ts';
import type { Policy } from '../domain/policy.ts';
import { type Quarantine, takenFrom } from '../domain/quarantine.ts';
import { isDataOf } from '../domain/scope.ts';
import type { Inventory } from '../domain/service.ts';
import { isDown, isImpaired, judge, mayFence } from '../domain/verdict.ts';
import type { ClusterLedger, IncidentLedger } from '../ports/ledger.ts';
import { admitEach, type FindWords } from './found-by-sweep.ts';
import type { IntakeDeps } from './intake.ts';
import { heldByOperator } from './switches.ts';
import { gatherEvidence, type WitnessDeps } from './witnesses.ts';

export interface LostEventsDeps extends IntakeDeps, WitnessDeps {
  readonly ledger: IntakeDeps['ledger'] &
    Pick<IncidentLedger, 'lastIncidentOf'> &
    Pick<ClusterLedger, 'control'>;
  readonly compute: WitnessDeps['compute'];
  readonly policy: Pick<Policy, 'impairedGraceMs'>;
}

/** What one sweep saw in EC2: agents of the cluster in any state, and everybody's volumes. */
export interface Machines {
  readonly instances: readonly Instance[];
  readonly volumes: readonly Volume[];
  readonly checks: ReadonlyMap<InstanceId, StatusChecks>;
}

/** What was taken from an instance when it was fenced is not remembered as its own. */
type Taken = ReadonlyMap<InstanceId, readonly string[]>;

/**
 * A status check alarm comes two to four minutes after the failure. Until it is overdue nothing was
 * lost, and a sweep that is sooner only takes the incident's first seconds away from intake.
 */
const alarmOverdueMs = 180_000;

/** Only what EC2 calls impaired is looked for here, and nobody counts what Mesos has lost. */
const findsFailures = {
  partitionedGraceMs: Number.POSITIVE_INFINITY,
  blindLimit: Number.POSITIVE_INFINITY,
  blindLimitPercent: 100,
};

const laterOf = (a: LaunchTime, b: LaunchTime | undefined): LaunchTime =>
  b !== undefined && b > a ? b : a;

/** An incident is on it, or has recovered what this incarnation had. */
export const isSeenTo = (last: Incident | undefined, { launchTime }: Instance): boolean => {
  if (last === undefined || last.status === 'cancelled') return false;
  // It fenced nothing: whatever happens to this very run later is news.
  if (last.quarantine !== undefined && last.recovery === undefined) {
    return last.status !== 'recovered';
  }
  // A planned move is about no failure: one of its machine is told to it, or comes after it.
  if (modeOf(last) === 'drain') return false;
  if (last.status !== 'recovered' || last.facts === undefined) return true;
  return launchTime <= laterOf(last.facts.launchTime, last.fence?.proof?.[0].launchTime);
};

/** Why an event should have come, in words; undefined: none is missing. */
const whyMissed = async (
  deps: LostEventsDeps,
  instance: Instance,
  { checks }: Machines,
  inventory: Inventory | undefined,
): Promise<string | undefined> => {
  if (isDown(instance.state)) return `EC2 says ${instance.state}`;
  const impairedGraceMs = deps.policy.impairedGraceMs + alarmOverdueMs;
  const since = checks.get(instance.instanceId)?.impairedSince;
  // Nobody is asked before it could matter: a whole zone of them would empty EC2's bucket.
  if (since !== undefined && deps.clock.now() - since < impairedGraceMs) return undefined;
  const evidence = await gatherEvidence(deps, instance.instanceId, inventory);
  const verdict = judge(evidence, { ...findsFailures, impairedGraceMs });
  return mayFence(verdict) ? verdict.why.join('; ') : undefined;
};

/** A key of its own for what was left behind, so that it is taken up once and not each minute. */
const keyOf = ({ launchTime }: Instance, left: readonly Volume[]): string =>
  [`sweep:${launchTime}`, ...left.map(({ volumeId }) => volumeId).sort()].join(':');

/** Holds of a machine that is not down: once it is, they have no reason left. */
const heldWhileUp = ['storm', 'partitioned', 'flapping'];

/** Down by now, and its incident waits for something that does not matter any more. */
const wentDown = (last: Incident | undefined, { state }: Instance): boolean =>
  last?.status === 'held' && heldWhileUp.includes(last.hold?.reason ?? '') && isDown(state);

/** Data on a fenced machine of which the incident that recovered it knew nothing. */
const leftBehind = (
  last: Incident | undefined,
  { instanceId, state }: Instance,
  data: readonly Volume[],
): readonly Volume[] => {
  if (last?.status !== 'recovered' || last.facts === undefined || !isDown(state)) return [];
  const known = last.facts.volumes.map(({ volumeId }) => volumeId);
  return data.filter(
    ({ attachments, volumeId }) =>
      !known.includes(volumeId) && attachments.some((a) => a.instanceId === instanceId),
  );
};

const lookAt = async (
  deps: LostEventsDeps,
  instance: Instance,
  machines: Machines,
  taken: Taken,
): Promise<Signal | undefined> => {
  const { clock, ledger, scope } = deps;
  const { instanceId } = instance;
  const [inventory, last, control] = await Promise.all([
    ledger.inventory(instanceId),
    ledger.lastIncidentOf(scope.cluster, instanceId),
    ledger.control(scope.cluster),
  ]);
  const known = inventory?.volumes.map(({ volumeId }) => volumeId) ?? [];
  const remembered = known.filter((volumeId) => !taken.get(instanceId)?.includes(volumeId));
  const data = machines.volumes.filter((volume) =>
    isDataOf(volume, instance, remembered, scope.cluster),
  );
  const left = leftBehind(last, instance, data);
  const down = wentDown(last, instance);
  const key = down ? `sweep:down:${instance.launchTime}` : keyOf(instance, left);
  const isKnown = last?.signals.some((signal) => signal.key === key);
  const isNews = (left.length > 0 || down) && !isKnown;
  if (data.length === 0 || (isSeenTo(last, instance) && !isNews)) return undefined;
  if (heldByOperator({ instanceId }, control, clock.now()) !== undefined) return undefined;
  const why = await whyMissed(deps, instance, machines, inventory);
  if (why === undefined) return undefined;
  const says = `found by the sweep, no event told of it: ${why}`;
  return { key, source: 'sweep', instanceId, says, receivedAt: clock.now() };
};

const words: FindWords = {
  found: ['failure without an event', 'FailureFoundBySweep'],
  unseen: ['failure not looked at', 'FailureNotLookedAt'],
};

/**
 * Finds agents that are down, or impaired and silent, with data that no incident is about: the
 * events that should have told of them were lost.
 */
export const admitMissed = async (
  deps: LostEventsDeps,
  machines: Machines,
  quarantines: readonly Quarantine[],
): Promise<InstanceId[]> => {
  const suspects = machines.instances.filter(({ instanceId, state }) => {
    const checks = machines.checks.get(instanceId);
    return isDown(state) || (checks !== undefined && isImpaired(checks));
  });
  const taken: Taken = new Map(quarantines.map((one) => [one.instanceId, takenFrom(one)]));
  return admitEach(deps, suspects, words, (instance) => lookAt(deps, instance, machines, taken));
};
