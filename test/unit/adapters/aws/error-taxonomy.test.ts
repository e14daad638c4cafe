import { describe, expect, it } from 'vitest';
import { cloudErrorOf, failureOf } from '../../../../src/adapters/aws-sdk/error-taxonomy.ts';
import { awsError, lostConnection } from './support.ts';

/** Code, HTTP status, the error of a read, the error of a change. */
type Row = readonly [code: string, status: number, read: string, change: string];

const documented: readonly Row[] = [
  ['RequestLimitExceeded', 503, 'CloudThrottledError', 'CloudThrottledError'],
  ['Throttling', 400, 'CloudThrottledError', 'CloudThrottledError'],
  ['ThrottlingException', 400, 'CloudThrottledError', 'CloudThrottledError'],
  ['ThrottlingSomethingNew', 503, 'CloudThrottledError', 'CloudThrottledError'],
  ['TooManyRequestsException', 429, 'CloudThrottledError', 'CloudThrottledError'],
  ['SomethingElse', 429, 'CloudThrottledError', 'CloudThrottledError'],
  ['BandwidthLimitExceeded', 503, 'CloudThrottledError', 'CloudThrottledError'],
  ['InternalError', 500, 'CloudUnavailableError', 'CloudAmbiguousError'],
  ['InternalFailure', 500, 'CloudUnavailableError', 'CloudAmbiguousError'],
  ['Unavailable', 503, 'CloudUnavailableError', 'CloudAmbiguousError'],
  ['ServiceUnavailable', 503, 'CloudUnavailableError', 'CloudAmbiguousError'],
  ['RetryableError', 500, 'CloudUnavailableError', 'CloudAmbiguousError'],
  ['RetryableError', 400, 'CloudUnavailableError', 'CloudUnavailableError'],
  ['UnheardOf', 502, 'CloudUnavailableError', 'CloudAmbiguousError'],
  ['UnheardOf', 400, 'CloudRefusedError', 'CloudRefusedError'],
  ['UnauthorizedOperation', 403, 'NotAuthorizedError', 'NotAuthorizedError'],
  ['AccessDeniedException', 400, 'NotAuthorizedError', 'NotAuthorizedError'],
  ['AuthFailure', 401, 'NotAuthorizedError', 'NotAuthorizedError'],
  ['OptInRequired', 401, 'NotAuthorizedError', 'NotAuthorizedError'],
  ['Blocked', 403, 'NotAuthorizedError', 'NotAuthorizedError'],
  ['ExpiredTokenException', 400, 'NotAuthorizedError', 'NotAuthorizedError'],
  ['DryRunOperation', 412, 'CloudRefusedError', 'CloudRefusedError'],
  ['RequestExpired', 400, 'CloudRefusedError', 'CloudRefusedError'],
  ['IdempotentParameterMismatch', 400, 'CloudRefusedError', 'CloudRefusedError'],
  ['InvalidParameterValue', 400, 'CloudRefusedError', 'CloudRefusedError'],
  ['InvalidParameterCombination', 400, 'CloudRefusedError', 'CloudRefusedError'],
  ['InvalidInstanceID.Malformed', 400, 'CloudRefusedError', 'CloudRefusedError'],
  ['InvalidInstanceID.NotFound', 400, 'CloudUnavailableError', 'CloudUnavailableError'],
  ['InvalidVolume.NotFound', 400, 'CloudRefusedError', 'CloudRefusedError'],
  ['InvalidVolume.ZoneMismatch', 400, 'CloudRefusedError', 'CloudRefusedError'],
  ['AttachmentLimitExceeded', 400, 'CloudRefusedError', 'CloudRefusedError'],
  ['VolumeInUse', 400, 'CloudRefusedError', 'CloudRefusedError'],
  ['IncorrectState', 400, 'CloudRefusedError', 'CloudRefusedError'],
  ['OperationNotPermitted', 400, 'CloudRefusedError', 'CloudRefusedError'],
  ['InsufficientInstanceCapacity', 500, 'CloudUnavailableError', 'CloudUnavailableError'],
  ['ResourceContention', 500, 'CloudUnavailableError', 'CloudUnavailableError'],
];

const nameOf = (error: unknown, changing: boolean): string =>
  cloudErrorOf(failureOf(error), 'StopInstances', changing).name;

describe('the error taxonomy', () => {
  it.each(documented)('reads %s (%i) as %s, for a change as %s', (code, status, read, change) => {
    const error = awsError(code, 'text', status);
    expect([nameOf(error, false), nameOf(error, true)]).toEqual([read, change]);
  });

  it.each(['ECONNRESET', 'ETIMEDOUT', 'EPIPE', 'UND_ERR_SOCKET'])(
    'does not know what became of a change after %s',
    (code) => {
      expect(nameOf(lostConnection(code), false)).toBe('CloudUnavailableError');
      expect(nameOf(lostConnection(code), true)).toBe('CloudAmbiguousError');
    },
  );

  it.each(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN'])(
    'knows that a change was never sent after %s',
    (code) => {
      expect(nameOf(lostConnection(code), true)).toBe('CloudUnavailableError');
    },
  );

  it('takes the timeouts of the SDK and an abort for a lost answer', () => {
    for (const name of ['TimeoutError', 'AbortError']) {
      const error = Object.assign(new Error('gave up'), { name });
      expect(nameOf(error, true)).toBe('CloudAmbiguousError');
      expect(nameOf(error, false)).toBe('CloudUnavailableError');
    }
  });

  it('takes missing credentials for a call that was never sent', () => {
    const error = Object.assign(new Error('no providers'), { name: 'CredentialsProviderError' });
    expect(nameOf(error, true)).toBe('CloudUnavailableError');
  });

  it('does not trust an answer that is not AWS’s own', () => {
    const cutShort = Object.assign(new Error('XML parse error\n  advice of the SDK'), {
      $metadata: { httpStatusCode: 200 },
    });
    expect(failureOf(cutShort)).toEqual({
      code: 'unreadable HTTP 200',
      message: 'XML parse error',
      httpStatus: 200,
    });
    expect(nameOf(cutShort, true)).toBe('CloudAmbiguousError');
  });

  it('does not call a 4xx ambiguous, even when a proxy wrote it', () => {
    const proxy = Object.assign(new Error('<html>'), { $metadata: { httpStatusCode: 407 } });
    expect(nameOf(proxy, true)).toBe('CloudRefusedError');
  });

  it('reads what is thrown but is no error', () => {
    expect(failureOf('no')).toEqual({ code: 'Unknown', message: 'no' });
  });

  it('names the operation and the code', () => {
    const error = cloudErrorOf(failureOf(awsError('VolumeInUse', 'taken')), 'DetachVolume', true);
    expect(error.message).toBe('DetachVolume was refused: VolumeInUse: taken');
    expect(error.details).toMatchObject({ operation: 'DetachVolume', code: 'VolumeInUse' });
  });
});

describe('messages of cloud errors', () => {
  const everythingSaid = (error: Error): string => `${error.message} ${error.cause} ${error.stack}`;
  const blob = `4wDL${'aB3-_'.repeat(120)}`;

  it('do not carry the encoded authorization message', () => {
    const said =
      'You are not authorized. User: arn:aws:sts::1:assumed-role/x/y. ' +
      `Encoded authorization failure message: ${blob}`;
    const error = cloudErrorOf(failureOf(awsError('UnauthorizedOperation', said)), 'X', true);
    expect(everythingSaid(error)).toContain('arn:aws:sts::1:assumed-role/x/y');
    expect(everythingSaid(error)).not.toContain('4wDL');
  });

  it('do not carry access keys or tokens', () => {
    const said = `signed with ASIAIOSFODNN7EXAMPLE, x-amz-security-token:${blob}`;
    const error = cloudErrorOf(failureOf(awsError('UnheardOf', said)), 'X', true);
    expect(everythingSaid(error)).not.toMatch(/ASIA|4wDL/);
  });

  it('do not grow without bound', () => {
    const error = cloudErrorOf(failureOf(awsError('UnheardOf', 'word '.repeat(1_000))), 'X', true);
    expect(error.message.length).toBeLessThan(400);
  });

  it('do not bring the signed request along', () => {
    const signed = Object.assign(awsError('InternalError', 'oops', 500), {
      $response: { headers: { authorization: 'AWS4-HMAC-SHA256 Credential=AK' } },
    });
    const error = cloudErrorOf(failureOf(signed), 'X', true);
    expect(error.cause).toBeInstanceOf(Error);
    expect(error.cause).not.toHaveProperty('$response');
  });
});
