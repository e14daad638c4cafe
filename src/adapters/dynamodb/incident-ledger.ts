import { isDeepStrictEqual } from 'node:util';
import { CorruptRecordError, IncidentNotFoundError, TokenLostError } from '../../domain/errors.ts';
import {
  type EpochMs,
  executionNameOf,
  type IncidentId,
  type InstanceId,
  incidentIdOf,
} from '../../domain/ids.ts';
import type {
  AuditRecord,
  CallIntent,
  CallOutcome,
  Incident,
  IncidentPatch,
  Signal,
} from '../../domain/incident.ts';
import type { IncidentLedger } from '../../ports/ledger.ts';
import { admit, isLive, isOver, openGate, rehearse, unlist } from './admission.ts';
import {
  clusterPk,
  gateKey,
  incidentPk,
  keyText,
  openPrefix,
  stateKey,
  stepKey,
  stepPrefix,
} from './keys.ts';
import { auditRecord, gateRecord, incidentRecord, listedRecord } from './records.ts';
import { type Change, type LedgerDeps, LedgerTable } from './table.ts';

/** Whoever holds the token of a live incident may write to it, nobody else. */
const under = (token: number): typeof isLive => ({
  when: `#token = :token AND ${isLive.when}`,
  values: { ...isLive.values, token },
});

/** This very approval is asked, and nobody has answered it. */
const asked = (approvalId: string): typeof isLive => ({
  when: '#approval.#id = :approvalId AND #approval.#status = :pending',
  values: { approvalId, pending: 'pending' },
});

const both = (one: typeof isLive, other: typeof isLive): typeof isLive => ({
  when: `${one.when} AND ${other.when}`,
  values: { ...one.values, ...other.values },
});

const changeOf = (
  { hold, operatorHold, ...facets }: IncidentPatch,
  at: EpochMs,
): Change & Required<Pick<Change, 'remove'>> => ({
  set: { ...facets, ...(hold && { hold }), ...(operatorHold && { operatorHold }), updatedAt: at },
  remove: [...(hold === null ? ['hold'] : []), ...(operatorHold === null ? ['operatorHold'] : [])],
});

class DynamoIncidentLedger implements IncidentLedger {
  readonly #table: LedgerTable;

  constructor(deps: LedgerDeps) {
    this.#table = new LedgerTable(deps);
  }

  admit(cluster: string, signal: Signal) {
    return admit(this.#table, cluster, signal);
  }

  rehearse(cluster: string, signal: Signal, executionName: string) {
    return rehearse(this.#table, cluster, signal, executionName);
  }

  incident(id: IncidentId): Promise<Incident | undefined> {
    return this.#table.get(stateKey(id), incidentRecord);
  }

  async openIncidentOf(instanceId: InstanceId): Promise<Incident | undefined> {
    const gate = await this.#table.get(gateKey(instanceId), gateRecord);
    if (gate?.incidentId === undefined) return undefined;
    const incident = await this.incident(gate.incidentId);
    return incident === undefined || isOver(incident) ? undefined : incident;
  }

  async lastIncidentOf(cluster: string, instanceId: InstanceId): Promise<Incident | undefined> {
    const gate = await this.#table.get(gateKey(instanceId), gateRecord);
    return gate && this.incident(incidentIdOf(cluster, instanceId, gate.n));
  }

  async openIncidents(cluster: string): Promise<IncidentId[]> {
    const listed = await this.#table.list(clusterPk(cluster), openPrefix, listedRecord);
    return listed.map(({ incidentId }) => incidentId);
  }

  async takeOver(
    id: IncidentId,
    fromToken: number,
    at: EpochMs,
    patch: IncidentPatch = {},
    status?: Incident['status'],
  ): Promise<Incident | 'lost'> {
    const { instanceId, n } = await this.#known(id);
    const token = fromToken + 1;
    const { set, remove } = changeOf(patch, at);
    const change = {
      set: { token, executionName: executionNameOf(instanceId, n, token), ...set },
      remove: ['executionArn', ...remove],
    };
    const known = under(fromToken);
    const still =
      status === undefined ? known : both(known, { when: '#status = :is', values: { is: status } });
    const taken = this.#table.update(stateKey(id), change, still, incidentRecord);
    return (await taken) ?? 'lost';
  }

  async bindExecution(
    id: IncidentId,
    token: number,
    executionArn: string,
    at: EpochMs,
  ): Promise<Incident | 'lost'> {
    const free = {
      when: '(attribute_not_exists(#executionArn) OR #executionArn = :executionArn)',
      values: { executionArn },
    };
    const change = { set: { executionArn, updatedAt: at } };
    const still = both(under(token), free);
    const bound = await this.#table.update(stateKey(id), change, still, incidentRecord);
    if (bound !== undefined) return bound;
    await this.#known(id);
    return 'lost';
  }

  async awaitAnswer(
    id: IncidentId,
    token: number,
    approvalId: string,
    taskToken: string,
    at: EpochMs,
  ): Promise<'waits' | 'answered'> {
    const change = { set: { '#approval.#taskToken': taskToken, updatedAt: at } };
    const still = both(under(token), asked(approvalId));
    const saved = await this.#table.update(stateKey(id), change, still, incidentRecord);
    if (saved !== undefined) return 'waits';
    const incident = await this.#known(id);
    if (incident.token !== token || isOver(incident)) throw new TokenLostError(id, token);
    return 'answered';
  }

  async answerApproval(
    id: IncidentId,
    approvalId: string,
    decision: Readonly<Record<'status' | 'by' | 'reason', string>> & { decidedAt: EpochMs },
    at: EpochMs,
  ): Promise<Incident | 'lost'> {
    const set = Object.fromEntries(
      Object.entries(decision).map(([name, value]) => [`#approval.#${name}`, value]),
    );
    const change = { set: { ...set, updatedAt: at } };
    const still = both(isLive, asked(approvalId));
    return (await this.#table.update(stateKey(id), change, still, incidentRecord)) ?? 'lost';
  }

  save(id: IncidentId, token: number, patch: IncidentPatch, at: EpochMs): Promise<Incident> {
    return this.#underToken(id, token, changeOf(patch, at));
  }

  async intend(
    id: IncidentId,
    token: number,
    actor: string,
    calls: readonly CallIntent[],
    at: EpochMs,
    patch: IncidentPatch = {},
  ): Promise<readonly AuditRecord[]> {
    const change = { ...changeOf(patch, at), add: { seq: calls.length } };
    const { seq } = await this.#underToken(id, token, change);
    const first = seq - calls.length + 1;
    const records = calls.map((call, i) => ({
      ...call,
      seq: first + i,
      token,
      actor,
      intendedAt: at,
    }));
    await Promise.all(records.map((record) => this.#append(id, record)));
    return records;
  }

  async conclude(id: IncidentId, seq: number, outcome: CallOutcome): Promise<void> {
    const key = stepKey(id, seq);
    const open = { when: 'attribute_not_exists(#outcome)' };
    const concluded = await this.#table.update(key, { set: { outcome } }, open, auditRecord);
    if (concluded !== undefined) return;
    const record = await this.#table.get(key, auditRecord);
    if (isDeepStrictEqual(record?.outcome, outcome)) return;
    const problem = record ? 'has another outcome already' : 'was never intended';
    throw new CorruptRecordError(keyText(key), problem);
  }

  audit(id: IncidentId): Promise<AuditRecord[]> {
    return this.#table.list(incidentPk(id), stepPrefix, auditRecord);
  }

  async close(
    id: IncidentId,
    token: number,
    patch: IncidentPatch & { readonly status: 'recovered' | 'cancelled' },
    at: EpochMs,
  ): Promise<Incident> {
    const change = changeOf({ closedAt: at, ...patch }, at);
    const closed = await this.#table.update(stateKey(id), change, under(token), incidentRecord);
    // Closed under this very token before: the answer was lost, or a crash cut the rest short.
    const incident = closed ?? (await this.#known(id));
    if (incident.token !== token || !isOver(incident)) throw new TokenLostError(id, token);
    await openGate(this.#table, incident);
    return incident;
  }

  unlist(cluster: string, id: IncidentId): Promise<void> {
    return unlist(this.#table, cluster, id);
  }

  async #known(id: IncidentId): Promise<Incident> {
    const incident = await this.incident(id);
    if (incident === undefined) throw new IncidentNotFoundError(id);
    return incident;
  }

  async #underToken(id: IncidentId, token: number, change: Change): Promise<Incident> {
    const changed = await this.#table.update(stateKey(id), change, under(token), incidentRecord);
    if (changed !== undefined) return changed;
    await this.#known(id);
    throw new TokenLostError(id, token);
  }

  /** The number is reserved for this record alone, so whatever stands there is ours or a forgery. */
  async #append(id: IncidentId, record: AuditRecord): Promise<void> {
    const key = stepKey(id, record.seq);
    if (await this.#table.put(key, { ...record }, { when: 'attribute_not_exists(#pk)' })) return;
    const found = await this.#table.get(key, auditRecord);
    if (isDeepStrictEqual(found, record)) return;
    throw new CorruptRecordError(keyText(key), 'another record has this number');
  }
}

/**
 * Incidents in DynamoDB. Every method is safe to repeat after LedgerUnavailableError; what a crash
 * between two writes leaves is written down in docs/ledger.md.
 */
export const createIncidentLedger = (deps: LedgerDeps): IncidentLedger =>
  new DynamoIncidentLedger(deps);
