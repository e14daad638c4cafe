import type { VolumeId } from '../domain/ids.ts';
import type { Facts, Incident } from '../domain/incident.ts';
import type { Instance, Volume } from '../domain/machine.ts';
import { type ScopedVolumes, scopeVolumes, whyNotMovable, withEstranged } from '../domain/scope.ts';
import type { App } from '../domain/service.ts';
import type { ComputeReads } from '../ports/compute.ts';
import type { IncidentLedger, OwnershipLedger } from '../ports/ledger.ts';
import type { Orchestrator } from '../ports/orchestrator.ts';
import { type ClaimDeps, claimAll, isStop, planClaims, type Stop } from './claims.ts';

/** A volume may come onto the machine after its assessment: REX-Ray was at it, or a person was. */

export interface LatecomerDeps extends ClaimDeps {
  readonly ledger: ClaimDeps['ledger'] &
    Pick<IncidentLedger, 'incident' | 'save'> &
    Pick<OwnershipLedger, 'ownership'>;
  readonly orchestrator: Pick<Orchestrator, 'apps'>;
}

/** What EC2 showed of the machine once it was down. */
export interface Seen {
  readonly instance: Instance | undefined;
  readonly volumes: readonly Volume[];
}

/** Volumes on the machine of which the incident knows nothing yet. */
export const latecomersIn = <On extends { readonly volumeId: VolumeId }>(
  facts: Facts,
  volumes: readonly On[],
): readonly On[] => {
  const known: readonly string[] = [...facts.volumes, ...facts.leftAlone].map((v) => v.volumeId);
  return volumes.filter(({ volumeId }) => !known.includes(volumeId));
};

/**
 * What is on a machine that was just read. Its own list of devices tells whether anything came onto
 * it; only then, and of a terminated one, which lists none any more, the volumes are asked for.
 */
export const lookAt = async (
  compute: Pick<ComputeReads, 'volumesOf'>,
  { instanceId }: Incident,
  facts: Facts,
  instance: Instance | undefined,
): Promise<Seen> => {
  const isAsKnown =
    instance?.state === 'stopped' && latecomersIn(facts, instance.devices).length === 0;
  return { instance, volumes: isAsKnown ? [] : await compute.volumesOf(instanceId) };
};

/** Of a later date than any placement that was looked at without them. */
const withLatecomers = (
  facts: Facts,
  { inScope, leftAlone }: ScopedVolumes,
  apps: readonly App[],
  at: Facts['at'],
): Facts => {
  const appIds = inScope.flatMap((volume) => volume.appIds);
  const isKnown = ({ id }: App): boolean => facts.apps.some((app) => app.id === id);
  return {
    ...facts,
    at,
    volumes: [...facts.volumes, ...inScope],
    leftAlone: [...facts.leftAlone, ...leftAlone],
    apps: [...facts.apps, ...apps.filter((app) => appIds.includes(app.id) && !isKnown(app))],
  };
};

/**
 * Sorts the latecomers as AssessAgent would have, claims those in scope and adds them to the facts,
 * in this order: whoever dies in between finds them unknown again, and claimed already.
 */
export const takeIn = async (
  deps: LatecomerDeps,
  incident: Incident,
  facts: Facts,
  { instance, volumes }: Seen,
): Promise<Facts | Stop> => {
  const { clock, ledger, orchestrator, scope } = deps;
  if (instance === undefined) {
    const says = 'EC2 shows volumes on the instance, but does not know the instance';
    return { reason: 'unknown-incarnation', says };
  }
  const late = latecomersIn(facts, volumes);
  const [apps, ...records] = await Promise.all([
    orchestrator.apps(),
    ...late.map(async ({ volumeId }) => [volumeId, await ledger.ownership(volumeId)] as const),
  ]);
  const owners = new Map(records);
  const names = new Map(
    records.flatMap(([volumeId, record]) => (record ? [[volumeId, record.name] as const] : [])),
  );
  const sorted = scopeVolumes(instance, late, apps, scope.cluster);
  const scoped = withEstranged(sorted, late, names, apps);
  const unmovable = whyNotMovable(scoped);
  if (unmovable !== undefined) return unmovable;
  const view = { volumes: late, records: [...owners.values()] };
  const claims = await planClaims(deps, incident, scoped.inScope, view);
  if (isStop(claims)) return claims;
  const lost = await claimAll(deps, incident, 'FenceAgent', claims, clock.now());
  if (lost !== undefined) return lost;
  const now = clock.now();
  const known = withLatecomers(facts, scoped, apps, now);
  await ledger.save(incident.id, incident.token, { facts: known }, now);
  return known;
};
