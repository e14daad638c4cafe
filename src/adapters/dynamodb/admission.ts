import { CorruptRecordError, LedgerUnavailableError } from '../../domain/errors.ts';
import {
  executionNameOf,
  type IncidentId,
  type InstanceId,
  incidentIdOf,
  rehearsalIdOf,
} from '../../domain/ids.ts';
import type { Incident, Signal } from '../../domain/incident.ts';
import type { IncidentLedger } from '../../ports/ledger.ts';
import { gateKey, keyText, listedKey, stateKey } from './keys.ts';
import { gateRecord, incidentRecord, signalsMax } from './records.ts';
import type { Condition, LedgerTable } from './table.ts';

/*
 * One instance has one gate, and one incident at a time behind it. The writes of opening and
 * closing are ordered so that whoever comes next can finish what a crash cut short:
 *
 *   open:  gate names the incident -> it is listed -> its STATE exists
 *   close: STATE is over -> gate names nothing -> (its end is told) -> it is no longer listed
 *
 * So what exists is listed until its end is told, and a gate that names an incident is always right or
 * repairable.
 */

/** Each round lost means that somebody else got on; nobody loses this often. */
const roundsMax = 10;

type Admission = Awaited<ReturnType<IncidentLedger['admit']>>;

/** Still being worked on: the only incidents that take writes. */
export const isLive: Required<Pick<Condition, 'when' | 'values'>> = {
  when: '#status IN (:open, :held)',
  values: { open: 'open', held: 'held' },
};

export const isOver = ({ status }: Incident): boolean =>
  status === 'recovered' || status === 'cancelled';

/**
 * The number of the incident behind the instance's gate; `ours` when this call put it there, so
 * that nothing of it exists yet. undefined when another call got to the gate first.
 */
const enter = async (table: LedgerTable, cluster: string, instanceId: InstanceId) => {
  const key = gateKey(instanceId);
  const gate = await table.get(key, gateRecord);
  if (gate?.incidentId !== undefined) {
    if (gate.incidentId === incidentIdOf(cluster, instanceId, gate.n)) {
      return { n: gate.n, ours: false };
    }
    const problem = `${gate.incidentId} is not incident ${gate.n} of ${instanceId} in ${cluster}`;
    throw new CorruptRecordError(keyText(key), problem);
  }
  const n = (gate?.n ?? 0) + 1;
  const next = { n, incidentId: incidentIdOf(cluster, instanceId, n) };
  const won =
    gate === undefined
      ? await table.put(key, next, { when: 'attribute_not_exists(#pk)' })
      : await table.update(
          key,
          { set: next },
          { when: '#n = :n AND attribute_not_exists(#incidentId)', values: { n: gate.n } },
          gateRecord,
        );
  return won ? { n, ours: true } : undefined;
};

const freshIncident = (
  id: IncidentId,
  cluster: string,
  n: number,
  { instanceId, notice, receivedAt }: Signal,
  executionName: string,
) =>
  ({
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
    // What is announced is planned for; what is not has failed already.
    ...(notice === undefined ? {} : { mode: 'drain' as const }),
  }) as const;

/** See IncidentLedger. Its moment is its number; two of one moment are told apart by the next. */
export const rehearse = async (
  table: LedgerTable,
  cluster: string,
  signal: Signal,
  executionName: string,
): Promise<Incident> => {
  const { instanceId, receivedAt } = signal;
  for (let round = 0; round < roundsMax; round += 1) {
    const n = receivedAt + round;
    const id = rehearsalIdOf(cluster, instanceId, n);
    const incident = freshIncident(id, cluster, n, signal, executionName);
    const record = { ...incident, signals: { [signal.key]: signal } };
    const absent = { when: 'attribute_not_exists(#pk)' };
    if (await table.put(stateKey(id), record, absent)) return { ...incident, signals: [signal] };
  }
  throw new LedgerUnavailableError('rehearse');
};

/** Creates the incident that the gate names, from this signal; undefined if another call did. */
const open = async (
  table: LedgerTable,
  cluster: string,
  n: number,
  signal: Signal,
): Promise<Incident | undefined> => {
  const { instanceId, receivedAt } = signal;
  const id = incidentIdOf(cluster, instanceId, n);
  const absent = { when: 'attribute_not_exists(#pk)' };
  // Refused means listed already, which is all that is wanted.
  await table.put(listedKey(cluster, id), { incidentId: id, openedAt: receivedAt }, absent);
  const incident = freshIncident(id, cluster, n, signal, executionNameOf(instanceId, n, 1));
  const record = { ...incident, signals: { [signal.key]: signal } };
  const created = await table.put(stateKey(id), record, absent);
  return created ? { ...incident, signals: [signal] } : undefined;
};

/** Adds the signal to a live incident; undefined if the incident changed meanwhile. */
const join = async (
  table: LedgerTable,
  incident: Incident,
  signal: Signal,
): Promise<Admission | undefined> => {
  if (incident.signals.some(({ key }) => key === signal.key)) {
    return { kind: 'joined', incident, added: false };
  }
  const full = incident.signals.length >= signalsMax;
  const joined = full
    ? await table.update(
        stateKey(incident.id),
        { add: { signalsDropped: 1 } },
        isLive,
        incidentRecord,
      )
    : await table.update(
        stateKey(incident.id),
        { set: { '#signals.#key': signal, updatedAt: signal.receivedAt } },
        {
          when: `${isLive.when} AND attribute_not_exists(#signals.#key) AND size(#signals) < :max`,
          values: { ...isLive.values, max: signalsMax },
          names: { key: signal.key },
        },
        incidentRecord,
      );
  return joined && { kind: 'joined', incident: joined, added: !full };
};

const names = (incidentId: IncidentId): Condition => ({
  when: '#incidentId = :incidentId',
  values: { incidentId },
});

/**
 * The second half of closing. Safe at any time after STATE is over, by anybody: refused means that
 * it was done before.
 */
export const openGate = async (table: LedgerTable, { id, instanceId }: Incident): Promise<void> => {
  await table.update(gateKey(instanceId), { remove: ['incidentId'] }, names(id), gateRecord);
};

/** Refused means that it was done before. */
export const unlist = async (
  table: LedgerTable,
  cluster: string,
  id: IncidentId,
): Promise<void> => {
  await table.remove(listedKey(cluster, id), names(id));
};

/** See IncidentLedger. 'opened' is whoever created STATE, so there is exactly one per incident. */
export const admit = async (
  table: LedgerTable,
  cluster: string,
  signal: Signal,
): Promise<Admission> => {
  for (let round = 0; round < roundsMax; round += 1) {
    const gate = await enter(table, cluster, signal.instanceId);
    if (gate === undefined) continue;
    const id = incidentIdOf(cluster, signal.instanceId, gate.n);
    const known = gate.ours ? undefined : await table.get(stateKey(id), incidentRecord);
    if (known === undefined) {
      const incident = await open(table, cluster, gate.n, signal);
      if (incident !== undefined) return { kind: 'opened', incident };
    } else if (isOver(known)) {
      await openGate(table, known);
    } else {
      const joined = await join(table, known, signal);
      if (joined !== undefined) return joined;
    }
  }
  const cause = new Error(`the gate of ${signal.instanceId} moved ${roundsMax} times`);
  throw new LedgerUnavailableError('admit', { cause });
};
