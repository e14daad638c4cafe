import { afterEach, describe, expect, it, vi } from 'vitest';
import { createTelemetry } from '../../../src/runtime/telemetry.ts';

const collect = (options: { cluster?: string } = {}) => {
  const printed: string[] = [];
  const telemetry = createTelemetry({
    function: 'FenceAgent',
    log: (line) => printed.push(line),
    ...options,
  });
  return { printed, telemetry };
};

afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

describe('telemetry with a log of its own', () => {
  it('writes nothing to stdout or the console', () => {
    const stdout = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
    const stderr = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    const { printed, telemetry } = collect();
    telemetry.log.info('a');
    telemetry.log.warn('b');
    telemetry.log.error('c');
    telemetry.metrics.count('Stop');
    telemetry.flush();
    expect(stdout).not.toHaveBeenCalled();
    expect(stderr).not.toHaveBeenCalled();
    expect(printed).toHaveLength(4);
  });

  it.each([
    ['POWERTOOLS_DEV', 'true'],
    ['POWERTOOLS_LOG_LEVEL', 'ERROR'],
    ['LOG_LEVEL', 'SILENT'],
    ['POWERTOOLS_SERVICE_NAME', 'another'],
    ['POWERTOOLS_METRICS_NAMESPACE', 'another'],
    ['POWERTOOLS_METRICS_DISABLED', 'true'],
    ['POWERTOOLS_LOGGER_SAMPLE_RATE', '1'],
    ['TZ', 'Asia/Tokyo'],
  ])('prints the same lines whatever %s says in its process', (name, value) => {
    const lines = (): string[] => {
      const { printed, telemetry } = collect();
      telemetry.log.info('fenced', { ms: 1 });
      telemetry.metrics.count('Fenced');
      telemetry.flush();
      return printed.map((line) => line.replace(/\d{4}-\d\d-\d\dT[\d:.]+Z|\d{13}/, 'now'));
    };
    const plain = lines();
    vi.stubEnv(name, value);
    expect(lines()).toEqual(plain);
  });

  it('starts where AWS limits the log level, without a line that cannot be printed', () => {
    vi.stubEnv('AWS_LAMBDA_LOG_LEVEL', 'ERROR');
    const { printed, telemetry } = collect();
    telemetry.log.info('quiet');
    telemetry.log.error('loud');
    expect(printed.filter((line) => line.includes('quiet'))).toEqual([]);
    expect(printed.filter((line) => line.includes('loud'))).toHaveLength(1);
  });

  it('prints errors among the keys by name and message, and survives circles', () => {
    const { printed, telemetry } = collect();
    const circle: Record<string, unknown> = { size: 1n };
    circle.self = circle;
    telemetry.log.info('odd keys', { failure: new RangeError('too far'), circle });
    const { failure, circle: open } = JSON.parse(printed[0] ?? '') as Record<string, unknown>;
    expect(failure).toEqual({ name: 'RangeError', message: 'too far' });
    expect(open).toEqual({ size: '1' });
  });

  it('counts in CloudWatch embedded metrics, per function and cluster', () => {
    const { printed, telemetry } = collect({ cluster: 'demo' });
    telemetry.metrics.count('Stop', 2);
    telemetry.flush();
    expect(printed.map((line) => JSON.parse(line) as unknown)).toEqual([
      {
        _aws: {
          Timestamp: expect.any(Number),
          CloudWatchMetrics: [
            {
              Namespace: 'ebs-failover',
              Dimensions: [['service', 'cluster']],
              Metrics: [{ Name: 'Stop', Unit: 'Count' }],
            },
          ],
        },
        service: 'FenceAgent',
        cluster: 'demo',
        Stop: 2,
      },
    ]);
  });

  it('prints once at the end, however often one thing was counted', () => {
    const stdout = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
    const { printed, telemetry } = collect();
    for (let volume = 0; volume < 250; volume += 1) telemetry.metrics.count('VolumeAdopted');
    expect(printed).toEqual([]);
    telemetry.flush();
    telemetry.flush();
    expect(printed.map((line) => JSON.parse(line).VolumeAdopted)).toEqual([250]);
    expect(stdout).not.toHaveBeenCalled();
  });

  it('has nothing to print when nothing was counted', () => {
    const { printed, telemetry } = collect();
    telemetry.flush();
    expect(printed).toEqual([]);
  });
});

describe('telemetry without one', () => {
  it('writes whole lines to stdout', () => {
    const stdout = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
    createTelemetry({ function: 'FenceAgent' }).log.info('fenced');
    expect(stdout).toHaveBeenCalledExactlyOnceWith(expect.stringMatching(/^\{.*"fenced".*\}\n$/));
  });
});

describe('secrets', () => {
  const jwt = ['eyJhbGciOiJIUzI1NiJ9', 'eyJ1aWQiOiJib290c3RyYXAifQ', 'c2lnbmF0dXJlLW9mLWl0'].join(
    '.',
  );
  const slackToken = ['xoxb', '1234567890', 'AbCdEfGhIjKl'].join('-');

  it.each([
    ['a Slack token', `invalid_auth for ${slackToken}`, slackToken],
    [
      'a Slack webhook',
      'POST https://hooks.slack.com/services/T0/B0/abcdefghijkl failed',
      'abcdefghijkl',
    ],
    ['a DC/OS token in a header', `authorization: token=${jwt}`, jwt],
    ['a DC/OS token alone', `refused ${jwt}`, 'eyJ1aWQi'],
    ['an opaque token', 'Authorization: Bearer 0123456789abcdefXYZ', '0123456789abcdefXYZ'],
    ['a token in a query', 'GET /x?token=0123456789abcdefXYZ&y=1', '0123456789abcdefXYZ'],
    [
      'a private key',
      '-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIB\n-----END RSA PRIVATE KEY-----',
      'MIIEpAIB',
    ],
    ['a password in a URL', 'https://admin:hunter2@dcos.internal/x', 'hunter2'],
  ])('does not print %s', (_what, text, secret) => {
    const { printed, telemetry } = collect();
    telemetry.log.error('refused', { problem: text, nested: { list: [new Error(text)] } });
    expect(printed[0]).toContain('[secret]');
    expect(printed[0]).not.toContain(secret);
    expect(() => JSON.parse(printed[0] ?? '')).not.toThrow();
  });

  it('leaves what people need to read', () => {
    const { printed, telemetry } = collect();
    const keys = {
      token: 3,
      problem: 'token 3 of incident demo#i-0a1b2c3d4e5f60718#1 is no longer ours',
      arn: 'arn:aws:states:eu-central-1:210987654321:execution:ebs-failover-demo:fo-i-1-1',
      url: 'https://dcos.internal:8443/mesos/api/v1',
    };
    telemetry.log.info('held', keys);
    expect(JSON.parse(printed[0] ?? '')).toMatchObject(keys);
  });
});
