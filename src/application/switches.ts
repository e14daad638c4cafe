import { StoppedByOperatorError } from '../domain/errors.ts';
import type { EpochMs } from '../domain/ids.ts';
import type { HoldReason, Incident, OperatorHold } from '../domain/incident.ts';
import { isRecent } from '../domain/recent.ts';
import type { ClusterLedger, Control } from '../ports/ledger.ts';
import type { Clock } from '../ports/system.ts';

/** What an operator has said stop to, and how it reads. */
export interface Stopped {
  readonly reason: HoldReason;
  readonly says: string;
}

/** When this invocation last read the operators' switches; absent: not yet. */
export interface Switches {
  readAt?: EpochMs;
}

export interface SwitchDeps {
  readonly ledger: Pick<ClusterLedger, 'control'>;
  readonly clock: Clock;
  /** Absent: they are read before every mutation. */
  readonly switches?: Switches;
}

/** An operator's switches read longer ago than this are read again before anything is mutated. */
const freshMs = 2_000;

/** How an operator's word about one incident reads. */
export const heldByWord = ({ by, reason }: OperatorHold): Stopped => ({
  reason: 'operator-hold',
  says: `${by} holds this incident: ${reason}. Resume it to go on.`,
});

/** A switch that says: nothing is mutated now. undefined when there is none. */
export const heldByOperator = (
  incident: Pick<Incident, 'instanceId' | 'operatorHold'>,
  control: Control,
  now: EpochMs,
): Stopped | undefined => {
  if (incident.operatorHold !== undefined) return heldByWord(incident.operatorHold);
  const { paused } = control;
  if (paused !== undefined && (paused.until === undefined || now < paused.until)) {
    const says = `${paused.by} paused the cluster: ${paused.reason}. Unpause to go on.`;
    return { reason: 'paused', says };
  }
  const maintenance = control.maintenance[incident.instanceId];
  if (maintenance !== undefined && now < maintenance.until) {
    const says = `${maintenance.by} declared maintenance until ${new Date(maintenance.until).toISOString()}.`;
    return { reason: 'maintenance', says };
  }
  return undefined;
};

/**
 * What an operator has said since the switches were last read, if that is too long ago to be relied
 * on. What holds the incident itself needs no read: it takes the token away.
 */
export const switchedSince = async (
  { clock, ledger, switches = {} }: SwitchDeps,
  incident: Pick<Incident, 'cluster' | 'instanceId'>,
): Promise<Stopped | undefined> => {
  const { readAt } = switches;
  if (readAt !== undefined && isRecent(readAt, clock.now(), freshMs)) return undefined;
  const at = clock.now();
  const control = await ledger.control(incident.cluster);
  switches.readAt = at;
  return heldByOperator(incident, control, clock.now());
};

/** The last word before anything is mutated. Throws StoppedByOperatorError. */
export const obey = async (deps: SwitchDeps, incident: Incident): Promise<void> => {
  const stopped = await switchedSince(deps, incident);
  if (stopped !== undefined) throw new StoppedByOperatorError(incident.id, stopped.says);
};
