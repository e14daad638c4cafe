import type { EpochMs, IncidentId, InstanceId } from './ids.ts';
import type { HoldReason, Incident } from './incident.ts';

/** What an operator wants, who it is and why: both are kept with what became of it. */
interface Said {
  readonly by: string;
  readonly reason: string;
}

export type Order = Said &
  (
    | { readonly action: 'approve'; readonly incidentId: IncidentId; readonly approvalId: string }
    | { readonly action: 'deny'; readonly incidentId: IncidentId; readonly approvalId: string }
    | { readonly action: 'hold'; readonly incidentId: IncidentId }
    | { readonly action: 'resume'; readonly incidentId: IncidentId }
    | {
        readonly action: 'acknowledge';
        readonly incidentId: IncidentId;
        /** Absent: what holds it now. */
        readonly hold?: HoldReason;
      }
    | { readonly action: 'acknowledge-storm'; readonly until: EpochMs }
    | { readonly action: 'pause'; readonly until?: EpochMs }
    | { readonly action: 'unpause' }
    | {
        readonly action: 'begin-maintenance';
        readonly instanceId: InstanceId;
        readonly until: EpochMs;
      }
    | { readonly action: 'end-maintenance'; readonly instanceId: InstanceId }
  );

export type OrderAction = Order['action'];

export const orderActions = [
  'approve',
  'deny',
  'hold',
  'resume',
  'acknowledge',
  'acknowledge-storm',
  'pause',
  'unpause',
  'begin-maintenance',
  'end-maintenance',
] as const satisfies readonly OrderAction[];

/** What became of an order; `says` is for the operator. */
export interface OrderAnswer {
  readonly kind: 'done' | 'unchanged' | 'refused';
  readonly says: string;
  /** The execution that was started for the incident, if one was. */
  readonly execution?: string;
}

/** An order as it is kept: written before it is carried out, completed after. */
export interface OrderRecord {
  readonly at: EpochMs;
  readonly action: OrderAction;
  readonly by: string;
  readonly reason: string;
  /** What else was said: the incident, the instance, until when. */
  readonly parameters: Readonly<Record<string, string | number>>;
  /** Absent: the answer was lost, or the function died; the ledger tells what is switched. */
  readonly outcome?: { readonly kind: OrderAnswer['kind']; readonly says: string };
}

/** Further than this nobody plans; a year typed wrong would switch the watchman off for ever. */
const untilMaxMs = 31 * 24 * 3_600_000;

/** Why an end is none; undefined: it is one. */
export const whyNoEnd = (until: EpochMs, now: EpochMs): string | undefined => {
  if (until <= now) return 'is over already';
  return until - now > untilMaxMs ? 'is more than 31 days away' : undefined;
};

/** Everything that was said besides who and why, as the audit keeps it. */
export const parametersOf = (order: Order): Readonly<Record<string, string | number>> => {
  const { action: _action, by: _by, reason: _reason, ...rest } = order;
  return Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined));
};

/** The holds that a person may wave through, and what it then means. */
const waivable: Partial<Record<HoldReason, string>> = {
  storm: 'the storm brake lets it through',
  flapping: 'it may fail over once more within the block period',
  partitioned: 'the machine that EC2 finds well may be fenced',
  'weak-fence': 'the volumes may be released although the stop needed Force',
  'local-persistent-volumes': 'local persistent volumes on the agent may be destroyed',
  'volume-not-usable': 'the volume whose I/O EC2 had stopped may be used',
};

/** What it means to wave this hold through; undefined: nobody may. */
export const meaningOf = (reason: HoldReason): string | undefined => waivable[reason];

/** What to do about the others instead. */
const otherwise: Partial<Record<HoldReason, string>> = {
  paused: 'unpause the cluster',
  maintenance: 'end the maintenance',
  'operator-hold': 'resume the incident',
  approval: 'approve or deny it',
};

export type Acknowledgement =
  | { readonly kind: 'new'; readonly reason: HoldReason; readonly says: string }
  | { readonly kind: 'unchanged' | 'refused'; readonly says: string };

/** Can this hold be waved through? What keeps data safe cannot. Pure. */
export const acknowledgementOf = (
  { acknowledged = [], hold, id }: Pick<Incident, 'acknowledged' | 'hold' | 'id'>,
  asked: HoldReason | undefined,
): Acknowledgement => {
  const reason = asked ?? hold?.reason;
  if (reason === undefined) {
    const says = `${id} is not held: name the hold to acknowledge ahead of it`;
    return { kind: 'refused', says };
  }
  const meaning = meaningOf(reason);
  if (meaning === undefined) {
    const instead = otherwise[reason] ?? `the runbook's section "${reason}" says how it ends`;
    const says = `${reason} cannot be acknowledged: ${instead}`;
    return { kind: 'refused', says };
  }
  return acknowledged.includes(reason)
    ? { kind: 'unchanged', says: `${reason} of ${id} is acknowledged already: ${meaning}` }
    : { kind: 'new', reason, says: `${reason} of ${id} is acknowledged: ${meaning}` };
};
