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

/** A message that somebody works on; nobody else sees it before its visibility timeout is over. */
export interface ReceivedMessage extends Message {
  receiptHandle: string;
  /** How often it was received, this time included. */
  receives: number;
}

/** What a poller of AWS's own does; no role is asked here. Queues by ARN. */
export interface QueueDoor {
  visibilityTimeoutMs(queueArn: string): number;
  /** Takes up to `most` visible messages, oldest first. */
  take(queueArn: string, most: number): readonly ReceivedMessage[];
  remove(queueArn: string, receiptHandles: readonly string[]): void;
  /** When the next message can be taken, epoch ms; undefined in an empty queue. */
  nextVisibleAt(queueArn: string): number | undefined;
  /** Called whenever a message comes in. */
  onArrival(queueArn: string, listener: () => void): void;
}

export interface Sqs extends Service, QueueDoor {
  /** What lies in a queue, oldest first, in flight or not. Queue by ARN or URL. */
  messages(queue: string): readonly Message[];
  /** As AWS's own services write: no role is asked. Throws for a queue that does not exist. */
  deliver(queueArn: string, body: string, attributes: Record<string, string>): void;
}

interface Stored extends ReceivedMessage {
  visibleAt: number;
}

interface Queue {
  arn: string;
  url: string;
  visibilityTimeoutMs: number;
  messages: Stored[];
  listeners: (() => void)[];
}

const VISIBILITY_TIMEOUT_SECONDS = 30;

const queueOf = ({ arn, ref, properties }: Resource): Queue => ({
  arn,
  url: ref,
  visibilityTimeoutMs: Number(properties.VisibilityTimeout ?? VISIBILITY_TIMEOUT_SECONDS) * 1000,
  messages: [],
  listeners: [],
});

const md5 = (body: string): string => createHash('md5').update(body).digest('hex');

const nameOf = (queue: string): string => queue.slice(queue.search(/[^:/]+$/));

const attributesOf = (input: JsonInput): Record<string, string> => {
  const given = (input.MessageAttributes ?? {}) as Record<string, { StringValue?: string }>;
  return Object.fromEntries(
    Object.entries(given).map(([name, { StringValue = '' }]) => [name, StringValue]),
  );
};

/** The queues themselves, apart from how they are asked. */
const createQueues = (deps: { time: Time; rng: Rng; queues: readonly Resource[] }) => {
  const { time, rng } = deps;
  const queues = new Map(deps.queues.map((queue) => [queue.arn, queueOf(queue)]));
  return {
    /** On the local port the host of a queue's URL differs, its name does not. */
    find: (queue: string): Queue | undefined =>
      [...queues.values()].find(({ arn }) => arn === queue || nameOf(arn) === nameOf(queue)),
    known: (queueArn: string): Queue => {
      const queue = queues.get(queueArn);
      if (!queue) throw new Error(`no queue has the ARN ${queueArn}`);
      return queue;
    },
    put: (queue: Queue, body: string, attributes: Record<string, string>): Stored => {
      const sentAt = time.now();
      const sent = { messageId: uuid(rng), body, attributes, sentAt };
      const message = { ...sent, receiptHandle: '', receives: 0, visibleAt: sentAt };
      queue.messages.push(message);
      for (const listener of queue.listeners) listener();
      return message;
    },
    take: ({ messages, visibilityTimeoutMs }: Queue, most: number): Stored[] => {
      const now = time.now();
      const taken = messages.filter(({ visibleAt }) => visibleAt <= now).slice(0, most);
      for (const message of taken) {
        message.receiptHandle = rng.hex(32);
        message.receives += 1;
        message.visibleAt = now + visibilityTimeoutMs;
      }
      return taken;
    },
    remove: ({ messages }: Queue, handle: string): void => {
      const index = messages.findIndex(({ receiptHandle }) => receiptHandle === handle);
      if (index >= 0) messages.splice(index, 1);
    },
  };
};

const shown = (message: Stored) => ({
  MessageId: message.messageId,
  ReceiptHandle: message.receiptHandle,
  Body: message.body,
  MD5OfBody: md5(message.body),
  Attributes: { SentTimestamp: String(message.sentAt) },
  MessageAttributes: Object.fromEntries(
    Object.entries(message.attributes).map(([name, StringValue]) => [
      name,
      { DataType: 'String', StringValue },
    ]),
  ),
});

/** As much of SQS as a dead-letter queue, and whoever empties it, need. */
export const createSqs = (deps: {
  time: Time;
  rng: Rng;
  iam: Iam;
  queues: readonly Resource[];
}): Sqs => {
  const { time, rng } = deps;
  const { find, known, put, take, remove } = createQueues(deps);
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

  return {
    messages: (queue) => find(queue)?.messages ?? [],
    deliver: (queueArn, body, attributes) => {
      put(known(queueArn), body, attributes);
    },
    visibilityTimeoutMs: (queueArn) => known(queueArn).visibilityTimeoutMs,
    take: (queueArn, most) => take(known(queueArn), most),
    remove: (queueArn, handles) => {
      for (const handle of handles) remove(known(queueArn), handle);
    },
    nextVisibleAt: (queueArn) => {
      const { messages } = known(queueArn);
      if (messages.length === 0) return undefined;
      return Math.min(...messages.map(({ visibleAt }) => visibleAt));
    },
    onArrival: (queueArn, listener) => known(queueArn).listeners.push(listener),
    ...createJsonService({
      version: '1.0',
      rng: rng.fork('requests'),
      operations: {
        SendMessage: (input, caller) => {
          const queue = asked(input, 'SendMessage', caller);
          const { messageId, body } = put(queue, text(input, 'MessageBody'), attributesOf(input));
          return { MessageId: messageId, MD5OfMessageBody: md5(body) };
        },
        ReceiveMessage: (input, caller) => {
          const queue = asked(input, 'ReceiveMessage', caller);
          return { Messages: take(queue, Number(input.MaxNumberOfMessages ?? 1)).map(shown) };
        },
        DeleteMessage: (input, caller) => {
          remove(asked(input, 'DeleteMessage', caller), text(input, 'ReceiptHandle'));
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
