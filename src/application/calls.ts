import { FailoverError, LedgerUnavailableError } from '../domain/errors.ts';
import type {
  AuditRecord,
  CallIntent,
  CallOutcome,
  Incident,
  IncidentPatch,
} from '../domain/incident.ts';
import { isRecent } from '../domain/recent.ts';
import type { IncidentLedger } from '../ports/ledger.ts';
import { obey, type SwitchDeps } from './switches.ts';

/** A mutating call that has not been made yet. */
export interface PlannedCall<Answer> {
  readonly intent: CallIntent;
  make(): Promise<Answer>;
  /** What the answer means for the audit. */
  outcome(answer: Answer): { readonly requestId?: string; readonly refused?: string };
}

export type CallResult<Answer> =
  | { readonly kind: 'answered'; readonly answer: Answer }
  | { readonly kind: 'failed'; readonly error: unknown };

export interface CallDeps extends SwitchDeps {
  readonly ledger: SwitchDeps['ledger'] & Pick<IncidentLedger, 'intend' | 'conclude'>;
}

const errorName = (error: unknown): string => (error instanceof Error ? error.name : 'unknown');

/** After these nothing was done; after anything else a mutation may have been applied. */
const refusedNames: readonly string[] = [
  'CloudThrottledError',
  'CloudRefusedError',
  'NotAuthorizedError',
  'OrchestratorRefusedError',
];

const outcomeOf = <A>(call: PlannedCall<A>, result: CallResult<A>, at: CallOutcome['at']) => {
  if (result.kind === 'failed') {
    const { error } = result;
    const text = error instanceof FailoverError ? error.message : errorName(error);
    const kind = refusedNames.includes(errorName(error)) ? 'refused' : 'unknown';
    return { kind, at, error: text } as const;
  }
  const { refused, requestId } = call.outcome(result.answer);
  if (refused !== undefined) return { kind: 'refused', at, error: refused } as const;
  return { kind: 'accepted', at, ...(requestId === undefined ? {} : { requestId }) } as const;
};

/**
 * A call follows the write that allows it at once or not at all: an invocation that stood still in
 * between may have lost its token meanwhile, and what it read is old. The write takes two round
 * trips to the ledger.
 */
export const intentLastsMs = 500;

/** None of the calls was made: says so in the audit and lets the workflow begin the step anew. */
const tooLate = async (
  { ledger, clock }: CallDeps,
  { id }: Incident,
  records: readonly AuditRecord[],
  lateMs: number,
): Promise<never> => {
  const error = `not made: its intent took ${lateMs} ms to write`;
  const outcome = { kind: 'refused', at: clock.now(), error } as const;
  await Promise.all(records.map(({ seq }) => ledger.conclude(id, seq, outcome)));
  throw new LedgerUnavailableError('intend', { cause: new Error(error) });
};

/**
 * Makes mutating calls the only way they may be made: intents first, in one conditional write that
 * fails if the token moved on (TokenLostError, then no call is made), the calls side by side, each
 * outcome after its call. A failed call is a value: the caller decides what it means. Throws, having
 * made no call, StoppedByOperatorError, and LedgerUnavailableError when the write took too long.
 */
export const makeCalls = async <Answer>(
  deps: CallDeps,
  incident: Incident,
  actor: string,
  calls: readonly PlannedCall<Answer>[],
  patch: IncidentPatch = {},
): Promise<CallResult<Answer>[]> => {
  if (calls.length === 0) return [];
  const { ledger, clock } = deps;
  await obey(deps, incident);
  const intents = calls.map((call) => call.intent);
  const intendedAt = clock.now();
  const records = await ledger.intend(
    incident.id,
    incident.token,
    actor,
    intents,
    intendedAt,
    patch,
  );
  const now = clock.now();
  if (!isRecent(intendedAt, now, intentLastsMs)) {
    return tooLate(deps, incident, records, now - intendedAt);
  }
  return Promise.all(
    calls.map(async (call, index) => {
      const result = await settle(call.make());
      const seq = records[index]?.seq;
      if (seq === undefined) throw new RangeError('the ledger reserved too few audit records');
      await ledger.conclude(incident.id, seq, outcomeOf(call, result, clock.now()));
      return result;
    }),
  );
};

/** Work whose failure waits until somebody asks for the answer. */
export const settle = async <Answer>(work: Promise<Answer>): Promise<CallResult<Answer>> =>
  work.then(
    (answer) => ({ kind: 'answered', answer }),
    (error: unknown) => ({ kind: 'failed', error }),
  );

/** The answer, or the error the call failed with. */
export const answerOf = <Answer>(result: CallResult<Answer> | undefined): Answer => {
  if (result === undefined) throw new RangeError('no such call');
  if (result.kind === 'failed') throw result.error;
  return result.answer;
};
