import { rungsOn } from '../domain/fence.ts';
import type { EpochMs } from '../domain/ids.ts';
import type { Fence, Incident, PowerTurn, Rung } from '../domain/incident.ts';
import type { PowerAnswer, PowerControl } from '../ports/compute.ts';
import type { IncidentLedger } from '../ports/ledger.ts';
import type { Pace } from '../ports/pace.ts';
import { type CallDeps, type CallResult, makeCalls, type PlannedCall } from './calls.ts';

export interface PowerDeps extends CallDeps {
  readonly ledger: CallDeps['ledger'] & Pick<IncidentLedger, 'save'>;
  readonly compute: PowerControl;
  readonly pace: Pace;
}

export const apiOf = (method: Rung['method']): PowerTurn['api'] =>
  method === 'terminate' || method === 'terminate-force' ? 'TerminateInstances' : 'StopInstances';

/** What changes while one invocation works. */
export interface Work {
  incident: Incident;
  fence: Fence;
  /** Open incidents, if many. */
  readonly crowd: number | undefined;
  /** The last read with all witnesses found it down, or on the way there. */
  down: boolean;
  readonly startedAt: EpochMs;
  /** Drawn for the next command: it may be made from then on. */
  turn?: PowerTurn;
  /** What was being written when the work began. */
  readonly noted: Promise<unknown>;
}

const powerCall = (deps: PowerDeps, incident: Incident, rung: Rung): PlannedCall<PowerAnswer> => {
  const { instanceId } = incident;
  const { method } = rung;
  return {
    intent: {
      call: apiOf(method),
      target: instanceId,
      parameters: { method, launchTime: rung.launchTime },
    },
    make: () =>
      method === 'terminate' || method === 'terminate-force'
        ? deps.compute.terminate(instanceId, method)
        : deps.compute.stop(instanceId, method),
    outcome: (answer) =>
      answer.kind === 'accepted' ? answer.receipt : { refused: `${answer.why} (${answer.code})` },
  };
};

const notDoneNames = ['CloudThrottledError', 'NotAuthorizedError', 'CloudRefusedError'];

/**
 * The rung with what became of it; undefined if certainly nothing was done and it may be retried.
 * A repeat that meets the wrong state may mean that the first one, whose answer was lost, got there:
 * it stays unanswered, and only EC2's state says more.
 */
const completed = (
  rung: Rung,
  result: CallResult<PowerAnswer>,
  isRepeat: boolean,
  now: EpochMs,
): Rung | undefined => {
  if (result.kind === 'answered') {
    const { answer } = result;
    if (answer.kind === 'accepted') return { ...rung, acceptedAt: now };
    return isRepeat && answer.why === 'wrong-state' ? rung : { ...rung, refused: answer.why };
  }
  const { error } = result;
  return error instanceof Error && notDoneNames.includes(error.name) ? undefined : rung;
};

const withRung = (fence: Fence, rung: Rung): Fence => ({
  ...fence,
  rungs: [
    ...fence.rungs.filter((r) => r.method !== rung.method || r.launchTime !== rung.launchTime),
    rung,
  ],
});

/** Makes one rung's call: written down before, completed after, under the token. */
export const climb = async (
  deps: PowerDeps,
  work: Work,
  step: { readonly method: Rung['method']; readonly launchTime: Rung['launchTime'] },
): Promise<void> => {
  const { clock, ledger } = deps;
  const { turn: _used, ...before } = work.fence;
  delete work.turn;
  const rung: Rung = { ...step, requestedAt: clock.now() };
  work.fence = withRung(before, rung);
  const call = powerCall(deps, work.incident, rung);
  const [result] = await makeCalls(deps, work.incident, 'FenceAgent', [call], {
    fence: work.fence,
  });
  if (result === undefined) throw new RangeError('one call has one result');
  const isRepeat = rungsOn(before, step.launchTime).some((r) => r.method === step.method);
  const done = completed(rung, result, isRepeat, clock.now());
  work.fence = done === undefined ? before : withRung(before, done);
  const { id, token } = work.incident;
  work.incident = await ledger.save(id, token, { fence: work.fence }, clock.now());
  if (result.kind === 'failed') throw result.error;
};
