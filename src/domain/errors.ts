/**
 * Errors that people and the workflow can tell apart. The workflow sees only `name`, so names are
 * literals (a minifier renames classes) and the set below is the contract with statemachines/.
 */
export abstract class FailoverError<D extends object = object> extends Error {
  abstract override readonly name: FailoverErrorName;
  readonly details: Readonly<D>;
  constructor(message: string, details: D, options?: ErrorOptions) {
    super(message, options);
    this.details = details;
  }
}

/** Every name a step may throw. A test compares this list with the state machines. */
export const failoverErrorNames = [
  'ConfigError',
  'ParseError',
  'SignalRefusedError',
  'TokenLostError',
  'StoppedByOperatorError',
  'CorruptRecordError',
  'LedgerUnavailableError',
  'LedgerRewoundError',
  'IncidentNotFoundError',
  'CloudThrottledError',
  'CloudUnavailableError',
  'CloudAmbiguousError',
  'CloudRefusedError',
  'NotAuthorizedError',
  'OrchestratorUnavailableError',
  'OrchestratorRefusedError',
  'NotifierUnavailableError',
] as const;
export type FailoverErrorName = (typeof failoverErrorNames)[number];

/** A setting is missing or wrong; the message names the key and the fix. Never retried. */
export class ConfigError extends FailoverError<{ problems: readonly string[] }> {
  override readonly name = 'ConfigError';
  constructor(problems: readonly string[]) {
    super(`configuration: ${problems.join('; ')}`, { problems });
  }
}

/** Input of a function or a state is not what it must be. Never retried. */
export class ParseError extends FailoverError<{ what: string; problem: string }> {
  override readonly name = 'ParseError';
  constructor(what: string, problem: string, options?: ErrorOptions) {
    super(`${what}: ${problem}`, { what, problem }, options);
  }
}

/** The signal concerns something this deployment must not touch. Nothing was changed. */
export class SignalRefusedError extends FailoverError<{ reason: string; subject: string }> {
  override readonly name = 'SignalRefusedError';
  constructor(subject: string, reason: string) {
    super(`refused: ${subject} ${reason}`, { reason, subject });
  }
}

/** Another execution has taken the incident over: stop, change nothing more. */
export class TokenLostError extends FailoverError<{ incidentId: string; token: number }> {
  override readonly name = 'TokenLostError';
  constructor(incidentId: string, token: number) {
    super(`token ${token} of incident ${incidentId} is no longer ours`, { incidentId, token });
  }
}

/** An operator has said stop: nothing was changed, nothing is until it is taken back. */
export class StoppedByOperatorError extends FailoverError<{ incidentId: string; says: string }> {
  override readonly name = 'StoppedByOperatorError';
  constructor(incidentId: string, says: string) {
    super(`incident ${incidentId}: ${says}`, { incidentId, says });
  }
}

/** A ledger record does not read as this version's schema: refuse, never guess. */
export class CorruptRecordError extends FailoverError<{ key: string; problem: string }> {
  override readonly name = 'CorruptRecordError';
  constructor(key: string, problem: string, options?: ErrorOptions) {
    super(`ledger record ${key}: ${problem}`, { key, problem }, options);
  }
}

/** The ledger could not be read or written; nothing is known about the outcome. */
export class LedgerUnavailableError extends FailoverError<{ operation: string }> {
  override readonly name = 'LedgerUnavailableError';
  constructor(operation: string, options?: ErrorOptions) {
    super(`the ledger did not answer ${operation}`, { operation }, options);
  }
}

/** A volume's epoch tag is above the ledger: the table was restored from an older copy. Halt. */
export class LedgerRewoundError extends FailoverError<{
  volumeId: string;
  ledgerEpoch: number;
  tagEpoch: number;
}> {
  override readonly name = 'LedgerRewoundError';
  constructor(volumeId: string, ledgerEpoch: number, tagEpoch: number) {
    super(
      `volume ${volumeId} carries epoch ${tagEpoch} but the ledger knows ${ledgerEpoch}: it was restored`,
      { volumeId, ledgerEpoch, tagEpoch },
    );
  }
}

export class IncidentNotFoundError extends FailoverError<{ incidentId: string }> {
  override readonly name = 'IncidentNotFoundError';
  constructor(incidentId: string) {
    super(`no incident ${incidentId} in the ledger`, { incidentId });
  }
}

interface CallDetails {
  /** AWS operation or HTTP call, such as `StopInstances`. */
  operation: string;
  /** AWS error code or HTTP status. */
  code: string;
}

/** AWS refused for rate; nothing was done. Retried by the workflow with backoff and jitter. */
export class CloudThrottledError extends FailoverError<CallDetails> {
  override readonly name = 'CloudThrottledError';
  constructor(operation: string, code: string, options?: ErrorOptions) {
    super(`${operation} was throttled (${code})`, { operation, code }, options);
  }
}

/** AWS failed or did not answer a read, or refused a mutation before doing anything. */
export class CloudUnavailableError extends FailoverError<CallDetails> {
  override readonly name = 'CloudUnavailableError';
  constructor(operation: string, code: string, options?: ErrorOptions) {
    super(`${operation} failed (${code})`, { operation, code }, options);
  }
}

/** A mutation may or may not have been applied: read before repeating it. */
export class CloudAmbiguousError extends FailoverError<CallDetails> {
  override readonly name = 'CloudAmbiguousError';
  constructor(operation: string, code: string, options?: ErrorOptions) {
    super(`whether ${operation} was applied is unknown (${code})`, { operation, code }, options);
  }
}

/** AWS refused for a reason that repeating does not change. */
export class CloudRefusedError extends FailoverError<CallDetails & { message: string }> {
  override readonly name = 'CloudRefusedError';
  constructor(operation: string, code: string, message: string, options?: ErrorOptions) {
    super(`${operation} was refused: ${code}: ${message}`, { operation, code, message }, options);
  }
}

/** A right is missing: fail at once, page, never go on half blind. */
export class NotAuthorizedError extends FailoverError<CallDetails> {
  override readonly name = 'NotAuthorizedError';
  constructor(operation: string, code: string, options?: ErrorOptions) {
    super(`not allowed to call ${operation} (${code})`, { operation, code }, options);
  }
}

/** Mesos, Marathon or Admin Router did not answer, or answered 5xx. */
export class OrchestratorUnavailableError extends FailoverError<CallDetails> {
  override readonly name = 'OrchestratorUnavailableError';
  constructor(operation: string, code: string, options?: ErrorOptions) {
    super(`${operation} got no answer (${code})`, { operation, code }, options);
  }
}

/** Mesos or Marathon refused for a reason that repeating does not change (401, 403, 400, 404). */
export class OrchestratorRefusedError extends FailoverError<CallDetails & { message: string }> {
  override readonly name = 'OrchestratorRefusedError';
  constructor(operation: string, code: string, message: string, options?: ErrorOptions) {
    super(`${operation} was refused: ${code}: ${message}`, { operation, code, message }, options);
  }
}

/** A notification was not delivered; retried outside of every workflow. */
export class NotifierUnavailableError extends FailoverError<CallDetails> {
  override readonly name = 'NotifierUnavailableError';
  constructor(operation: string, code: string, options?: ErrorOptions) {
    super(`${operation} was not delivered (${code})`, { operation, code }, options);
  }
}
