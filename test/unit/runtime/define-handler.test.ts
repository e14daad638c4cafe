import { describe, expect, it, vi } from 'vitest';
import * as z from 'zod';
import { HandOffOutput, StepInput } from '../../../src/contracts/steps.ts';
import { CloudThrottledError, ParseError, TokenLostError } from '../../../src/domain/errors.ts';
import { defineHandler, type Invoke } from '../../../src/runtime/define-handler.ts';
import { createTelemetry } from '../../../src/runtime/telemetry.ts';

const input = { incidentId: 'demo#i-0a1b2c3d4e5f60718#3', token: 2 };
const context = { awsRequestId: 'req-1' };

type Line = Record<string, unknown>;

const setUp = (answer: () => Promise<unknown> = async () => ({ kind: 'handedOff' })) => {
  const printed: string[] = [];
  const telemetry = createTelemetry({ function: 'HandOff', log: (line) => printed.push(line) });
  const useCase = vi.fn<(input: StepInput) => Promise<HandOffOutput>>(
    // Lets a test answer what the types forbid, as a bug or a JSON document would.
    answer as () => Promise<HandOffOutput>,
  );
  const handler = defineHandler(
    { name: 'HandOff', input: StepInput, output: HandOffOutput, telemetry },
    useCase,
  );
  const all = (): Line[] => printed.map((line) => JSON.parse(line) as Line);
  return {
    handler,
    useCase,
    telemetry,
    printed,
    lines: () => all().filter((line) => !('_aws' in line)),
    metrics: () => all().filter((line) => '_aws' in line),
  };
};

const failing = (error: unknown) => setUp(() => Promise.reject(error));

describe('an invocation', () => {
  it('hands the parsed input to the use case and its answer back', async () => {
    const { handler, useCase } = setUp();
    await expect(handler(input, context)).resolves.toEqual({ kind: 'handedOff' });
    expect(useCase).toHaveBeenCalledExactlyOnceWith(input);
  });

  it('works without a context', async () => {
    await expect(setUp().handler(input)).resolves.toEqual({ kind: 'handedOff' });
  });

  it('prints one line with its subject and how long it took', async () => {
    const { handler, lines } = setUp();
    await handler(input, context);
    expect(lines()).toEqual([
      {
        level: 'INFO',
        message: 'invocation completed',
        timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
        function: 'HandOff',
        requestId: 'req-1',
        ...input,
        kind: 'handedOff',
        ms: expect.any(Number),
      },
    ]);
  });

  it('counts its decision', async () => {
    const { handler, metrics } = setUp();
    await handler(input, context);
    expect(metrics()).toEqual([expect.objectContaining({ service: 'HandOff', HandedOff: 1 })]);
  });

  it('puts the subject on every line of the use case, and on none of the next invocation', async () => {
    const { handler, telemetry, lines } = setUp(async () => {
      telemetry.log.warn('no offer yet', { appId: '/mysql' });
      return { kind: 'waiting', waitSeconds: 1 };
    });
    await handler(input, context);
    await handler({ warmUp: true });
    expect(lines()[0]).toMatchObject({ ...input, appId: '/mysql', requestId: 'req-1' });
    expect(lines().at(-1)).not.toHaveProperty('incidentId');
    expect(lines().at(-1)).not.toHaveProperty('requestId');
  });

  it('counts each invocation for itself', async () => {
    const { handler, telemetry, metrics } = setUp(async () => {
      telemetry.metrics.count('LaunchDelayCleared', 2);
      return { kind: 'handedOff' };
    });
    await handler(input);
    await handler(input);
    expect(metrics()).toEqual([
      expect.objectContaining({ HandedOff: 1, LaunchDelayCleared: 2 }),
      expect.objectContaining({ HandedOff: 1, LaunchDelayCleared: 2 }),
    ]);
  });

  it('is Completed where the answer is no decision', async () => {
    const printed: string[] = [];
    const telemetry = createTelemetry({ function: 'Sweep', log: (line) => printed.push(line) });
    const sweep = defineHandler(
      { name: 'Sweep', input: z.unknown(), output: z.undefined(), telemetry },
      async () => undefined,
    );
    await expect(sweep({})).resolves.toBeUndefined();
    expect(printed.some((line) => line.includes('"Completed":1'))).toBe(true);
  });
});

describe('a warm-up call', () => {
  it('is answered without waking the use case', async () => {
    const { handler, useCase, lines, metrics } = setUp();
    await expect(handler({ warmUp: true })).resolves.toEqual({ warm: true });
    expect(useCase).not.toHaveBeenCalled();
    expect(lines()).toEqual([expect.objectContaining({ kind: 'warmed' })]);
    expect(metrics()).toEqual([expect.objectContaining({ Warmed: 1 })]);
  });

  it.each([{ warmUp: false }, { warmUp: 'true' }, { ...input, warmUp: true }])(
    'is not %j',
    async (event) => {
      const { handler, useCase } = setUp();
      await expect(handler(event)).rejects.toThrow(ParseError);
      expect(useCase).not.toHaveBeenCalled();
    },
  );
});

describe('a broken contract', () => {
  it.each([
    [{ ...input, incidentId: 'x' }, 'HandOff input: incidentId: must be an incident id'],
    [{ ...input, verdict: 'Down' }, 'HandOff input: Unrecognized key: "verdict"'],
    [{}, 'HandOff input: incidentId: '],
    [null, 'HandOff input: '],
    [undefined, 'HandOff input: '],
  ])('of the input %j is a ParseError before the use case', async (event, problem) => {
    const { handler, useCase, metrics } = setUp();
    const error = await handler(event).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      name: 'ParseError',
      message: expect.stringContaining(problem),
    });
    expect(useCase).not.toHaveBeenCalled();
    expect(metrics()).toEqual([expect.objectContaining({ Failed: 1 })]);
  });

  it.each([
    [{ kind: 'done' }, 'HandOff output: kind'],
    [{ kind: 'waiting', waitSeconds: 0 }, 'HandOff output: waitSeconds'],
    [{ kind: 'handedOff', agentIds: [] }, 'HandOff output: Unrecognized key: "agentIds"'],
    [undefined, 'HandOff output: '],
  ])('of the output %j is an error, not an answer', async (answer, problem) => {
    const { handler, lines } = setUp(async () => answer);
    await expect(handler(input)).rejects.toMatchObject({
      name: 'ParseError',
      message: expect.stringContaining(problem),
    });
    expect(lines()).toEqual([expect.objectContaining({ message: 'invocation failed' })]);
  });
});

describe('an error of the use case', () => {
  it.each([
    new TokenLostError('demo#i-0a1b2c3d4e5f60718#3', 2),
    new CloudThrottledError('StopInstances', 'RequestLimitExceeded'),
    new RangeError('not one of ours'),
    Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' }),
    'thrown text',
  ])('reaches the workflow as it is: %s', async (thrown) => {
    const { handler } = failing(thrown);
    const namesOf = (value: unknown): string[] => Object.getOwnPropertyNames(Object(value));
    const before = namesOf(thrown);
    const caught = await handler(input).catch((error: unknown) => error);
    expect(caught).toBe(thrown);
    expect(namesOf(caught)).toEqual(before);
  });

  it('is told by name and message, with its subject and its cause', async () => {
    const cause = new Error('connect ETIMEDOUT 10.0.0.1:443');
    const { handler, lines, metrics } = failing(
      new CloudThrottledError('StopInstances', 'RequestLimitExceeded', { cause }),
    );
    await expect(handler(input, context)).rejects.toThrow('throttled');
    expect(lines()).toEqual([
      {
        level: 'ERROR',
        message: 'invocation failed',
        timestamp: expect.any(String),
        function: 'HandOff',
        requestId: 'req-1',
        ...input,
        error: 'CloudThrottledError',
        problem: 'StopInstances was throttled (RequestLimitExceeded)',
        cause: 'Error: connect ETIMEDOUT 10.0.0.1:443',
        ms: expect.any(Number),
      },
    ]);
    expect(metrics()).toEqual([expect.objectContaining({ Failed: 1 })]);
  });

  it('does not carry its properties or the environment into the log', async () => {
    const secret = 'a-setting-nobody-may-see';
    vi.stubEnv('DCOS_TOKEN', secret);
    const error = Object.assign(new Error('boom'), { request: { headers: { auth: secret } } });
    const { handler, printed } = failing(error);
    await expect(handler(input)).rejects.toThrow('boom');
    vi.unstubAllEnvs();
    expect(printed.length).toBeGreaterThan(0);
    expect(printed.join()).not.toContain(secret);
  });
});

describe('what callers get', () => {
  /** Whether a handler checks its input: the question a test asks the exported one. */
  const guards = async (handler: Invoke): Promise<boolean> =>
    handler({ not: 'an input' }).then(
      () => false,
      (error: unknown) => error instanceof ParseError,
    );

  it('is the wrapper', async () => {
    expect(await guards(setUp().handler)).toBe(true);
  });

  it('shows when a wrapper was made and thrown away', async () => {
    const { telemetry } = setUp();
    const useCase = async (): Promise<HandOffOutput> => ({ kind: 'handedOff' });
    const discarding = (): Invoke => {
      defineHandler(
        { name: 'HandOff', input: StepInput, output: HandOffOutput, telemetry },
        useCase,
      );
      return useCase;
    };
    expect(await guards(discarding())).toBe(false);
  });
});
