import table from './releases.json' with { type: 'json' };

/** One DC/OS release: the versions it carries and what follows from them. */
export interface Release {
  dcos: string;
  mesos: string;
  marathon: string;
  rexray: string;
  /** The MARK_AGENT_GONE call exists (Mesos 1.5). */
  markAgentGone: boolean;
  /** Marking an *unreachable* agent gone sends no updates and wedges it (MESOS-9545). */
  mesos9545: boolean;
  /** DRAIN_AGENT, DEACTIVATE_AGENT and REACTIVATE_AGENT exist (Mesos 1.9). */
  drain: boolean;
  /** At most one agent per interval leaves the master as unreachable. */
  removalIntervalMs: number;
  /** An agent keeps its id over a reboot of its host (Mesos 1.4). */
  keepsAgentIdOnReboot: boolean;
  /** Agents announce region and zone (Mesos 1.5). */
  faultDomains: boolean;
  /** Marathon understands TASK_UNREACHABLE and TASK_GONE (1.4); before it, TASK_LOST is sent. */
  partitionAware: boolean;
  /** A rescheduled instance keeps its id and counts incarnations (Marathon 1.8). */
  incarnations: boolean;
  /** Marathon task objects carry region and zone (1.6), role (1.9). */
  taskZone: boolean;
  taskRole: boolean;
  /** Cap of the launch backoff when an app sets none. */
  maxLaunchDelaySeconds: number;
}

/** No release of that name is known; the message lists those that are. */
export class UnknownReleaseError extends Error {
  override readonly name = 'UnknownReleaseError';
}

const isAtLeast = (version: string, minimum: `${number}.${number}`): boolean => {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [wantedMajor = 0, wantedMinor = 0] = minimum.split('.').map(Number);
  return major > wantedMajor || (major === wantedMajor && minor >= wantedMinor);
};

/**
 * The release for `2.1` (its newest known patch) or `1.12.4`.
 * @throws UnknownReleaseError
 */
export const releaseOf = (version: string): Release => {
  const [, minor, patch] = /^(\d+\.\d+)(?:\.(\d+))?$/.exec(version) ?? [];
  const rows = table.releases.filter((row) => row.minor === minor);
  const row =
    patch === undefined
      ? rows.at(-1)
      : rows.find(({ patches: [from = 0, to = 0] }) => from <= +patch && +patch <= to);
  if (row === undefined) {
    const known = table.releases.map((r) => `${r.minor}.${r.patches.join('-')}`).join(', ');
    throw new UnknownReleaseError(`unknown DC/OS version '${version}'; known are ${known}`);
  }
  const { patches, minor: rowMinor, ...carried } = row;
  return {
    ...carried,
    dcos: `${rowMinor}.${patch ?? patches[1]}`,
    keepsAgentIdOnReboot: isAtLeast(row.mesos, '1.4'),
    faultDomains: isAtLeast(row.mesos, '1.5'),
    partitionAware: isAtLeast(row.marathon, '1.4'),
    incarnations: isAtLeast(row.marathon, '1.8'),
    taskZone: isAtLeast(row.marathon, '1.6'),
    taskRole: isAtLeast(row.marathon, '1.9'),
    maxLaunchDelaySeconds: isAtLeast(row.marathon, '1.8') ? 300 : 3600,
  };
};
