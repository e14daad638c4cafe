import { PublishCommand, type PublishCommandInput, SNSClient } from '@aws-sdk/client-sns';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Local, startLocal } from '../../../emulator/local-server.ts';

let local: Local;
beforeAll(async () => {
  local = await startLocal({ seed: 6 });
});
afterAll(() => local.close());

const topic = () => local.world.infra.resource('AlarmTopic').arn;
const publish = (input: Partial<PublishCommandInput>, accessKeyId = 'ana', region = 'us-east-1') =>
  new SNSClient({
    region,
    endpoint: local.endpoint,
    maxAttempts: 1,
    credentials: { accessKeyId, secretAccessKey: 'any' },
  }).send(new PublishCommand({ TopicArn: topic(), Message: 'text', ...input }));

describe('SNS', () => {
  it('keeps what a topic was told', async () => {
    const { MessageId } = await publish({ Subject: 'it <is> held', Message: 'one\n\ntwo & more' });
    expect(local.world.sns.published()).toMatchObject([
      {
        topicArn: topic(),
        subject: 'it <is> held',
        message: 'one\n\ntwo & more',
        messageId: MessageId,
      },
    ]);
  });

  it.each<[string, Partial<PublishCommandInput>]>([
    ['with a line break', { Subject: 'two\nlines' }],
    ['with a control character', { Subject: 'bell\u0007' }],
    ['that is not ASCII', { Subject: 'gr\u00fc\u00df' }],
    ['that begins with a space', { Subject: ' held' }],
    ['of 100 characters', { Subject: 'x'.repeat(100) }],
    ['that is empty', { Subject: '' }],
  ])('refuses a subject %s', async (_, input) => {
    await expect(publish(input)).rejects.toMatchObject({
      name: 'InvalidParameterException',
      message: 'Invalid parameter: Subject',
    });
  });

  it.each<[string, Partial<PublishCommandInput>, string]>([
    ['no text', { Message: '' }, 'InvalidParameterException'],
    ['too much text', { Message: '\u00e9'.repeat(131_073) }, 'InvalidParameterException'],
    ['no ARN', { TopicArn: 'pagers' }, 'InvalidParameterException'],
    [
      'a topic nobody made',
      { TopicArn: 'arn:aws:sns:us-east-1:123456789012:x' },
      'NotFoundException',
    ],
  ])('refuses %s', async (_, input, name) => {
    await expect(publish(input)).rejects.toMatchObject({ name });
  });

  it('refuses who signs for another region', async () => {
    await expect(publish({}, 'ana', 'eu-west-1')).rejects.toMatchObject({
      name: 'SignatureDoesNotMatch',
    });
  });

  it('refuses a role without the right, before it says whether there is such a topic', async () => {
    const elsewhere = { TopicArn: 'arn:aws:sns:us-east-1:123456789012:x' };
    for (const input of [{}, elsewhere]) {
      await expect(publish(input, 'ASIASweepRole')).rejects.toMatchObject({
        name: 'AuthorizationErrorException',
      });
    }
    await expect(publish({}, 'ASIANotifyRole')).resolves.toHaveProperty('MessageId');
  });
});
