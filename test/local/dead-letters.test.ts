import { afterEach, expect, it } from 'vitest';
import { createVirtualTime, type VirtualTime } from '../../emulator/core/virtual-time.ts';
import { createWorld } from '../../emulator/world.ts';

/**
 * Lambda tries a failed event again one and two minutes later before it gives up, so this goes by
 * virtual time; the requests are those that the local port passes on.
 */
let time: VirtualTime | undefined;
afterEach(() => time?.uninstall());

const ENDPOINT = 'http://127.0.0.1:4566';

it('keeps an event that was refused in the queue, with its reason, for a person', async () => {
  time = createVirtualTime(Date.UTC(2026, 10, 23), 1);
  const world = await createWorld({ seed: 1, time });
  world.faults.awsEventsByHand = true;
  const ask = async (target: string, body: object): Promise<Record<string, unknown>> => {
    const answer = world.network.send({
      method: 'POST',
      url: `${ENDPOINT}/`,
      headers: { 'x-amz-target': target },
      body: JSON.stringify(body),
    });
    let text: string | undefined;
    void answer.then((response) => {
      text = response.body;
    });
    await time?.run({ until: () => text !== undefined, horizonMs: 10_000 });
    return JSON.parse(text ?? '{}');
  };
  const detail = { 'instance-id': 'i-0000000000000dead', state: 'stopped' };
  const entry = {
    Source: 'aws.ec2',
    DetailType: 'EC2 Instance State-change Notification',
    Detail: JSON.stringify(detail),
  };
  expect(await ask('AWSEvents.PutEvents', { Entries: [entry] })).toMatchObject({
    FailedEntryCount: 0,
  });

  const { ref: url } = world.infra.resource('IntakeDeadLetterQueue');
  const QueueUrl = `${ENDPOINT}${new URL(url).pathname}`;
  await time.run({ until: () => world.sqs.messages(url).length > 0, horizonMs: 600_000 });
  const { Messages } = await ask('AmazonSQS.ReceiveMessage', { QueueUrl });
  expect(Messages).toHaveLength(1);
  const [message] = Messages as { Body: string }[];
  expect(JSON.parse(message?.Body ?? '{}')).toMatchObject({
    requestContext: { condition: 'RetriesExhausted', approximateInvokeCount: 3 },
    requestPayload: { detail },
    responsePayload: {
      errorType: 'SignalRefusedError',
      errorMessage: expect.stringContaining('unknown to EC2'),
    },
  });
  expect(world.ec2.calls().filter(({ api }) => !api.startsWith('Describe'))).toEqual([]);
});
