import type {
  EpochMs,
  IncidentId,
  InstanceId,
  LaunchTime,
  VolumeId,
} from '../../../src/domain/ids.ts';
import type { AuditRecord, Fence, ProofRead } from '../../../src/domain/incident.ts';
import type { Instance, Volume } from '../../../src/domain/machine.ts';
import type { Ownership } from '../../../src/domain/ownership.ts';

/** Where an execution stands: the name says what it does next. */
export type Place =
  | 'bind'
  | 'read the claim'
  | 'intend the mark'
  | 'mark the epoch'
  | 'claim'
  | 'load the fence'
  | 'look'
  | 'intend the stop'
  | 'stop'
  | 'save the stop'
  | 'look again'
  | 'save the proof'
  | 'load the release'
  | 'look at the volume'
  | 'intend the detach'
  | 'detach'
  | 'conclude the detach'
  | 'look at the free volume'
  | 'record the release'
  | 'void the proof'
  | 'load the hand-off'
  | 'intend the hand-off'
  | 'mark gone'
  | 'verify'
  | 'over';

/**
 * A function of one execution, frozen between any two of its steps for as long as you like. One
 * that is never thawed is one that crashed, so a crash needs no step of its own.
 */
export interface Execution {
  token: number;
  incident: number;
  at: Place;
  /** What it remembers. */
  seen?: Ownership;
  epoch?: number;
  fence?: Fence;
  launch?: LaunchTime;
  first?: ProofRead;
  second?: ProofRead;
  detach?: number;
  answer?: 'accepted' | 'refused';
  /** For the judge only: what the truth was at its reads, and calls made after it was replaced. */
  truly: { first: boolean; second: boolean; down: boolean; ill: boolean };
  late: number;
}

export interface State {
  machine: { launch: number; power: 'running' | 'stopping' | 'stopped'; healthy: boolean };
  /** Who holds the volume. */
  volume: 'old' | 'detaching' | 'free' | 'new';
  /** The epoch mark on the volume, outside of the ledger. */
  mark: number;
  gone: boolean;
  incident: {
    n: number;
    token: number;
    boundTo: number;
    status: 'open' | 'recovered' | 'cancelled';
    fence?: Fence;
  };
  owner: Ownership;
  detaches: AuditRecord[];
  executions: Execution[];
  /** What may still go wrong. */
  left: {
    executions: number;
    duplicates: number;
    starts: number;
    stops: number;
    recoveries: number;
    staleReads: number;
    restores: number;
    deadlines: number;
  };
  /** For the judge only: the highest epoch that was ever claimed. */
  highest: number;
  /** The law that the last step broke. */
  broken?: string;
}

export const oldInstance = 'i-0000000000000000a' as InstanceId;
const newInstance = 'i-0000000000000000b' as InstanceId;
export const volumeId = 'vol-0000000000000000a' as VolumeId;
/** Time passes from event to event; only their order is kept. */
const tickMs = 1_000;

export const incidentIdOf = (n: number): IncidentId => `demo#${oldInstance}#${n}` as IncidentId;
export const launchTimeOf = (launch: number): LaunchTime => `2026-01-0${launch}` as LaunchTime;

export const adopted: Ownership = {
  volumeId,
  name: 'mysql',
  state: 'owned',
  epoch: 0,
  owner: oldInstance,
};

export const initial = (left: State['left']): State => ({
  machine: { launch: 1, power: 'running', healthy: false },
  volume: 'old',
  mark: 1,
  gone: false,
  incident: { n: 1, token: 1, boundTo: -1, status: 'open' },
  owner: adopted,
  detaches: [],
  executions: [newExecution(1, 1)],
  left,
  highest: 0,
});

export const newExecution = (incident: number, token: number): Execution => ({
  token,
  incident,
  at: 'bind',
  truly: { first: false, second: false, down: false, ill: false },
  late: 0,
});

/** What EC2 would answer about the instance. */
export const instanceOf = ({ launch, power }: State['machine']): Instance => ({
  instanceId: oldInstance,
  state: power,
  launchTime: launchTimeOf(launch),
  availabilityZone: 'a',
  instanceType: 'm5.large',
  lifecycle: 'on-demand',
  rootDeviceType: 'ebs',
  devices: [],
  tags: [],
});

/** What EC2 would answer about the volume. */
export const volumeOf = ({ volume }: State): Volume => ({
  volumeId,
  state: volume === 'free' ? 'available' : 'in-use',
  availabilityZone: 'a',
  multiAttach: false,
  attachments:
    volume === 'free'
      ? []
      : [
          {
            instanceId: volume === 'new' ? newInstance : oldInstance,
            device: '/dev/xvdf',
            state: volume === 'detaching' ? 'detaching' : 'attached',
            deleteOnTermination: false,
          },
        ],
  tags: [],
});

/** The value of `at`, `since`, `requestedAt` and their like. */
const times = /(?<=[aA]t":|since":)\d+/g;

/**
 * One name for all states that differ only in when things happened: times become ranks. The state
 * can be read back from it.
 */
export const nameOf = (state: State): string => {
  const text = JSON.stringify(state);
  const seen = new Set((text.match(times) ?? []).map(Number));
  const ranks = new Map([...seen].sort((a, b) => a - b).map((time, rank) => [time, rank + 1]));
  return text.replace(times, (time) => String((ranks.get(Number(time)) ?? 0) * tickMs));
};

/** Later than everything that is remembered in a state of this name. */
export const nowIn = (name: string): EpochMs =>
  (Math.max(0, ...(name.match(times) ?? []).map(Number)) + tickMs) as EpochMs;
