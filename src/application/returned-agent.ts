import type { InstanceId, VolumeId } from '../domain/ids.ts';
import type { Incident } from '../domain/incident.ts';
import type { Instance, Volume } from '../domain/machine.ts';
import { dataOn, type ReturnedAgent } from '../domain/quarantine.ts';
import type { Scope } from '../domain/scope.ts';
import { orderIn } from '../domain/verdict.ts';

/** What AssessAgent has to know of a host that was fenced and runs again. */

/** Names by id, without those of volumes that were taken away. */
export const namesBut = (
  taken: readonly string[],
  volumes: readonly { readonly volumeId: string; readonly name: string }[],
): ReadonlyMap<VolumeId, string> =>
  new Map(
    volumes
      .filter(({ volumeId }) => !taken.includes(volumeId))
      .map(({ volumeId, name }) => [volumeId as VolumeId, name]),
  );

/**
 * Of a host that came back only what it has now counts: what it had before it was fenced is another's,
 * or free between two owners.
 */
export const asItIsNow = <
  Picture extends { readonly volumes: readonly Volume[]; readonly lost: readonly unknown[] },
>(
  picture: Picture,
  { instanceId }: { readonly instanceId: InstanceId },
): Picture => ({
  ...picture,
  volumes: picture.volumes.filter(({ attachments }) =>
    attachments.some((attachment) => attachment.instanceId === instanceId),
  ),
  lost: [],
});

/**
 * A returned host with data is fenced again, whatever the policy: its new owner's app wants it. So is
 * one that a person has ordered a failover of.
 */
export const isToBeFenced = (
  { returnedAgent, scope }: { readonly returnedAgent: ReturnedAgent; readonly scope: Scope },
  { signals }: Incident,
  { volumes }: { readonly volumes: readonly Volume[] },
  instance: Instance,
): boolean =>
  returnedAgent === 'fence' ||
  orderIn(signals) !== undefined ||
  dataOn(instance, volumes, scope.cluster).length > 0;
