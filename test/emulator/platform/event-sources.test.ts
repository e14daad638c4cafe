import { afterEach, describe, expect, it } from 'vitest';
import { createRng } from '../../../emulator/core/random.ts';
import { createVirtualTime, type VirtualTime } from '../../../emulator/core/virtual-time.ts';
import type { Infra, Resource } from '../../../emulator/infra.ts';
import { createEventSources } from '../../../emulator/services/lambda/event-sources.ts';
import type { Outcome } from '../../../emulator/services/lambda/invocation.ts';
import { createSqs } from '../../../emulator/services/sqs/sqs.ts';

const queueArn = 'arn:aws:sqs:us-east-1:123456789012:letters';
const resource = (type: string, properties: Record<string, unknown>): Resource => ({
  logicalId: 'It',
  type,
  ref: 'https://sqs.us-east-1.amazonaws.com/123456789012/letters',
  arn: queueArn,
  properties,
});
const reporting = { FunctionResponseTypes: ['ReportBatchItemFailures'] };

interface Batch {
  readonly at: number;
  readonly bodies: readonly string[];
  readonly receives: readonly string[];
}
interface Delivered {
  readonly messageId: string;
  readonly body: string;
  readonly attributes: { readonly ApproximateReceiveCount: string };
}

let time: VirtualTime | undefined;
afterEach(() => time?.uninstall());

/** A queue, a function that answers as told, and the mapping between them. */
const make = (
  options: {
    mapping?: Record<string, unknown>;
    visibilityTimeout?: number;
    denied?: string;
    answer?: (records: readonly Delivered[]) => Outcome;
    takesMs?: number;
  } = {},
) => {
  const clock = createVirtualTime(0, 1);
  time = clock;
  const { answer = () => ({ ok: true, payload: {} }), takesMs = 0 } = options;
  const queue = resource('AWS::SQS::Queue', { VisibilityTimeout: options.visibilityTimeout ?? 60 });
  const mapping = { EventSourceArn: queueArn, FunctionName: 'reader', ...options.mapping };
  const iam = {
    accessKeyId: () => 'key',
    denial: (action: string) => (action === options.denied ? 'no' : undefined),
  };
  const sqs = createSqs({ time: clock, rng: createRng(1), iam: iam as never, queues: [queue] });
  const batches: Batch[] = [];
  const running = { now: 0, most: 0 };
  const spec = { name: 'reader', timeoutSeconds: 60, roleArn: 'role' };
  const invoke = async (_: unknown, payload: string): Promise<Outcome> => {
    const { Records: records } = JSON.parse(payload) as { Records: Delivered[] };
    running.now += 1;
    running.most = Math.max(running.most, running.now);
    batches.push({
      at: clock.now(),
      bodies: records.map(({ body }) => body),
      receives: records.map(({ attributes }) => attributes.ApproximateReceiveCount),
    });
    await new Promise<void>((done) => clock.after(takesMs, done));
    running.now -= 1;
    return answer(records);
  };
  createEventSources({
    time: clock,
    iam: iam as never,
    sqs,
    functions: { find: (name: string) => (name === 'reader' ? spec : undefined), invoke } as never,
    infra: {
      region: 'us-east-1',
      ofType: (type: string) =>
        type === 'AWS::Lambda::EventSourceMapping' ? [resource(type, mapping)] : [],
    } as unknown as Infra,
  });
  const pass = async (ms: number): Promise<void> => {
    await clock.run({ until: () => false, horizonMs: ms });
  };
  const send = (...bodies: string[]): void => {
    for (const body of bodies) sqs.deliver(queueArn, body, {});
  };
  const left = () => sqs.messages(queueArn).map(({ body }) => body);
  return { batches, left, pass, running, send };
};

describe('a queue that Lambda reads', () => {
  it('is gathered for its window and handed over in one batch, then empty', async () => {
    const { batches, left, pass, send } = make({
      mapping: { BatchSize: 100, MaximumBatchingWindowInSeconds: 30 },
    });
    send('a');
    await pass(20_000);
    send('b');
    expect(batches).toEqual([]);
    await pass(11_000);
    expect(batches).toEqual([{ at: 30_000, bodies: ['a', 'b'], receives: ['1', '1'] }]);
    expect(left()).toEqual([]);
    await pass(600_000);
    expect(batches).toHaveLength(1);
  });

  it('keeps what the function reports, and brings it again after the visibility timeout', async () => {
    const { batches, left, pass, send } = make({
      mapping: reporting,
      answer: (records) => {
        const bad = records.filter(({ body }) => body === 'bad');
        return {
          ok: true,
          payload: { batchItemFailures: bad.map((r) => ({ itemIdentifier: r.messageId })) },
        };
      },
    });
    send('good', 'bad');
    await pass(59_000);
    expect(left()).toEqual(['bad']);
    await pass(2_000);
    expect(batches.map(({ bodies, receives }) => [bodies, receives])).toEqual([
      [
        ['good', 'bad'],
        ['1', '1'],
      ],
      [['bad'], ['2']],
    ]);
  });

  it.each<[string, Outcome]>([
    ['fails', { ok: false, crashed: false, failure: { errorType: 'Error', errorMessage: 'no' } }],
    [
      'names a message that was not in the batch',
      {
        ok: true,
        payload: { batchItemFailures: [{ itemIdentifier: 'another' }] },
      },
    ],
    ['names nothing', { ok: true, payload: { batchItemFailures: [{}] } }],
    ['answers something else', { ok: true, payload: { batchItemFailures: 'a' } }],
  ])('keeps the whole batch when the function %s', async (_, outcome) => {
    const { left, pass, send } = make({ mapping: reporting, answer: () => outcome });
    send('a', 'b');
    await pass(1_000);
    expect(left()).toEqual(['a', 'b']);
  });

  it('is read by several at once, but by no more than it may', async () => {
    const { batches, pass, running, send } = make({
      mapping: { BatchSize: 1, ScalingConfig: { MaximumConcurrency: 2 } },
      takesMs: 5_000,
    });
    send('a', 'b', 'c');
    await pass(20_000);
    expect(running.most).toBe(2);
    expect(batches.map(({ at }) => at)).toEqual([0, 0, 5_000]);
  });
});

describe('a mapping', () => {
  it.each<[string, Parameters<typeof make>[0], RegExp]>([
    [
      'the role may not read',
      { denied: 'sqs:ReceiveMessage' },
      /permissions to call ReceiveMessage/,
    ],
    [
      'the role may not delete',
      { denied: 'sqs:DeleteMessage' },
      /permissions to call DeleteMessage/,
    ],
    ['messages come back too early', { visibilityTimeout: 59 }, /less than Function timeout/],
    ['the function does not exist', { mapping: { FunctionName: 'x' } }, /no function is called x/],
    ['a large batch has no window', { mapping: { BatchSize: 11 } }, /batching window/],
    [
      'one at a time is asked for',
      { mapping: { ScalingConfig: { MaximumConcurrency: 1 } } },
      /at least 2/,
    ],
  ])('is refused as Lambda does when %s', (_, options, why) => {
    expect(() => make(options)).toThrow(why);
  });
});
