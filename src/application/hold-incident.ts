import type { FailoverErrorName } from '../domain/errors.ts';
import type { Hold, HoldReason, Incident } from '../domain/incident.ts';
import { summarise } from '../domain/summary.ts';
import type { Phase, PhaseEvents } from '../ports/events.ts';
import type { ClusterLedger, IncidentLedger, StormLedger } from '../ports/ledger.ts';
import type { Clock, Log } from '../ports/system.ts';
import {
  type HoldWish,
  hold,
  holdWaitSeconds,
  isTold,
  loadIncident,
  type StepInput,
  waitsInside,
} from './step.ts';
import { heldByOperator } from './switches.ts';

export interface HoldIncidentDeps {
  readonly ledger: Pick<IncidentLedger, 'incident' | 'save'> &
    Pick<StormLedger, 'storm'> &
    Pick<ClusterLedger, 'control'>;
  readonly events: PhaseEvents;
  readonly clock: Clock;
  readonly log: Log;
}

/** Why the workflow came here if no step said so: the error that ended a step. */
export interface StepFailure {
  readonly error: string;
}

export type HoldDecision =
  | { readonly kind: 'retry'; readonly waitSeconds: number }
  | { readonly kind: 'ended'; readonly status: 'held'; readonly summary: string };

/** What a person should do about an error that repeating did not end. */
const advice: Readonly<Record<string, string>> = {
  NotAuthorizedError: 'A right is missing: compare the role of the function with the template.',
  ConfigError: 'A setting is wrong: the log names it.',
  CloudThrottledError: 'AWS keeps refusing for rate: see which other tools call it.',
  CloudUnavailableError: 'AWS keeps failing; this goes on by itself when it answers.',
  CloudAmbiguousError: 'An answer of AWS was lost again and again; this reads before it repeats.',
  OrchestratorUnavailableError: 'Mesos or Marathon does not answer; this goes on when it does.',
  OrchestratorRefusedError: 'Mesos or Marathon refuses: check the token and its permissions.',
  LedgerUnavailableError: 'DynamoDB does not answer; nothing new is fenced until it does.',
  CorruptRecordError:
    'A ledger record is not readable: somebody edited it, or a newer version did.',
};

/** Days ahead, or for a person's word: nothing changes by waiting inside an execution. */
const waitsOutside: readonly HoldReason[] = [
  'not-due',
  'another-move',
  'operator-hold',
  'approval',
];

/**
 * Which news this is; undefined: none. Of all that wait in a storm only the first tells, and the
 * sweep after it: one message for all of them.
 */
const newsOf = async (
  ledger: Pick<StormLedger, 'storm'>,
  { cluster, id }: Incident,
  { looks, reason }: Hold,
): Promise<Phase | undefined> => {
  if (reason === 'storm' || reason === 'blind') {
    const { first, waiting } = await ledger.storm(cluster);
    if (waiting[id] !== undefined) return first === id && isTold(looks) ? 'storm' : undefined;
  }
  return isTold(looks) ? 'held' : undefined;
};

/** What an error that ended a step means for people. */
const wishAfter = async (
  { clock, ledger, log }: HoldIncidentDeps,
  incident: Incident,
  { error }: StepFailure,
): Promise<HoldWish> => {
  if (error === ('StoppedByOperatorError' satisfies FailoverErrorName)) {
    const control = await ledger.control(incident.cluster);
    const says = 'An operator had said stop, and has taken it back since.';
    return heldByOperator(incident, control, clock.now()) ?? { reason: 'paused', says };
  }
  log.error('step failed', { incidentId: incident.id, error });
  const says = `${error}. ${advice[error] ?? 'The log of the step tells more.'}`;
  const reason = error.startsWith('Orchestrator') ? 'orchestrator-unavailable' : 'step-failed';
  return { reason, says };
};

/**
 * Stops before the next mutation, keeps everything as it is, says why, and lets the workflow look
 * again with growing waits. After fifteen minutes the execution ends; the sweep goes on from there.
 */
export const createHoldIncident =
  (deps: HoldIncidentDeps) =>
  async (input: StepInput & { readonly failure?: StepFailure }): Promise<HoldDecision> => {
    const { clock, events, ledger } = deps;
    const before = await loadIncident(ledger, input);
    const now = clock.now();
    if (input.failure !== undefined) {
      await hold(ledger, before, await wishAfter(deps, before, input.failure), now);
    }
    const incident = input.failure === undefined ? before : await loadIncident(ledger, input);
    const held: Hold | undefined = incident.hold;
    if (held === undefined) throw new RangeError('HoldIncident without a reason');
    const news = await newsOf(ledger, incident, held);
    if (news !== undefined) await events.publish(news, incident, now);
    // The sweep wakes it when it is its turn: a thousand executions that wait would look in vain.
    if (held.reason === 'storm') {
      return { kind: 'ended', status: 'held', summary: summarise(incident) };
    }
    if (held.reason === 'proof-void' && held.looks < 3) return { kind: 'retry', waitSeconds: 1 };
    return waitsInside(held.since, now) && !waitsOutside.includes(held.reason)
      ? { kind: 'retry', waitSeconds: holdWaitSeconds(held.looks) }
      : { kind: 'ended', status: 'held', summary: summarise(incident) };
  };
