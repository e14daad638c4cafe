import type { Disks } from './disks.ts';
import type { Power } from './power.ts';
import type { World } from './world.ts';

export interface ZoneLoss {
  /**
   * Whether a DescribeInstances that names no id but filters fails as well. The documentation says
   * "do not specify any instance IDs at all", so by default it does; unverified.
   */
  filteredReads?: 'fail' | 'answer';
}

export interface ZoneHands {
  /**
   * The zone is out of reach: no machine there answers and no command to one ends, nothing lands on
   * its volumes, nothing starts there.
   */
  loseZone(availabilityZone: string, options?: ZoneLoss): void;
  /** It is back as it was: what runs there goes on, what was asked for meanwhile ends. */
  findZone(availabilityZone: string): void;
}

/** A disruption of a whole zone (FIS scenario "AZ Availability: Power Interruption"). */
export const createZoneHands = (world: World, power: Power, disks: Disks): ZoneHands => {
  /** Whom the loss of the zone struck, and whom to give back: others may have been lost before. */
  const struck = new Map<string, { instanceIds: string[]; volumeIds: string[] }>();
  const inZone = <T extends { availabilityZone: string }>(all: Map<string, T>, zone: string): T[] =>
    [...all.values()].filter(({ availabilityZone }) => availabilityZone === zone);

  return {
    loseZone(zone, { filteredReads = 'fail' } = {}) {
      if (world.lostZones.has(zone)) return;
      world.lostZones.set(zone, { filteredReads });
      const machines = inZone(world.instances, zone).filter((m) => m.powered && !m.hostLost);
      const volumes = inZone(world.volumes, zone).filter(({ ioPaused }) => !ioPaused);
      struck.set(zone, {
        instanceIds: machines.map(({ instanceId }) => instanceId),
        volumeIds: volumes.map(({ volumeId }) => volumeId),
      });
      for (const machine of machines) power.loseHost(machine);
      for (const volume of volumes) disks.pauseIo(volume, true);
    },
    findZone(zone) {
      if (!world.lostZones.delete(zone)) return;
      const { instanceIds = [], volumeIds = [] } = struck.get(zone) ?? {};
      struck.delete(zone);
      for (const volumeId of volumeIds) {
        const volume = world.volumes.get(volumeId);
        if (volume !== undefined) disks.pauseIo(volume, false);
      }
      for (const instanceId of instanceIds) {
        const instance = world.instances.get(instanceId);
        if (instance === undefined) continue;
        power.findHost(instance);
        power.thaw(instance);
      }
      disks.resume(zone);
    },
  };
};
