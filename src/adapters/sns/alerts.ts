import { PublishCommand, type SNSClient } from '@aws-sdk/client-sns';
import { NotifierUnavailableError } from '../../domain/errors.ts';
import type { Alerts } from '../../ports/alerts.ts';
import { failureOf } from '../aws-sdk/error-taxonomy.ts';

/** SNS takes 262,144 bytes, attributes included; a longer message is refused whole. */
const messageBytesMax = 250_000;

/** Cut at a whole character. */
const clip = (text: string): string => {
  const bytes = new TextEncoder().encode(text);
  if (bytes.length <= messageBytesMax) return text;
  const kept = new TextDecoder().decode(bytes.subarray(0, messageBytesMax), { stream: true });
  return `${kept}\n(cut)`;
};

const undelivered = (cause: unknown): NotifierUnavailableError =>
  new NotifierUnavailableError('Publish', failureOf(cause).code, { cause });

/** Publishes to one SNS topic, in plain text. Nothing is retried here: whoever delivers decides when. */
export const createSnsAlerts = ({
  client,
  topicArn,
}: {
  readonly client: SNSClient;
  readonly topicArn: string;
}): Alerts => ({
  async tell({ subject, lines }) {
    const Message = clip(lines.join('\n\n'));
    try {
      await client.send(new PublishCommand({ TopicArn: topicArn, Subject: subject, Message }));
    } catch (error) {
      throw undelivered(error);
    }
  },
});
