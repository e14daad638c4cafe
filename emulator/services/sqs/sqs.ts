import { createHash } from 'node:crypto';
import { uuid } from '../../core/aws-event.ts';
import type { Rng } from '../../core/random.ts';
import type { Time } from '../../core/time.ts';
import type { Caller, Service } from '../../core/wire.ts';
import type { Resource } from '../../infra.ts';
import type { Iam } from '../iam/iam.ts';
import { createJsonService, type JsonInput, JsonRefusal, text } from '../json-protocol.ts';

export interface Message {
  messageId: string;
  body: string;
  /** Message attributes of type String, as EventBridge and Lambda add them to dead letters. */
  attributes: Record<string, string>;
  sentAt: number;
}

export interface Sqs extends Service {
  /** What lies in a queue, oldest first, in flight or not. Queue by ARN or URL. */
  messages(queue: string): readonly Message[];
  /** As AWS's own services write: no role is asked. Throws for a queue that does not exist. */
  deliver(queueArn: string, body: string, attributes: Record<string, string>): void;
}

interface Stored extends Message {
  receiptHandle: string;
  visibleAt: number;
}

const VISIBILITY_TIMEOUT_MS = 30_000;

const md5 = (body: string): string => createHash('md5').update(body).digest('hex');

const nameOf = (queue: string): string => queue.slice(queue.search(/[^:/]+$/));

const attributesOf = (input: JsonInput): Record<string, string> => {
  const given = (input.MessageAttributes ?? {}) as Record<string, { StringValue?: string }>;
  return Object.fromEntries(
    Object.entries(given).map(([name, { StringValue = '' }]) => [name, StringValue]),
  );
};

/** As much of SQS as a dead-letter queue and the person emptying it need. */
export const createSqs = (deps: {
  time: Time;
  rng: Rng;
  iam: Iam;
  queues: readonly Resource[];
}): Sqs => {
  const { time, rng } = deps;
  const queues = new Map(
    deps.queues.map(({ arn, ref }) => [arn, { arn, url: ref, messages: [] as Stored[] }]),
  );
  // On the local port the host of a queue's URL differs, its name does not.
  const find = (queue: string) =>
    [...queues.values()].find(({ arn }) => arn === queue || nameOf(arn) === nameOf(queue));
  const asked = (input: JsonInput, action: string, caller: Caller) => {
    const queue = find(text(input, 'QueueUrl'));
    if (!queue) {
      const code = 'com.amazonaws.sqs#QueueDoesNotExist';
      throw new JsonRefusal(code, 'The specified queue does not exist.');
    }
    const why = deps.iam.denial(`sqs:${action}`, [queue], caller);
    if (why) throw new JsonRefusal('AccessDeniedException', why, 403);
    return queue;
  };
  const put = (messages: Stored[], body: string, attributes: Record<string, string>): Stored => {
    const sentAt = time.now();
    const messageId = uuid(rng);
    const message = { messageId, body, attributes, sentAt, receiptHandle: '', visibleAt: sentAt };
    messages.push(message);
    return message;
  };
  const receive = (message: Stored) => {
    message.receiptHandle = rng.hex(32);
    message.visibleAt = time.now() + VISIBILITY_TIMEOUT_MS;
    const attributes = Object.entries(message.attributes).map(([name, StringValue]) => [
      name,
      { DataType: 'String', StringValue },
    ]);
    return {
      MessageId: message.messageId,
      ReceiptHandle: message.receiptHandle,
      Body: message.body,
      MD5OfBody: md5(message.body),
      Attributes: { SentTimestamp: String(message.sentAt) },
      MessageAttributes: Object.fromEntries(attributes),
    };
  };

  return {
    messages: (queue) => find(queue)?.messages ?? [],
    deliver: (queueArn, body, attributes) => {
      const queue = queues.get(queueArn);
      if (!queue) throw new Error(`no queue has the ARN ${queueArn}`);
      put(queue.messages, body, attributes);
    },
    ...createJsonService({
      version: '1.0',
      rng: rng.fork('requests'),
      operations: {
        SendMessage: (input, caller) => {
          const { messages } = asked(input, 'SendMessage', caller);
          const { messageId, body } = put(
            messages,
            text(input, 'MessageBody'),
            attributesOf(input),
          );
          return { MessageId: messageId, MD5OfMessageBody: md5(body) };
        },
        ReceiveMessage: (input, caller) => {
          const { messages } = asked(input, 'ReceiveMessage', caller);
          const most = Number(input.MaxNumberOfMessages ?? 1);
          const visible = messages.filter(({ visibleAt }) => visibleAt <= time.now());
          return { Messages: visible.slice(0, most).map(receive) };
        },
        DeleteMessage: (input, caller) => {
          const { messages } = asked(input, 'DeleteMessage', caller);
          const handle = text(input, 'ReceiptHandle');
          const index = messages.findIndex(({ receiptHandle }) => receiptHandle === handle);
          if (index >= 0) messages.splice(index, 1);
          return {};
        },
        GetQueueAttributes: (input, caller) => {
          const { messages, arn } = asked(input, 'GetQueueAttributes', caller);
          const visible = messages.filter(({ visibleAt }) => visibleAt <= time.now()).length;
          return {
            Attributes: {
              QueueArn: arn,
              ApproximateNumberOfMessages: String(visible),
              ApproximateNumberOfMessagesNotVisible: String(messages.length - visible),
            },
          };
        },
      },
    }),
  };
};
