import type { EpochMs, IncidentId, InstanceId, StormId, VolumeId } from '../domain/ids.ts';
import type {
  Approval,
  AuditRecord,
  CallIntent,
  CallOutcome,
  Incident,
  IncidentPatch,
  Signal,
} from '../domain/incident.ts';
import type { OrderRecord } from '../domain/order.ts';
import type { Ownership } from '../domain/ownership.ts';
import type { Quarantine } from '../domain/quarantine.ts';
import type { Inventory } from '../domain/service.ts';
import type { Admission, Storm, Waiting } from '../domain/storm.ts';
import type { ShiftedZone, ZoneShift } from '../domain/zone-shift.ts';

/**
 * The record of who may do what. All reads are consistent, all writes conditional. A lost race is
 * a value; throttling and lost answers throw LedgerUnavailableError; a record of another schema
 * throws CorruptRecordError. `undefined` means a confirmed miss.
 */
export interface IncidentLedger {
  /**
   * Adds the signal to the instance's open incident, or opens the next one (n + 1) with token 1, as
   * a drain if the signal announces something.
   * `added` is false when a signal of this key was there already, or the incident has its fill of
   * signals. A joined incident without `executionArn` may never have been started: anybody may
   * start it under its `executionName`, which is the same execution however often it is started.
   */
  admit(
    cluster: string,
    signal: Signal,
  ): Promise<
    | { readonly kind: 'opened'; readonly incident: Incident }
    | { readonly kind: 'joined'; readonly incident: Incident; readonly added: boolean }
  >;
  /**
   * The record of a dry run, with token 1: behind no gate and on no list, so that nobody joins it,
   * resumes it or waits for it.
   */
  rehearse(cluster: string, signal: Signal, executionName: string): Promise<Incident>;
  incident(id: IncidentId): Promise<Incident | undefined>;
  openIncidentOf(instanceId: InstanceId): Promise<Incident | undefined>;
  /** The last incident of the instance, over or not. */
  lastIncidentOf(cluster: string, instanceId: InstanceId): Promise<Incident | undefined>;
  /**
   * What is open is listed. What is listed may not exist yet (skip it), or be over and its end not
   * told yet.
   */
  openIncidents(cluster: string): Promise<IncidentId[]>;
  /**
   * token + 1 and a new execution name, if the token is still `fromToken`. Allocates the name
   * before anything is started under it. Repeated after a lost answer it says 'lost': a token may
   * be skipped, never given twice. `patch` is written with it. `status`: only if it still has that one;
   * whoever wakes an incident that is held must not take it from an execution that works on it. Throws
   * IncidentNotFoundError.
   */
  takeOver(
    id: IncidentId,
    fromToken: number,
    at: EpochMs,
    patch?: IncidentPatch,
    status?: Incident['status'],
  ): Promise<Incident | 'lost'>;
  /**
   * Binds the running execution to the token. 'lost' when the token moved on or another execution
   * is bound to it. Throws IncidentNotFoundError.
   */
  bindExecution(
    id: IncidentId,
    token: number,
    executionArn: string,
    at: EpochMs,
  ): Promise<Incident | 'lost'>;
  /**
   * Keeps the task token of the execution that waits for the answer. 'answered' when there is one, or
   * something else is asked by now. Throws TokenLostError when the token moved on.
   */
  awaitAnswer(
    id: IncidentId,
    token: number,
    approvalId: string,
    taskToken: string,
    at: EpochMs,
  ): Promise<'waits' | 'answered'>;
  /** A person's answer, whoever holds the token; the first one stands, then 'lost'. */
  answerApproval(
    id: IncidentId,
    approvalId: string,
    decision: Required<Pick<Approval, 'by' | 'reason' | 'decidedAt'>> & {
      readonly status: 'approved' | 'denied';
    },
    at: EpochMs,
  ): Promise<Incident | 'lost'>;
  /** Writes facets under the token. Throws TokenLostError when it moved on or the incident is over. */
  save(id: IncidentId, token: number, patch: IncidentPatch, at: EpochMs): Promise<Incident>;
  /**
   * Write-ahead: under the token, reserves one audit record per call, applies the patch in the
   * same write, and stores the intents. Throws TokenLostError when the token moved on: then none
   * of the calls may be made. Nor after any other error; numbers reserved then may stay unused.
   */
  intend(
    id: IncidentId,
    token: number,
    actor: string,
    calls: readonly CallIntent[],
    at: EpochMs,
    patch?: IncidentPatch,
  ): Promise<readonly AuditRecord[]>;
  /** Completes an audit record, once; the same outcome again is fine, another is refused. */
  conclude(id: IncidentId, seq: number, outcome: CallOutcome): Promise<void>;
  audit(id: IncidentId): Promise<AuditRecord[]>;
  /**
   * Ends the incident and opens the gate of its instance; it stays listed until its end is told. Again
   * under the same token it only completes what was cut short, and answers the first end. Throws
   * TokenLostError.
   */
  close(
    id: IncidentId,
    token: number,
    patch: IncidentPatch & { readonly status: 'recovered' | 'cancelled' },
    at: EpochMs,
  ): Promise<Incident>;
  /** Nothing is left to tell of it. Again is fine. */
  unlist(cluster: string, id: IncidentId): Promise<void>;
}

export interface OwnershipLedger {
  /**
   * First record of a volume (epoch 0, owned), before it is tagged. A record that is there already
   * stays as it is.
   */
  adopt(
    first: Ownership & { readonly state: 'owned'; readonly epoch: 0 },
    at: EpochMs,
  ): Promise<'recorded' | 'known'>;
  ownership(volumeId: VolumeId): Promise<Ownership | undefined>;
  /** Writes the claim if the record is still `current`; keeps the old one as history. */
  claim(
    current: Ownership | undefined,
    next: Ownership & { readonly incidentId: IncidentId; readonly token: number },
    at: EpochMs,
  ): Promise<'claimed' | 'lost'>;
  /**
   * Moves a claimed volume on (released, held, lost, owned), under the same incident and epoch.
   * 'lost' also when a later token has written, or the volume has its new owner.
   */
  advance(
    next: Ownership & { readonly incidentId: IncidentId },
    at: EpochMs,
  ): Promise<'saved' | 'lost'>;
  history(volumeId: VolumeId): Promise<Ownership[]>;
}

/** What an operator has switched for the whole cluster. */
export interface Control {
  readonly paused?: { readonly by: string; readonly reason: string; readonly until?: EpochMs };
  /** Instances whose failure is expected, with the end of their maintenance. */
  readonly maintenance: Readonly<Record<string, { readonly by: string; readonly until: EpochMs }>>;
  /** Zones, by their ids, that traffic is moved away from; not believed after their `until`. */
  readonly shiftedZones?: Readonly<Record<string, ShiftedZone>>;
  /** Who lets everything through the storm brake, and until when. */
  readonly stormAcknowledged?: { readonly by: string; readonly until: EpochMs };
}

/** One switch; absent keys stay as they are, `null` switches off. */
export interface SwitchChange {
  readonly paused?: Control['paused'] | null;
  readonly stormAcknowledged?: NonNullable<Control['stormAcknowledged']>;
  readonly maintenance?: {
    readonly instanceId: InstanceId;
    readonly begun: { readonly by: string; readonly until: EpochMs } | null;
  };
}

export interface ClusterLedger {
  control(cluster: string): Promise<Control>;
  /** Writes an operator's switch; the last word counts. */
  switchControl(cluster: string, change: SwitchChange): Promise<void>;
  inventory(instanceId: InstanceId): Promise<Inventory | undefined>;
  recordInventory(instanceId: InstanceId, inventory: Inventory): Promise<void>;
  /** Agents that were seen well once and are missed when they are gone. */
  watched(cluster: string): Promise<InstanceId[]>;
  watch(cluster: string, instanceId: InstanceId): Promise<void>;
  unwatch(cluster: string, instanceId: InstanceId): Promise<void>;
  /** Remembers a shift for `control`, unless a later word on the same one is known: 'older'. */
  rememberZoneShift(cluster: string, shift: ZoneShift): Promise<'recorded' | 'older'>;
  /**
   * Planned moves that can wait are made one at a time: takes the cluster's slot for this incident
   * if it is free, this incident's already, or `from`'s. Answers whose it is then; undefined: it was
   * freed just now, ask again.
   */
  takeSlot(
    cluster: string,
    incidentId: IncidentId,
    from?: IncidentId,
  ): Promise<IncidentId | undefined>;
  /** Whose the slot is; undefined: it is free. */
  slot(cluster: string): Promise<IncidentId | undefined>;
  /** Fine if the slot is not this incident's. */
  freeSlot(cluster: string, incidentId: IncidentId): Promise<void>;
}

/** Who asked for what, when and why. Append-only. */
export interface OrderLedger {
  /**
   * Keeps an order before it is carried out, of the incident or else of the cluster; answers what its
   * outcome is written under.
   */
  recordOrder(of: OrderSubject, order: Omit<OrderRecord, 'outcome'>): Promise<OrderNumber>;
  /** Completes it, once. */
  concludeOrder(number: OrderNumber, outcome: NonNullable<OrderRecord['outcome']>): Promise<void>;
  orders(of: OrderSubject): Promise<OrderRecord[]>;
}

export type OrderSubject = { readonly cluster: string } | { readonly incidentId: IncidentId };
export interface OrderNumber {
  readonly of: OrderSubject;
  readonly at: EpochMs;
  /** Among those of the same millisecond. */
  readonly nth: number;
}

/** Who owns a volume may change without us: DC/OS moves apps, and REX-Ray their volumes with them. */
export interface DriftLedger {
  /**
   * Puts the volume on record as `owner`'s, under the epoch it has, if the record is still `current`.
   * A claim that was made meanwhile wins.
   */
  follow(current: Ownership, owner: InstanceId, at: EpochMs): Promise<'saved' | 'lost'>;
}

/** Hosts that were fenced, for as long as they could be started again. */
export interface QuarantineLedger {
  /** Every host that was fenced and could be started again, those being un-fenced included. */
  quarantines(cluster: string): Promise<Quarantine[]>;
  quarantine(cluster: string, instanceId: InstanceId): Promise<Quarantine | undefined>;
  /**
   * Writes the record where there is none, one of an earlier incarnation, or the same one: 'lost'
   * for an older fence than the one on record, and for a change of one that is being lifted.
   */
  saveQuarantine(cluster: string, next: Quarantine): Promise<'saved' | 'lost'>;
  /** Takes this very record away; one of a later fence stays. */
  endQuarantine(cluster: string, quarantine: Quarantine): Promise<void>;
}

/** The storm brake's one record, which all executions of a cluster share. */
export interface StormLedger {
  /** A cluster that had no storm yet is calm. */
  storm(cluster: string): Promise<Storm>;
  /**
   * Lets the applicant through: `admitted` is the whole new list, and whoever it is waits no more.
   * 'lost' when somebody else was let through since the record was read; read it and ask again.
   */
  letThrough(
    cluster: string,
    current: Storm,
    incidentId: IncidentId,
    admitted: readonly Admission[],
  ): Promise<'recorded' | 'lost'>;
  /** Puts it among those that wait, once; the first of them begins the storm. */
  joinStorm(cluster: string, incidentId: IncidentId, waiting: Waiting): Promise<void>;
  /** These wait no more, whether they did or not; with nobody left the storm has ended. */
  leaveStorm(cluster: string, incidentIds: readonly IncidentId[], at: EpochMs): Promise<void>;
}

/** One message per incident or storm: where it is and what it says already. */
export interface NotificationLedger {
  message(
    id: IncidentId | StormId,
  ): Promise<{ readonly channel: string; readonly ts: string } | undefined>;
  recordMessage(
    id: IncidentId | StormId,
    channel: string,
    ts: string,
  ): Promise<'recorded' | 'lost'>;
  /**
   * Those of the details that are the caller's to tell now: nobody has told them, and nobody has taken
   * them within `limits.detailLeaseMs`.
   */
  takeDetails(
    id: IncidentId | StormId,
    keys: readonly string[],
    at: EpochMs,
  ): Promise<readonly string[]>;
  /** What became of those that were taken: told for good, or anybody's again. */
  settleDetails(
    id: IncidentId | StormId,
    keys: readonly string[],
    became: 'told' | 'untold',
  ): Promise<void>;
}
