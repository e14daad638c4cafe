import { uuid } from '../../core/aws-event.ts';
import type { Rng } from '../../core/random.ts';
import type { Time } from '../../core/time.ts';
import type { Service } from '../../core/wire.ts';
import type { Resource } from '../../infra.ts';
import type { Iam } from '../iam/iam.ts';
import { parseQuery, type QueryParams, queryAnswer, queryError } from '../query-protocol.ts';

export const SNS_NAMESPACE = 'http://sns.amazonaws.com/doc/2010-03-31/';

export interface Published {
  topicArn: string;
  subject?: string;
  message: string;
  messageId: string;
  at: number;
}

export interface Sns extends Service {
  /** What every topic was told, in order. */
  published(): readonly Published[];
  /** A topic that is none of the stack's; another one has it, and may delete it. */
  addTopic(arn: string): void;
  deleteTopic(arn: string): void;
}

class SnsRefusal extends Error {
  override readonly name = 'SnsRefusal';
  readonly status: number;
  readonly code: string;
  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

const invalid = (message: string): SnsRefusal =>
  new SnsRefusal(400, 'InvalidParameter', `Invalid parameter: ${message}`);

const MESSAGE_BYTES_MAX = 262_144;
/** "Less than 100 characters long" (API reference, Publish). */
const SUBJECT_CHARACTERS_MAX = 99;

/** ASCII that begins with a letter, number or punctuation mark, without breaks and controls. */
const SUBJECT = /^[\x21-\x7e][\x20-\x7e]*$/;

const topicOf = (params: QueryParams): string => {
  const topicArn = params.text('TopicArn');
  if (!topicArn) throw invalid('TopicArn or TargetArn Reason: no value for required parameter');
  if (!/^arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[\w-]+(?:\.fifo)?$/.test(topicArn)) {
    throw invalid('TopicArn Reason: An ARN must have at least 6 elements, not 1');
  }
  return topicArn;
};

const contentOf = (params: QueryParams): Pick<Published, 'message' | 'subject'> => {
  const message = params.text('Message') ?? '';
  if (message === '') throw invalid('Empty message');
  if (new TextEncoder().encode(message).length > MESSAGE_BYTES_MAX) {
    throw invalid('Message Reason: Message must be shorter than 262144 bytes');
  }
  const subject = params.text('Subject');
  if (subject === undefined) return { message };
  if (subject.length > SUBJECT_CHARACTERS_MAX || !SUBJECT.test(subject)) throw invalid('Subject');
  return { message, subject };
};

/** Simple Notification Service, as far as who publishes needs it: Publish to a standard topic. */
export const createSns = (deps: {
  time: Time;
  rng: Rng;
  iam: Iam;
  topics: readonly Resource[];
}): Sns => {
  const { iam, rng, time } = deps;
  const topics = new Set(deps.topics.map(({ arn }) => arn));
  const published: Published[] = [];

  const publish = (params: QueryParams, accessKeyId: string): { MessageId: string } => {
    const topicArn = topicOf(params);
    const why = iam.denial('sns:Publish', [{ arn: topicArn }], { accessKeyId });
    // Before existence: a stranger must not learn which topics there are.
    if (why) throw new SnsRefusal(403, 'AuthorizationError', why);
    if (!topics.has(topicArn)) throw new SnsRefusal(404, 'NotFound', 'Topic does not exist');
    const content = contentOf(params);
    const messageId = uuid(rng);
    published.push({ topicArn, ...content, messageId, at: time.now() });
    return { MessageId: messageId };
  };

  return {
    published: () => published,
    addTopic: (arn) => void topics.add(arn),
    deleteTopic: (arn) => void topics.delete(arn),
    handle: (request, { accessKeyId }) => {
      const { action, params } = parseQuery(request);
      const requestId = uuid(rng);
      try {
        if (action !== 'Publish') {
          const message = `Could not find operation ${action} for version 2010-03-31`;
          throw new SnsRefusal(400, 'InvalidAction', message);
        }
        return queryAnswer(SNS_NAMESPACE, action, requestId, publish(params, accessKeyId));
      } catch (error) {
        if (!(error instanceof SnsRefusal)) throw error;
        return queryError(SNS_NAMESPACE, error.status, requestId, error);
      }
    },
  };
};
