import { isDeepStrictEqual } from 'node:util';
import { signalsMax } from '../../src/adapters/dynamodb/records.ts';
import { settledAs, type Told, taken, untold } from '../../src/domain/details.ts';
import {
  CorruptRecordError,
  IncidentNotFoundError,
  TokenLostError,
} from '../../src/domain/errors.ts';
import {
  type EpochMs,
  executionNameOf,
  type IncidentId,
  type InstanceId,
  incidentIdOf,
  isRehearsal,
  rehearsalIdOf,
  type StormId,
  type VolumeId,
} from '../../src/domain/ids.ts';
import type {
  Approval,
  AuditRecord,
  CallIntent,
  CallOutcome,
  Incident,
  IncidentPatch,
  Signal,
} from '../../src/domain/incident.ts';
import type { OrderRecord } from '../../src/domain/order.ts';
import type { Ownership } from '../../src/domain/ownership.ts';
import type { Quarantine } from '../../src/domain/quarantine.ts';
import type { Inventory } from '../../src/domain/service.ts';
import { type Admission, calm, type Storm, type Waiting } from '../../src/domain/storm.ts';
import { shiftedZonesOf, type ZoneShift } from '../../src/domain/zone-shift.ts';
import type {
  ClusterLedger,
  Control,
  DriftLedger,
  IncidentLedger,
  NotificationLedger,
  OrderLedger,
  OrderNumber,
  OrderSubject,
  OwnershipLedger,
  QuarantineLedger,
  StormLedger,
  SwitchChange,
} from '../../src/ports/ledger.ts';

type Claim = Ownership & { readonly incidentId: IncidentId; readonly token: number };
type Message = { readonly channel: string; readonly ts: string };

const isOver = ({ status }: Incident): boolean => status === 'recovered' || status === 'cancelled';

const byArrival = (a: Signal, b: Signal): number =>
  a.receivedAt - b.receivedAt || (a.key < b.key ? -1 : 1);

const patched = (incident: Incident, patch: IncidentPatch, at: EpochMs): Incident => {
  const { hold: held, operatorHold: ordered, ...rest } = incident;
  const { hold = held, operatorHold = ordered, ...facets } = patch;
  const holds = { ...(hold && { hold }), ...(operatorHold && { operatorHold }) };
  return { ...rest, ...facets, ...holds, updatedAt: at };
};

const quiet: Control = { maintenance: {} };

/** Without these among those that wait; without anybody waiting it has ended. */
const without = (storm: Storm, incidentIds: readonly IncidentId[], at: EpochMs): Storm => {
  const left = Object.entries(storm.waiting).filter(([id]) => !incidentIds.some((i) => i === id));
  const isOn = storm.began !== undefined && storm.ended === undefined;
  const ended = isOn && left.length === 0 ? { ended: at } : {};
  return { ...storm, ...ended, waiting: Object.fromEntries(left) };
};

/**
 * All five ledgers in memory, for unit tests of use cases. Passes the same contract as DynamoDB
 * (test/contract/ledger.ts). Every call is one step: nothing comes between its parts. Records are
 * copied on the way in, so nobody can change the past.
 */
export class MemoryLedger
  implements
    IncidentLedger,
    OwnershipLedger,
    ClusterLedger,
    QuarantineLedger,
    DriftLedger,
    NotificationLedger,
    StormLedger,
    OrderLedger
{
  readonly #counts = new Map<InstanceId, number>();
  readonly #incidents = new Map<IncidentId, Incident>();
  readonly #unlisted = new Set<IncidentId>();
  readonly #steps = new Map<IncidentId, Map<number, AuditRecord>>();
  readonly #owners = new Map<VolumeId, Ownership>();
  readonly #past = new Map<VolumeId, readonly Ownership[]>();
  readonly #inventories = new Map<InstanceId, Inventory>();
  readonly #watched = new Map<string, Set<InstanceId>>();
  readonly #quarantines = new Map<string, Map<InstanceId, Quarantine>>();
  readonly #controls = new Map<string, Control>();
  readonly #slots = new Map<string, IncidentId>();
  readonly #shifts = new Map<string, Map<string, ZoneShift>>();
  readonly #messages = new Map<IncidentId | StormId, Message>();
  readonly #details = new Map<IncidentId | StormId, Told>();
  readonly #storms = new Map<string, Storm>();
  readonly #orders = new Map<string, readonly OrderRecord[]>();

  /** What an operator would switch. */
  setControl(cluster: string, control: Control): void {
    this.#controls.set(cluster, structuredClone(control));
  }

  async admit(cluster: string, signal: Signal) {
    const open = this.#openOf(signal.instanceId);
    if (open === undefined)
      return { kind: 'opened', incident: this.#open(cluster, signal) } as const;
    if (open.cluster !== cluster) {
      throw new CorruptRecordError(`AGENT#${signal.instanceId}/OPEN`, `is not of ${cluster}`);
    }
    const added =
      open.signals.length < signalsMax && !open.signals.some(({ key }) => key === signal.key);
    const incident = added
      ? this.#put({
          ...open,
          signals: [...open.signals, signal].sort(byArrival),
          updatedAt: signal.receivedAt,
        })
      : open;
    return { kind: 'joined', incident, added } as const;
  }

  async rehearse(cluster: string, signal: Signal, executionName: string): Promise<Incident> {
    const { instanceId, notice, receivedAt } = signal;
    let n: number = receivedAt;
    while (this.#incidents.has(rehearsalIdOf(cluster, instanceId, n))) n += 1;
    const id = rehearsalIdOf(cluster, instanceId, n);
    this.#unlisted.add(id);
    return this.#put({
      id,
      cluster,
      instanceId,
      n,
      status: 'open',
      token: 1,
      seq: 0,
      executionName,
      openedAt: receivedAt,
      updatedAt: receivedAt,
      signals: [signal],
      ...(notice === undefined ? {} : { mode: 'drain' as const }),
    });
  }

  async incident(id: IncidentId): Promise<Incident | undefined> {
    return this.#incidents.get(id);
  }

  async openIncidentOf(instanceId: InstanceId): Promise<Incident | undefined> {
    return this.#openOf(instanceId);
  }

  async lastIncidentOf(cluster: string, instanceId: InstanceId): Promise<Incident | undefined> {
    const n = this.#counts.get(instanceId);
    return n === undefined ? undefined : this.#incidents.get(incidentIdOf(cluster, instanceId, n));
  }

  async openIncidents(cluster: string): Promise<IncidentId[]> {
    return [...this.#incidents.values()]
      .filter(({ cluster: own, id }) => own === cluster && !this.#unlisted.has(id))
      .map(({ id }) => id)
      .sort();
  }

  async takeOver(
    id: IncidentId,
    fromToken: number,
    at: EpochMs,
    patch: IncidentPatch = {},
    status?: Incident['status'],
  ): Promise<Incident | 'lost'> {
    const { executionArn: _, ...incident } = this.#known(id);
    if (incident.token !== fromToken || isOver(incident)) return 'lost';
    if (status !== undefined && incident.status !== status) return 'lost';
    const token = fromToken + 1;
    const executionName = executionNameOf(incident.instanceId, incident.n, token);
    return this.#put(patched({ ...incident, token, executionName }, patch, at));
  }

  async bindExecution(
    id: IncidentId,
    token: number,
    executionArn: string,
    at: EpochMs,
  ): Promise<Incident | 'lost'> {
    const incident = this.#known(id);
    const bound = incident.executionArn ?? executionArn;
    if (incident.token !== token || isOver(incident) || bound !== executionArn) return 'lost';
    return this.#put({ ...incident, executionArn, updatedAt: at });
  }

  async awaitAnswer(
    id: IncidentId,
    token: number,
    approvalId: string,
    taskToken: string,
    at: EpochMs,
  ): Promise<'waits' | 'answered'> {
    const { approval, ...incident } = this.#underToken(id, token);
    if (approval?.id !== approvalId || approval.status !== 'pending') return 'answered';
    this.#put({ ...incident, approval: { ...approval, taskToken }, updatedAt: at });
    return 'waits';
  }

  async answerApproval(
    id: IncidentId,
    approvalId: string,
    decision: Pick<Approval, 'status' | 'by' | 'reason' | 'decidedAt'>,
    at: EpochMs,
  ): Promise<Incident | 'lost'> {
    const { approval, ...incident } = this.#known(id);
    const isAsked = approval?.id === approvalId && approval.status === 'pending';
    if (!isAsked || isOver(incident)) return 'lost';
    return this.#put({ ...incident, approval: { ...approval, ...decision }, updatedAt: at });
  }

  async save(id: IncidentId, token: number, patch: IncidentPatch, at: EpochMs): Promise<Incident> {
    return this.#put(patched(this.#underToken(id, token), patch, at));
  }

  async intend(
    id: IncidentId,
    token: number,
    actor: string,
    calls: readonly CallIntent[],
    at: EpochMs,
    patch: IncidentPatch = {},
  ): Promise<readonly AuditRecord[]> {
    const incident = this.#underToken(id, token);
    this.#put({ ...patched(incident, patch, at), seq: incident.seq + calls.length });
    const steps = this.#steps.get(id) ?? new Map<number, AuditRecord>();
    this.#steps.set(id, steps);
    const records = calls.map((call, i) =>
      structuredClone({ ...call, seq: incident.seq + 1 + i, token, actor, intendedAt: at }),
    );
    for (const record of records) steps.set(record.seq, record);
    return records;
  }

  async conclude(id: IncidentId, seq: number, outcome: CallOutcome): Promise<void> {
    const record = this.#steps.get(id)?.get(seq);
    if (isDeepStrictEqual(record?.outcome, outcome)) return;
    if (record === undefined || record.outcome !== undefined) {
      const problem = record ? 'has another outcome already' : 'was never intended';
      throw new CorruptRecordError(`INCIDENT#${id}/STEP#${seq}`, problem);
    }
    this.#steps.get(id)?.set(seq, { ...record, outcome: structuredClone(outcome) });
  }

  async audit(id: IncidentId): Promise<AuditRecord[]> {
    return [...(this.#steps.get(id)?.values() ?? [])].sort((a, b) => a.seq - b.seq);
  }

  async close(
    id: IncidentId,
    token: number,
    patch: IncidentPatch & { readonly status: 'recovered' | 'cancelled' },
    at: EpochMs,
  ): Promise<Incident> {
    const known = this.#known(id);
    if (known.token === token && isOver(known)) return known;
    return this.#put(patched(this.#underToken(id, token), { closedAt: at, ...patch }, at));
  }

  async unlist(_cluster: string, id: IncidentId): Promise<void> {
    this.#unlisted.add(id);
  }

  async adopt(
    first: Ownership & { readonly state: 'owned'; readonly epoch: 0 },
    _at: EpochMs,
  ): Promise<'recorded' | 'known'> {
    const stands = this.#owners.get(first.volumeId);
    if (stands === undefined) this.#owners.set(first.volumeId, structuredClone(first));
    return isDeepStrictEqual(stands ?? first, first) ? 'recorded' : 'known';
  }

  async ownership(volumeId: VolumeId): Promise<Ownership | undefined> {
    return this.#owners.get(volumeId);
  }

  async claim(
    current: Ownership | undefined,
    next: Claim,
    _at: EpochMs,
  ): Promise<'claimed' | 'lost'> {
    if (next.epoch <= (current?.epoch ?? 0)) {
      throw new RangeError(`epoch ${next.epoch} of ${next.volumeId} does not rise`);
    }
    const stands = this.#owners.get(next.volumeId);
    if (isDeepStrictEqual(stands, next)) return 'claimed';
    const seen = [current?.epoch, current?.state, current?.incidentId];
    if (!isDeepStrictEqual([stands?.epoch, stands?.state, stands?.incidentId], seen)) return 'lost';
    const past = this.#past.get(next.volumeId) ?? [];
    if (stands) this.#past.set(next.volumeId, [...past, stands]);
    this.#owners.set(next.volumeId, structuredClone(next));
    return 'claimed';
  }

  async advance(
    next: Ownership & { readonly incidentId: IncidentId },
    _at: EpochMs,
  ): Promise<'saved' | 'lost'> {
    const stands = this.#owners.get(next.volumeId);
    if (stands?.incidentId !== next.incidentId || stands.epoch !== next.epoch) return 'lost';
    if ((stands.token ?? 0) > (next.token ?? Number.POSITIVE_INFINITY)) return 'lost';
    const repeated = next.state === 'owned' && next.owner && next.owner === stands.owner;
    if (stands.state === 'owned' && !repeated) return 'lost';
    this.#owners.set(next.volumeId, structuredClone(next));
    return 'saved';
  }

  async follow(current: Ownership, owner: InstanceId, _at: EpochMs): Promise<'saved' | 'lost'> {
    const stands = this.#owners.get(current.volumeId);
    const parts = (record?: Ownership) =>
      record && [record.epoch, record.state, record.incidentId, record.owner];
    if (!stands || !isDeepStrictEqual(parts(stands), parts(current))) return 'lost';
    this.#owners.set(current.volumeId, { ...stands, owner, state: 'owned' });
    return 'saved';
  }

  async history(volumeId: VolumeId): Promise<Ownership[]> {
    return [...(this.#past.get(volumeId) ?? [])];
  }

  async control(cluster: string): Promise<Control> {
    const control = this.#controls.get(cluster) ?? { maintenance: {} };
    const shiftedZones = shiftedZonesOf([...(this.#shifts.get(cluster)?.values() ?? [])]);
    return { ...control, ...(Object.keys(shiftedZones).length > 0 && { shiftedZones }) };
  }

  async switchControl(cluster: string, change: SwitchChange): Promise<void> {
    const { paused: before, maintenance, ...rest } = this.#controls.get(cluster) ?? quiet;
    const { maintenance: entry, paused = before, stormAcknowledged } = change;
    const { [entry?.instanceId ?? '']: _, ...others } = maintenance;
    this.#controls.set(cluster, {
      ...rest,
      ...(paused && { paused }),
      ...(stormAcknowledged && { stormAcknowledged }),
      maintenance: {
        ...(entry === undefined ? maintenance : others),
        ...(entry?.begun && { [entry.instanceId]: entry.begun }),
      },
    });
  }

  async recordOrder(of: OrderSubject, order: Omit<OrderRecord, 'outcome'>): Promise<OrderNumber> {
    const subject = JSON.stringify(of);
    const orders = this.#orders.get(subject) ?? [];
    const nth = orders.filter(({ at }) => at === order.at).length;
    this.#orders.set(subject, [...orders, structuredClone(order)]);
    return { of, at: order.at, nth };
  }

  async concludeOrder(
    { at, nth, of }: OrderNumber,
    outcome: NonNullable<OrderRecord['outcome']>,
  ): Promise<void> {
    const subject = JSON.stringify(of);
    const orders = this.#orders.get(subject) ?? [];
    const index = orders.findIndex((order) => order.at === at) + nth;
    const order = orders[index];
    if (isDeepStrictEqual(order?.outcome, outcome)) return;
    if (order === undefined || order.outcome !== undefined) {
      const problem = order ? 'has another outcome already' : 'was never recorded';
      throw new CorruptRecordError(`ORDER#${at}-${nth}`, problem);
    }
    this.#orders.set(subject, orders.with(index, { ...order, outcome }));
  }

  async orders(of: OrderSubject): Promise<OrderRecord[]> {
    return [...(this.#orders.get(JSON.stringify(of)) ?? [])];
  }

  async inventory(instanceId: InstanceId): Promise<Inventory | undefined> {
    return this.#inventories.get(instanceId);
  }

  async recordInventory(instanceId: InstanceId, inventory: Inventory): Promise<void> {
    const known = this.#inventories.get(instanceId);
    if (known && known.seenAt > inventory.seenAt) return;
    this.#inventories.set(instanceId, structuredClone(inventory));
  }

  async watched(cluster: string): Promise<InstanceId[]> {
    return [...(this.#watched.get(cluster) ?? [])].sort();
  }

  async watch(cluster: string, instanceId: InstanceId): Promise<void> {
    this.#watched.set(cluster, new Set([...(this.#watched.get(cluster) ?? []), instanceId]));
  }

  async unwatch(cluster: string, instanceId: InstanceId): Promise<void> {
    this.#watched.get(cluster)?.delete(instanceId);
  }

  async quarantines(cluster: string): Promise<Quarantine[]> {
    const all = [...(this.#quarantines.get(cluster)?.values() ?? [])];
    return all.sort((a, b) => (a.instanceId < b.instanceId ? -1 : 1));
  }

  async quarantine(cluster: string, instanceId: InstanceId): Promise<Quarantine | undefined> {
    return this.#quarantines.get(cluster)?.get(instanceId);
  }

  async saveQuarantine(cluster: string, next: Quarantine): Promise<'saved' | 'lost'> {
    const all = this.#quarantines.get(cluster) ?? new Map<InstanceId, Quarantine>();
    const known = all.get(next.instanceId);
    const isSame = known?.launchTime === next.launchTime && known.incidentId === next.incidentId;
    const isLifted = known?.lifted !== undefined && next.lifted === undefined;
    const isOlder = known !== undefined && known.launchTime >= next.launchTime;
    if (isSame ? isLifted : isOlder) return 'lost';
    all.set(next.instanceId, structuredClone(next));
    this.#quarantines.set(cluster, all);
    return 'saved';
  }

  async endQuarantine(cluster: string, ended: Quarantine): Promise<void> {
    const known = await this.quarantine(cluster, ended.instanceId);
    const { incidentId, launchTime } = ended;
    if (known?.incidentId !== incidentId || known.launchTime !== launchTime) return;
    this.#quarantines.get(cluster)?.delete(ended.instanceId);
  }

  async rememberZoneShift(cluster: string, shift: ZoneShift): Promise<'recorded' | 'older'> {
    const shifts = this.#shifts.get(cluster) ?? new Map<string, ZoneShift>();
    if ((shifts.get(shift.key)?.at ?? 0) > shift.at) return 'older';
    this.#shifts.set(cluster, shifts.set(shift.key, structuredClone(shift)));
    return 'recorded';
  }

  async storm(cluster: string): Promise<Storm> {
    return this.#storms.get(cluster) ?? calm;
  }

  async letThrough(
    cluster: string,
    current: Storm,
    incidentId: IncidentId,
    admitted: readonly Admission[],
  ): Promise<'recorded' | 'lost'> {
    const stands = this.#storms.get(cluster) ?? calm;
    if (stands.version !== current.version) return 'lost';
    const next = { ...stands, version: stands.version + 1, admitted };
    const at = admitted.at(-1)?.at ?? (0 as EpochMs);
    this.#storms.set(cluster, structuredClone(without(next, [incidentId], at)));
    return 'recorded';
  }

  async joinStorm(cluster: string, incidentId: IncidentId, waiting: Waiting): Promise<void> {
    const { ended, ...stands } = this.#storms.get(cluster) ?? calm;
    if (stands.waiting[incidentId] !== undefined) return;
    const goesOn = stands.began !== undefined && ended === undefined;
    const begins = { began: waiting.since, first: incidentId, joined: 1 };
    const joined = goesOn ? { joined: stands.joined + 1 } : begins;
    const all = { ...stands.waiting, [incidentId]: waiting };
    this.#storms.set(cluster, structuredClone({ ...stands, ...joined, waiting: all }));
  }

  async leaveStorm(
    cluster: string,
    incidentIds: readonly IncidentId[],
    at: EpochMs,
  ): Promise<void> {
    const stands = this.#storms.get(cluster);
    if (stands !== undefined) this.#storms.set(cluster, without(stands, incidentIds, at));
  }

  async takeSlot(cluster: string, incidentId: IncidentId, from?: IncidentId) {
    const holder = this.#slots.get(cluster);
    if (holder === undefined || holder === from) this.#slots.set(cluster, incidentId);
    return this.#slots.get(cluster);
  }

  async slot(cluster: string): Promise<IncidentId | undefined> {
    return this.#slots.get(cluster);
  }

  async freeSlot(cluster: string, incidentId: IncidentId): Promise<void> {
    if (this.#slots.get(cluster) === incidentId) this.#slots.delete(cluster);
  }

  async message(id: IncidentId | StormId): Promise<Message | undefined> {
    return this.#messages.get(id);
  }

  async recordMessage(
    id: IncidentId | StormId,
    channel: string,
    ts: string,
  ): Promise<'recorded' | 'lost'> {
    const message = this.#messages.get(id) ?? { channel, ts };
    this.#messages.set(id, message);
    return message.channel === channel && message.ts === ts ? 'recorded' : 'lost';
  }

  async takeDetails(id: IncidentId | StormId, keys: readonly string[], at: EpochMs) {
    const told = this.#details.get(id) ?? {};
    const mine = untold(told, keys, at);
    this.#details.set(id, taken(told, mine, at));
    return mine;
  }

  async settleDetails(
    id: IncidentId | StormId,
    keys: readonly string[],
    became: 'told' | 'untold',
  ): Promise<void> {
    this.#details.set(id, settledAs(this.#details.get(id) ?? {}, keys, became));
  }

  #openOf(instanceId: InstanceId): Incident | undefined {
    return [...this.#incidents.values()].find(
      (incident) =>
        incident.instanceId === instanceId && !isOver(incident) && !isRehearsal(incident.id),
    );
  }

  #open(cluster: string, signal: Signal): Incident {
    const { instanceId, receivedAt } = signal;
    const n = (this.#counts.get(instanceId) ?? 0) + 1;
    this.#counts.set(instanceId, n);
    return this.#put({
      id: incidentIdOf(cluster, instanceId, n),
      cluster,
      instanceId,
      n,
      status: 'open',
      token: 1,
      seq: 0,
      executionName: executionNameOf(instanceId, n, 1),
      openedAt: receivedAt,
      updatedAt: receivedAt,
      signals: [signal],
      ...(signal.notice === undefined ? {} : { mode: 'drain' as const }),
    });
  }

  #put(incident: Incident): Incident {
    const kept = structuredClone(incident);
    this.#incidents.set(kept.id, kept);
    return kept;
  }

  #known(id: IncidentId): Incident {
    const incident = this.#incidents.get(id);
    if (incident === undefined) throw new IncidentNotFoundError(id);
    return incident;
  }

  #underToken(id: IncidentId, token: number): Incident {
    const incident = this.#known(id);
    if (incident.token !== token || isOver(incident)) throw new TokenLostError(id, token);
    return incident;
  }
}
