import {
  CloudAmbiguousError,
  CloudRefusedError,
  CloudThrottledError,
  CloudUnavailableError,
  NotAuthorizedError,
} from '../../domain/errors.ts';

/** A failed call as far as AWS, or the way to it, told. Free of secrets. */
export interface AwsFailure {
  /** AWS error code (`IncorrectState`), or Node's for a lost connection (`ECONNRESET`). */
  readonly code: string;
  readonly message: string;
  /** Absent when no answer arrived. */
  readonly httpStatus?: number;
}

export type CloudError =
  | CloudThrottledError
  | CloudUnavailableError
  | CloudAmbiguousError
  | CloudRefusedError
  | NotAuthorizedError;

type FailureClass =
  /** Refused for rate before anything was done. */
  | 'throttled'
  /** Certainly nothing was done, and asking again may help. */
  | 'not-done'
  /** The server, or the way to it, broke: a change may have been applied. */
  | 'unknown-outcome'
  | 'not-authorized'
  /** Repeating changes nothing. */
  | 'refused';

/**
 * AWS error codes by what they mean for us (EC2 API reference, "Error codes"; the common errors of
 * the other services). Codes decide before HTTP statuses, which the EC2 reference leaves open.
 * Codes that one call alone can answer are read in its adapter, before this table is asked.
 */
const codesOf: Readonly<Record<FailureClass, readonly string[]>> = {
  throttled: [
    'RequestLimitExceeded',
    'BandwidthLimitExceeded',
    'EC2ThrottledException',
    'ThrottledException',
    'TooManyRequestsException',
    'ExecutionLimitExceeded',
  ],
  'not-done': [
    // The connection never came about.
    'ECONNREFUSED',
    'ENOTFOUND',
    'EAI_AGAIN',
    'UND_ERR_CONNECT_TIMEOUT',
    'CredentialsProviderError',
    // Answered for instances that are too new or too old as well: bounded retry.
    'InvalidInstanceID.NotFound',
    // Another change of the same group is under way; Auto Scaling answers it as a 500.
    'ResourceContention',
    'InsufficientInstanceCapacity',
  ],
  'unknown-outcome': [
    'InternalError',
    'InternalFailure',
    'InternalServerError',
    'InternalServiceError',
    'ServiceException',
    'ServiceUnavailable',
    'ServiceUnavailableException',
    'Unavailable',
    'RetryableError',
  ],
  'not-authorized': [
    'UnauthorizedOperation',
    'AccessDenied',
    'AccessDeniedException',
    'AuthFailure',
    'Blocked',
    'OptInRequired',
    'PendingVerification',
    'NotAuthorized',
    'ExpiredToken',
    'ExpiredTokenException',
    'InvalidClientTokenId',
    'UnrecognizedClientException',
    'MissingAuthenticationToken',
    'MissingAuthenticationTokenException',
    'SignatureDoesNotMatch',
    'InvalidSignatureException',
    'IncompleteSignature',
  ],
  refused: [
    // Only a dry run may answer it, and nothing here sends one.
    'DryRunOperation',
    'IdempotentParameterMismatch',
    'RequestExpired',
  ],
};

const classOfCode: ReadonlyMap<string, FailureClass> = new Map(
  Object.entries(codesOf).flatMap(([kind, codes]) =>
    codes.map((code) => [code, kind as FailureClass] as const),
  ),
);

const isClientError = (status: number | undefined): boolean =>
  status !== undefined && status >= 400 && status < 500;

const classOf = ({ code, httpStatus }: AwsFailure): FailureClass => {
  const known = classOfCode.get(code);
  if (known !== undefined) return known;
  if (code.startsWith('Throttling') || httpStatus === 429) return 'throttled';
  // A lost connection, a 5xx, an answer nobody can read: all of them may come after the deed.
  return isClientError(httpStatus) ? 'refused' : 'unknown-outcome';
};

const messageCharsMax = 300;

/** Removes what must reach neither a log nor an execution's history. */
const withoutSecrets = (message: string): string =>
  message
    // The SDK appends advice of its own on a new line.
    .replace(/\n.*/s, '')
    .replace(/(encoded authorization failure message:?).*/is, '$1 [removed]')
    .replace(/\b(?:AKIA|ASIA)[0-9A-Z]{12,}/g, '[access key]')
    .replace(/[\w+/=-]{129,}/g, '[removed]')
    .slice(0, messageCharsMax);

interface SdkFields {
  /** Node's, on errors of the connection. */
  readonly code?: unknown;
  /** Only on errors that AWS itself answered; then `name` is AWS's code. */
  readonly $fault?: unknown;
  /** Only when there was an answer, readable or not. */
  readonly $metadata?: { readonly httpStatusCode?: unknown };
}

/** Reads anything that an SDK client can throw. */
export const failureOf = (error: unknown): AwsFailure => {
  if (!(error instanceof Error)) return { code: 'Unknown', message: withoutSecrets(String(error)) };
  const { code, $fault, $metadata, name } = error as Error & SdkFields;
  const message = withoutSecrets(error.message);
  const httpStatus = $metadata?.httpStatusCode;
  if (typeof httpStatus !== 'number') {
    return { code: typeof code === 'string' ? code : name, message };
  }
  // Without AWS's own code the answer was not AWS's, or was cut short.
  const answered = $fault === undefined ? `unreadable HTTP ${httpStatus}` : name;
  return { code: answered, message, httpStatus };
};

/**
 * The domain's error for a failure. `changing` says whether the call could have changed anything:
 * only then can an outcome be ambiguous, and never after a 4xx or a refusal for rate.
 */
export const cloudErrorOf = (
  failure: AwsFailure,
  operation: string,
  changing: boolean,
): CloudError => {
  const { code, message } = failure;
  // A fresh cause: the SDK's own error carries the signed request.
  const options = { cause: new Error(`${code}: ${message}`) };
  const kind = classOf(failure);
  switch (kind) {
    case 'throttled':
      return new CloudThrottledError(operation, code, options);
    case 'not-done':
      return new CloudUnavailableError(operation, code, options);
    case 'unknown-outcome':
      return changing && !isClientError(failure.httpStatus)
        ? new CloudAmbiguousError(operation, code, options)
        : new CloudUnavailableError(operation, code, options);
    case 'not-authorized':
      return new NotAuthorizedError(operation, code, options);
    case 'refused':
      return new CloudRefusedError(operation, code, message, options);
  }
};
