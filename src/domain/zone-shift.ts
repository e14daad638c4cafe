import type { EpochMs } from './ids.ts';

/** Traffic was moved away from a zone, or is let back. */
export interface ZoneShift {
  /** Which of several shifts of the zone this is; each ends by itself. */
  readonly key: string;
  /** The id (`use1-az2`), which is the same zone in every account; a name is not. */
  readonly zoneId: string;
  readonly away: boolean;
  /** When the source says it happened: the later one of two counts, in whatever order they come. */
  readonly at: EpochMs;
  /** For people. */
  readonly says: string;
}

/** A zone that traffic is moved away from now. */
export interface ShiftedZone {
  /** Since the earliest shift that still lasts. */
  readonly since: EpochMs;
  /** Not believed after this: the event that ends a shift may be lost. */
  readonly until: EpochMs;
  readonly says: string;
}

/**
 * A manual shift ends by itself after at most three days, of which no event tells (ARC developer
 * guide, "How a zonal shift works"), and of none is the end sure to be heard.
 */
const believedMs = 72 * 3_600_000;

/** Zones by id that at least one shift leads away from; the reader compares `until`. Pure. */
export const shiftedZonesOf = (
  shifts: readonly ZoneShift[],
): Readonly<Record<string, ShiftedZone>> => {
  const zones = new Map<string, ShiftedZone>();
  for (const { at, away, says, zoneId } of [...shifts].sort((a, b) => a.at - b.at)) {
    if (!away) continue;
    const since = zones.get(zoneId)?.since ?? at;
    zones.set(zoneId, { since, until: (at + believedMs) as EpochMs, says });
  }
  return Object.fromEntries(zones);
};
