import { isoTime } from '../core/time.ts';
import type { Call } from '../network.ts';
import type { World } from '../world.ts';
import type { LedgerView } from './ledger-view.ts';
import type { Stage } from './stage.ts';

export type Outcome = 'recovered' | 'held' | 'cancelled' | 'down' | 'failed';

export interface PhasesMs {
  detect: number;
  fence: number;
  release: number;
  handOff: number;
  recover: number;
  total: number;
}

/** The one document of `--json`. Times are ISO 8601, durations milliseconds. */
export interface Report {
  scene: string;
  seed: number;
  outcome: Outcome;
  incident: { id: string; verdict: string | null; execution: string | null } | null;
  agent: {
    instanceId: string;
    launchTime: string;
    privateIp: string;
    agentId: string;
    availabilityZone: string;
  };
  fence: {
    method: string;
    strength: string;
    proof: { at: string; state: string; launchTime: string }[];
  } | null;
  volumes: {
    volumeId: string;
    name: string;
    epoch: number;
    fromInstanceId: string | null;
    toInstanceId: string | null;
    releasedAt: string | null;
  }[];
  apps: { id: string; fromHost: string; toHost: string | null; healthy: boolean }[];
  data: { rowsBefore: number; rowsAfter: number; lostRows: number; foreignWrites: number };
  phasesMs: PhasesMs | null;
  floorMs: number | null;
  overheadMs: number | null;
  calls: Record<string, Record<string, number>>;
  /** Launches of the app that failed, and how long Marathon backed off in the end. */
  retries: { failedLaunches: number; longestPauseMs: number };
  /** Where no event told of it: how long after the failure the sweep had found it. */
  foundMs?: number;
  /** Where many fail together: how many incidents stand how. */
  incidents?: Record<string, number>;
  /** Where many fail together: Slack messages posted. */
  messages?: number;
}

/** What the run itself saw, beside the world and the ledger. Times are epoch ms. */
export interface Observed {
  scene: string;
  seed: number;
  outcome: Outcome;
  failedAt: number;
  signalAt: number | undefined;
  healthyAt: number | undefined;
  floorMs: number | undefined;
  rowsBefore: number;
  failedLaunches: readonly number[];
}

/** Functions whose calls belong to one failover; the sweep and the messages run anyway. */
const NOT_OF_THE_INCIDENT = ['sweep', 'adopt', 'notify'];

const callsOf = (world: World, since: number): Report['calls'] => {
  const counted = ({ at, functionName }: Call): boolean =>
    at >= since && functionName !== undefined && !NOT_OF_THE_INCIDENT.includes(functionName);
  const counts = world.network.counts(counted);
  const sorted = (of: Record<string, number> = {}): Record<string, number> =>
    Object.fromEntries(Object.entries(of).sort(([a], [b]) => (a < b ? -1 : 1)));
  return {
    ec2: sorted(counts.ec2),
    autoscaling: sorted(counts.autoscaling),
    mesos: sorted(counts.mesos),
    marathon: sorted(counts.marathon),
    agent: sorted(counts.agent),
  };
};

const phasesOf = (ledger: LedgerView, seen: Observed): PhasesMs | null => {
  const { fence, handOff } = ledger.incident ?? {};
  const { signalAt, healthyAt } = seen;
  const proof = fence?.proof?.[1]?.at;
  const told = handOff?.completedAt;
  const released = Math.max(0, ...ledger.volumes.map((volume) => volume.releasedAt ?? 0));
  if (signalAt === undefined || healthyAt === undefined) return null;
  if (fence === undefined || proof === undefined || told === undefined) return null;
  const began = fence.rungs[0]?.requestedAt ?? fence.since;
  return {
    detect: began - signalAt,
    fence: proof - began,
    release: released - proof,
    handOff: told - released,
    recover: healthyAt - told,
    total: healthyAt - signalAt,
  };
};

const appsOf = (world: World, stage: Stage): Report['apps'] => {
  const tasks = world.dcos.truth().tasks.filter(({ appId }) => appId === stage.app.id);
  const running = tasks.find(({ state }) => state === 'TASK_RUNNING');
  const elsewhere = running !== undefined && running.instanceId !== stage.failing.instanceId;
  return [
    {
      id: stage.app.id,
      fromHost: stage.failing.privateIp,
      toHost: elsewhere ? running.host : null,
      healthy: elsewhere && running.healthy !== false,
    },
  ];
};

const dataOf = (world: World, stage: Stage, rowsBefore: number): Report['data'] => {
  const guests = world.dcos.guests
    .report()
    .filter(
      ({ appId }) => appId === stage.app.id || stage.crowd.some((one) => one.appId === appId),
    );
  const sum = (pick: (guest: (typeof guests)[number]) => number): number =>
    guests.reduce((total, guest) => total + pick(guest), 0);
  return {
    rowsBefore,
    rowsAfter: sum(({ rowsOnVolume }) => rowsOnVolume),
    lostRows: sum(({ lostRows }) => lostRows),
    foreignWrites: sum(({ foreignWrites }) => foreignWrites),
  };
};

const volumesOf = (ledger: LedgerView, stage: Stage): Report['volumes'] =>
  stage.app.volumeIds.flatMap((volumeId) => {
    const record = ledger.volumes.find((volume) => volume.volumeId === volumeId);
    if (record === undefined) return [];
    return [
      {
        volumeId,
        name: record.name,
        epoch: record.epoch,
        fromInstanceId: record.from ?? null,
        toInstanceId: record.state === 'owned' ? (record.owner ?? null) : null,
        releasedAt: record.releasedAt === undefined ? null : isoTime(record.releasedAt),
      },
    ];
  });

/** Puts together what happened, from the machines, the guests and what the service wrote down. */
export const reportOf = (
  world: World,
  stage: Stage,
  ledger: LedgerView,
  seen: Observed,
): Report => {
  const { incident } = ledger;
  const { fence } = incident ?? {};
  const phasesMs = phasesOf(ledger, seen);
  const { failing } = stage;
  const pauses = seen.failedLaunches.map(
    (at, index) => at - (seen.failedLaunches[index - 1] ?? at),
  );
  return {
    scene: seen.scene,
    seed: seen.seed,
    outcome: seen.outcome,
    incident:
      incident === undefined
        ? null
        : {
            id: incident.id,
            verdict: incident.verdict?.kind ?? null,
            execution: incident.executionArn ?? null,
          },
    agent: {
      instanceId: failing.instanceId,
      launchTime: isoTime(failing.launchTime),
      privateIp: failing.privateIp,
      agentId: failing.agentId,
      availabilityZone: stage.zone,
    },
    fence:
      fence?.proof === undefined
        ? null
        : {
            method: fence.method ?? 'none',
            strength: fence.strength ?? 'unknown',
            proof: fence.proof.map((read) => ({ ...read, at: isoTime(read.at) })),
          },
    volumes: volumesOf(ledger, stage),
    apps: appsOf(world, stage),
    data: dataOf(world, stage, seen.rowsBefore),
    phasesMs,
    floorMs: phasesMs === null ? null : (seen.floorMs ?? null),
    overheadMs:
      phasesMs === null || seen.floorMs === undefined ? null : phasesMs.total - seen.floorMs,
    calls: callsOf(world, seen.failedAt),
    retries: {
      failedLaunches: seen.failedLaunches.length,
      longestPauseMs: Math.max(0, ...pauses),
    },
  };
};
