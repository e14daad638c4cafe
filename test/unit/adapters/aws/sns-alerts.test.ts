import { PublishCommand, SNSClient } from '@aws-sdk/client-sns';
import { mockClient } from 'aws-sdk-client-mock';
import { beforeEach, describe, expect, it } from 'vitest';
import 'aws-sdk-client-mock-vitest/extend';
import { createSnsAlerts } from '../../../../src/adapters/sns/alerts.ts';
import { awsError, lostConnection } from './support.ts';

const mock = mockClient(SNSClient);
const topicArn = 'arn:aws:sns:us-east-1:123456789012:pagers';
const alerts = createSnsAlerts({ client: new SNSClient({ region: 'us-east-1' }), topicArn });
const alert = { kind: 'held', subject: '[prod] it is held', lines: ['one', 'two'] };

beforeEach(() => {
  mock.reset();
});

describe('alerts by SNS', () => {
  it('are plain text with a subject', async () => {
    mock.on(PublishCommand).resolves({ MessageId: 'm' });
    await alerts.tell(alert);
    expect(mock).toHaveReceivedCommandWith(PublishCommand, {
      TopicArn: topicArn,
      Subject: '[prod] it is held',
      Message: 'one\n\ntwo',
    });
  });

  it('fit into a message of SNS, cut at a whole character', async () => {
    mock.on(PublishCommand).resolves({ MessageId: 'm' });
    await alerts.tell({ ...alert, lines: [`x${'\u00e9'.repeat(200_000)}`] });
    const { Message = '' } = mock.commandCalls(PublishCommand)[0]?.args[0].input ?? {};
    expect(new TextEncoder().encode(Message).length).toBeLessThanOrEqual(262_144);
    expect(Message).toMatch(/^x\u00e9+\n\(cut\)$/);
  });

  it.each([
    ['a topic that is gone', awsError('NotFoundException', 'x', 404), 'NotFoundException'],
    ['a right that is missing', awsError('AuthorizationErrorException', 'x', 403), 'Authorization'],
    ['a lost connection', lostConnection(), 'ECONNRESET'],
  ])('that are not delivered say so: %s', async (_, error, code) => {
    mock.on(PublishCommand).rejects(error);
    await expect(alerts.tell(alert)).rejects.toMatchObject({
      name: 'NotifierUnavailableError',
      message: expect.stringContaining(code),
    });
  });
});
