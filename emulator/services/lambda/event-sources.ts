import { createHash } from 'node:crypto';
import type { Cancel, Time } from '../../core/time.ts';
import type { FunctionSpec, Infra, Resource } from '../../infra.ts';
import type { Iam } from '../iam/iam.ts';
import { isObject } from '../json-protocol.ts';
import type { QueueDoor, ReceivedMessage } from '../sqs/sqs.ts';
import type { Outcome } from './invocation.ts';
import type { LambdaFunctions } from './lambda.ts';

interface EventSourcesDeps {
  time: Time;
  infra: Infra;
  iam: Iam;
  sqs: QueueDoor;
  functions: LambdaFunctions;
}

/** One queue that Lambda reads for one function. */
interface Source {
  queueArn: string;
  spec: FunctionSpec;
  batchSize: number;
  windowMs: number;
  concurrencyMax: number;
  reportsFailures: boolean;
}

const RIGHTS = ['ReceiveMessage', 'DeleteMessage', 'GetQueueAttributes'];
/** What Lambda begins with on a standard queue, where nothing else is said. */
const POLLERS = 5;

/** As Lambda checks a mapping when it is created (Lambda guide, "Creating an SQS event source"). */
const sourceOf = (
  { functions, iam, sqs }: EventSourcesDeps,
  { logicalId, properties }: Resource,
): Source => {
  const queueArn = String(properties.EventSourceArn);
  const refuse = (why: string): never => {
    throw new Error(`InvalidParameterValueException: ${logicalId}: ${why}`);
  };
  const spec = functions.find(String(properties.FunctionName));
  if (!spec) return refuse(`no function is called ${properties.FunctionName}`);
  const caller = { accessKeyId: iam.accessKeyId(spec.roleArn) };
  for (const right of RIGHTS) {
    if (iam.denial(`sqs:${right}`, [{ arn: queueArn }], caller)) {
      const why = `The function execution role does not have permissions to call ${right} on SQS`;
      refuse(why);
    }
  }
  const visibleAfterS = sqs.visibilityTimeoutMs(queueArn) / 1000;
  if (visibleAfterS < spec.timeoutSeconds) {
    const less = `is less than Function timeout: ${spec.timeoutSeconds} seconds`;
    refuse(`Queue visibility timeout: ${visibleAfterS} seconds ${less}`);
  }
  const windowS = Number(properties.MaximumBatchingWindowInSeconds ?? 0);
  const batchSize = Number(properties.BatchSize ?? 10);
  if (batchSize > 10 && windowS < 1) {
    refuse('a batch of more than 10 needs a batching window of at least 1 second');
  }
  const scaling = properties.ScalingConfig as { MaximumConcurrency?: number } | undefined;
  const concurrencyMax = Number(scaling?.MaximumConcurrency ?? POLLERS);
  if (concurrencyMax < 2) refuse('MaximumConcurrency must be at least 2');
  const responses = (properties.FunctionResponseTypes ?? []) as string[];
  const reportsFailures = responses.includes('ReportBatchItemFailures');
  return { queueArn, spec, batchSize, windowMs: windowS * 1000, concurrencyMax, reportsFailures };
};

const recordOf = (message: ReceivedMessage, { queueArn }: Source, region: string) => ({
  messageId: message.messageId,
  receiptHandle: message.receiptHandle,
  body: message.body,
  attributes: {
    ApproximateReceiveCount: String(message.receives),
    SentTimestamp: String(message.sentAt),
  },
  messageAttributes: Object.fromEntries(
    Object.entries(message.attributes).map(([name, stringValue]) => [
      name,
      { stringValue, dataType: 'String', stringListValues: [], binaryListValues: [] },
    ]),
  ),
  md5OfBody: createHash('md5').update(message.body).digest('hex'),
  eventSource: 'aws:sqs',
  eventSourceARN: queueArn,
  awsRegion: region,
});

/**
 * Which of a batch is done with. A function that failed, or that names failures in a way nobody
 * understands, has done none of it; one that reports none has done all.
 */
const doneOf = (
  batch: readonly ReceivedMessage[],
  outcome: Outcome,
  { reportsFailures }: Source,
): readonly ReceivedMessage[] => {
  if (!outcome.ok) return [];
  const { payload } = outcome;
  if (!reportsFailures || !isObject(payload)) return batch;
  const { batchItemFailures: failures = [] } = payload;
  if (!Array.isArray(failures)) return [];
  const ids = failures.map((failure: { itemIdentifier?: unknown }) => failure?.itemIdentifier);
  const known = batch.map(({ messageId }) => messageId);
  if (!ids.every((id) => typeof id === 'string' && known.includes(id))) return [];
  return batch.filter(({ messageId }) => !ids.includes(messageId));
};

/** Gathers what comes for a while, invokes, deletes what is done with; the rest comes again. */
const poll = ({ functions, infra, sqs, time }: EventSourcesDeps, source: Source): void => {
  const { batchSize, concurrencyMax, queueArn, spec, windowMs } = source;
  let running = 0;
  let planned: { at: number; cancel: Cancel } | undefined;

  const handOver = async (batch: readonly ReceivedMessage[]): Promise<void> => {
    const Records = batch.map((message) => recordOf(message, source, infra.region));
    const outcome = await functions.invoke(spec, JSON.stringify({ Records }));
    const done = doneOf(batch, outcome, source).map(({ receiptHandle }) => receiptHandle);
    sqs.remove(queueArn, done);
  };
  const look = (): void => {
    planned = undefined;
    while (running < concurrencyMax) {
      const batch = sqs.take(queueArn, batchSize);
      if (batch.length === 0) break;
      running += 1;
      void handOver(batch).then(() => {
        running -= 1;
        plan();
      });
    }
    plan();
  };
  const plan = (): void => {
    const visibleAt = sqs.nextVisibleAt(queueArn);
    if (visibleAt === undefined || running >= concurrencyMax) return;
    const at = Math.max(visibleAt, time.now()) + windowMs;
    if (planned && planned.at <= at) return;
    planned?.cancel();
    planned = { at, cancel: time.after(at - time.now(), look) };
  };
  sqs.onArrival(queueArn, plan);
};

/**
 * Lambda's event source mappings on standard SQS queues: batches, the gathering window, partial
 * failures, several batches at once. Throws what Lambda refuses when a mapping is created. A queue in
 * which nothing lies costs nothing here: its long polling is not played.
 */
export const createEventSources = (deps: EventSourcesDeps): void => {
  for (const mapping of deps.infra.ofType('AWS::Lambda::EventSourceMapping')) {
    poll(deps, sourceOf(deps, mapping));
  }
};
