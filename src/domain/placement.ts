import type { AgentId, VolumeId } from './ids.ts';
import type { HoldReason, IncidentVolume } from './incident.ts';
import { type Instance, tagValue, type Volume, type VolumeCondition } from './machine.ts';
import type { App, MesosAgent } from './service.ts';

export interface PlacementView {
  readonly apps: readonly App[];
  readonly volumes: readonly IncidentVolume[];
  readonly agents: readonly MesosAgent[];
  /** Instances of the cluster: EC2 is the truth about zones. */
  readonly instances: readonly Instance[];
  /** Every volume of the region that carries one of the names. */
  readonly namesakes: readonly Volume[];
  /** The failed agent, under every id it had. */
  readonly failed: readonly AgentId[];
}

export type Placement =
  | { readonly kind: 'ok'; readonly candidates: Readonly<Record<string, readonly string[]>> }
  | { readonly kind: 'hold'; readonly reason: HoldReason; readonly says: string };

/** REX-Ray uses /dev/xvd[f-p]. */
const slotsMax = 11;
/** 28 on most Nitro types, which network interfaces and local disks share: two are left for those. */
const attachmentsMax = 26;
const slotPattern = /^\/dev\/(?:xvd|sd)[f-p]$/;

const fieldOf = (
  agent: MesosAgent,
  zone: string | undefined,
  field: string,
): string | undefined => {
  if (field === 'hostname' || field === '@hostname') return agent.hostname;
  if (field === '@zone')
    return agent.faultDomainZone ?? (zone === undefined ? undefined : `aws/${zone}`);
  if (field === '@region') return zone === undefined ? undefined : `aws/${zone.slice(0, -1)}`;
  return agent.attributes[field];
};

/** undefined when the pattern is none JavaScript reads (Marathon's are Java's): then it could. */
const matches = (pattern: string, text: string): boolean | undefined => {
  try {
    return new RegExp(`^(?:${pattern})$`).test(text);
  } catch {
    return undefined;
  }
};

/**
 * Could Marathon's constraint let the app onto this agent? Operators that depend on other tasks
 * (UNIQUE, GROUP_BY, MAX_PER) do not bind an app of one instance, so they count as "could".
 */
const allows = (
  agent: MesosAgent,
  zone: string | undefined,
  constraint: readonly string[],
): boolean => {
  const [field = '', operator = '', value] = constraint;
  const actual = fieldOf(agent, zone, field);
  switch (operator.toUpperCase()) {
    case 'IS':
    case 'CLUSTER':
      return value === undefined || value === '' || actual === value;
    case 'LIKE':
      return value === undefined || (actual !== undefined && matches(value, actual) !== false);
    case 'UNLIKE':
      return value === undefined || actual === undefined || matches(value, actual) !== true;
    default:
      return true;
  }
};

const hasRole = (agent: MesosAgent, app: App): boolean =>
  agent.reservedRoles.length === 0
    ? app.acceptedRoles.includes('*')
    : agent.reservedRoles.some((role) => app.acceptedRoles.includes(role));

interface Seat {
  readonly agent: MesosAgent;
  readonly zone: string | undefined;
  readonly slotsFree: number;
}

const seatsOf = (view: PlacementView): Seat[] =>
  view.agents
    .filter((a) => a.active && !a.deactivated && !a.recovered && !view.failed.includes(a.agentId))
    .map((agent) => {
      const instance = view.instances.find(
        (i) => i.privateIp === agent.hostname && i.state === 'running',
      );
      const zone = instance?.availabilityZone ?? agent.faultDomainZone?.replace(/^aws\//, '');
      const devices = instance?.devices ?? [];
      const taken = devices.filter((d) => slotPattern.test(d.device)).length;
      const slotsFree = Math.min(slotsMax - taken, attachmentsMax - devices.length);
      return { agent, zone, slotsFree };
    });

const placeApp = (app: App, view: PlacementView, seats: readonly Seat[]): string[] | Placement => {
  const volumes = view.volumes.filter((volume) => volume.appIds.includes(app.id));
  const zones = [...new Set(volumes.map((volume) => volume.availabilityZone))];
  const [zone] = zones;
  if (zone === undefined || zones.length > 1) {
    const says = `${app.id} has volumes in ${zones.length} zones: no agent can attach them all`;
    return { kind: 'hold', reason: 'no-placement', says };
  }
  const able = seats.filter(
    (seat) =>
      hasRole(seat.agent, app) && app.constraints.every((c) => allows(seat.agent, seat.zone, c)),
  );
  const outside = able.find((seat) => seat.zone !== zone);
  if (outside !== undefined) {
    return {
      kind: 'hold',
      reason: 'placement-could-leave-zone',
      says:
        `${app.id} may be launched on ${outside.agent.hostname} in ${outside.zone ?? 'an unknown zone'}, ` +
        `where REX-Ray would create an empty volume; its data is in ${zone}. ` +
        'Give the app a zone constraint.',
    };
  }
  const fitting = able.filter(
    (seat) =>
      seat.agent.free.cpus >= app.cpus &&
      seat.agent.free.mem >= app.mem &&
      seat.slotsFree >= volumes.length,
  );
  if (fitting.length === 0) {
    const says =
      `no active agent in ${zone} has ${app.cpus} cpus, ${app.mem} MiB and ${volumes.length} free ` +
      `volume slots for ${app.id}. Add one; this goes on by itself when it registers.`;
    return { kind: 'hold', reason: 'no-placement', says };
  }
  return fitting.map((seat) => seat.agent.hostname);
};

/**
 * May Mesos be told to reschedule? Only if every app can come back beside its data and nowhere
 * else: REX-Ray looks for a volume in its own zone only and creates a missing one, empty. Pure.
 */
export const preflight = (view: PlacementView): Placement => {
  for (const volume of view.volumes) {
    const twin = view.namesakes.find(
      (other) =>
        other.volumeId !== volume.volumeId &&
        other.state !== 'deleted' &&
        tagValue(other.tags, 'Name') === volume.name,
    );
    if (twin !== undefined) {
      return {
        kind: 'hold',
        reason: 'duplicate-volume-name',
        says:
          `${twin.volumeId} in ${twin.availabilityZone} is also named ${volume.name}: REX-Ray could ` +
          `mount the wrong one. Rename or remove the one that is not ${volume.volumeId}.`,
      };
    }
  }
  const seats = seatsOf(view);
  const candidates: Record<string, readonly string[]> = {};
  for (const app of view.apps) {
    if (!view.volumes.some((volume) => volume.appIds.includes(app.id))) continue;
    const placed = placeApp(app, view, seats);
    if (!Array.isArray(placed)) return placed as Placement;
    candidates[app.id] = placed;
  }
  return { kind: 'ok', candidates };
};

/**
 * Gone since it was released, or not known to EC2 at this moment: REX-Ray creates an empty volume of the
 * same name in its place. Pure.
 */
export const whyLost = (
  volumes: readonly IncidentVolume[],
  known: readonly { readonly volumeId: VolumeId }[],
  read: readonly Volume[],
): { readonly reason: HoldReason; readonly says: string } | undefined => {
  const isGoing = ({ state }: Volume): boolean => state === 'deleting' || state === 'deleted';
  const lost = volumes.find(
    ({ volumeId }) =>
      !known.some((one) => one.volumeId === volumeId) ||
      read.some((volume) => volume.volumeId === volumeId && isGoing(volume)),
  );
  if (lost === undefined) return undefined;
  const says =
    `${lost.volumeId} (${lost.name}): EC2 has no such volume any more: restore its latest snapshot. ` +
    'This goes on by itself if EC2 knows it again.';
  return { reason: 'volume-lost', says };
};

/**
 * May the released volumes be used? A person who has looked at the data may say so of one whose I/O
 * EC2 has stopped; nobody can of one that EC2 refuses to attach. Pure.
 */
export const whyNotUsable = (
  volumes: readonly IncidentVolume[],
  conditions: readonly VolumeCondition[],
  acknowledged: readonly HoldReason[],
): { readonly reason: HoldReason; readonly says: string } | undefined => {
  const named = conditions.flatMap((condition) => {
    const volume = volumes.find((v) => v.volumeId === condition.volumeId);
    return volume === undefined ? [] : [{ ...condition, name: volume.name }];
  });
  const reason = 'volume-not-usable';
  const suspect = named.find(({ io }) => io === 'impaired');
  if (suspect !== undefined && !acknowledged.includes(reason)) {
    const says =
      `EC2 has stopped the I/O of ${suspect.volumeId} (${suspect.name}), its data may be ` +
      'inconsistent. Check it, then acknowledge.';
    return { reason, says };
  }
  const changing = named.find(({ modifying }) => modifying);
  if (changing === undefined) return undefined;
  const says =
    `${changing.volumeId} (${changing.name}) is being modified and cannot be attached; ` +
    'this goes on by itself when EC2 says optimizing.';
  return { reason, says };
};

/**
 * Tells whether the agents Mesos offers are still those a placement was checked against. Equal
 * lists give equal text, whatever their order.
 */
export const agentsFingerprint = (agents: readonly MesosAgent[]): string =>
  agents
    .filter((agent) => agent.active && !agent.deactivated && !agent.recovered)
    .map((agent) => agent.agentId)
    .sort()
    .join(' ');
