import { Problem } from './problem.ts';

/** What was called, in whose name a refusal is told. */
export interface Called {
  /** `the function ebs-failover-prod-look` */
  readonly what: string;
  /** The right it takes. */
  readonly right: string;
  /** Of the deployment, for the advice. */
  readonly deployment: string;
  readonly region: string;
  readonly endpoint: string | undefined;
  readonly profile: string | undefined;
}

const nameOf = (error: unknown): string => (error instanceof Error ? error.name : '');

const messageOf = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).replace(/\s+/g, ' ').trim();

/** Of Node's network errors, wherever the SDK has put them. */
const networkCodeOf = (error: unknown): string | undefined => {
  const code =
    error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (/^(?:E[A-Z]+|UND_ERR_\w+)$/.test(code)) return code;
  return error instanceof Error && error.cause !== undefined
    ? networkCodeOf(error.cause)
    : undefined;
};

const missing = /^(?:ResourceNotFoundException|StateMachineDoesNotExist)$/;
const denied = /^(?:AccessDenied|AccessDeniedException|UnauthorizedOperation)$/;
const unproven =
  /^(?:ExpiredToken|ExpiredTokenException|InvalidClientTokenId|InvalidSignatureException|MissingAuthenticationToken|SignatureDoesNotMatch|UnrecognizedClientException|TokenRefreshRequired)$/;
const busy = /^(?:ThrottlingException|Throttling|TooManyRequestsException|RequestLimitExceeded)$/;

/** An error of the SDK as one line that says what to do. */
export const problemOf = (error: unknown, called: Called): Problem => {
  const { deployment, endpoint, profile, region, right, what } = called;
  const name = nameOf(error);
  const said = messageOf(error);
  if (name === 'CredentialsProviderError' || /^Could not load credentials/.test(said)) {
    const how = 'set AWS_PROFILE (or --profile), or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY';
    const where = profile === undefined ? '' : ` in profile ${profile}`;
    const says = `no AWS credentials${where}: ${how} (${said})`;
    return new Problem(says, { is: 'access', cause: error });
  }
  if (denied.test(name)) {
    return new Problem(`not allowed, ask for ${right}: ${said}`, { is: 'access', cause: error });
  }
  if (unproven.test(name)) {
    const how = 'log in again, or check AWS_PROFILE and the keys';
    return new Problem(`AWS does not accept the credentials, ${how}: ${said}`, {
      is: 'access',
      cause: error,
    });
  }
  if (missing.test(name)) {
    const how = `is the deployment called ${deployment} (--cluster), and is it there (--region)?`;
    return new Problem(`there is no ${what} in ${region}: ${how}`, {
      is: 'unavailable',
      cause: error,
    });
  }
  if (busy.test(name)) {
    return new Problem(`AWS is busy, try again in a minute: ${said}`, {
      is: 'unavailable',
      cause: error,
    });
  }
  const code = networkCodeOf(error);
  if (code !== undefined || name === 'TimeoutError') {
    const where = endpoint ?? `AWS in ${region}`;
    const how = endpoint === undefined ? 'check the network' : 'check AWS_ENDPOINT_URL';
    return new Problem(`cannot reach ${where}, ${how}: ${code ?? name}`, {
      is: 'unavailable',
      cause: error,
    });
  }
  return new Problem(`${what} failed: ${name}: ${said}`, { is: 'unavailable', cause: error });
};

/** A function that ran and failed: its error's name and sentence, as the function wrote them. */
export const functionProblem = (
  failure: { readonly errorType?: string; readonly errorMessage?: string },
  what: string,
): Problem => {
  const { errorMessage = 'no message', errorType = 'Error' } = failure;
  // What it says of its input is the mistake of whoever wrote the command.
  if (errorType === 'ParseError') return new Problem(errorMessage, { is: 'usage' });
  return new Problem(`${what} failed: ${errorType}: ${errorMessage}`, { is: 'unavailable' });
};
