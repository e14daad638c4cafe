import { DescribeInstancesCommand, EC2Client, StopInstancesCommand } from '@aws-sdk/client-ec2';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import {
  DescribeExecutionCommand,
  ListStateMachinesCommand,
  SFNClient,
  StartExecutionCommand,
} from '@aws-sdk/client-sfn';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WireError } from '../../../emulator/core/wire.ts';
import { type Local, startLocal } from '../../../emulator/local-server.ts';

let local: Local;
let instanceId: string;
beforeAll(async () => {
  local = await startLocal({ seed: 5 });
  instanceId = local.world.ec2.seedInstance({ availabilityZone: 'us-east-1a' });
});
afterAll(() => local.close());

const options = () => ({
  region: 'us-east-1',
  endpoint: local.endpoint,
  maxAttempts: 1,
  credentials: { accessKeyId: 'AKIAPERSON', secretAccessKey: 'any' },
});

describe('the local port', () => {
  it('answers the EC2 client', async () => {
    const ec2 = new EC2Client(options());
    const stop = await ec2.send(new StopInstancesCommand({ InstanceIds: [instanceId] }));
    expect(stop.StoppingInstances).toMatchObject([{ CurrentState: { Name: 'stopping' } }]);
    const described = await ec2.send(new DescribeInstancesCommand({ InstanceIds: [instanceId] }));
    expect(described.Reservations?.[0]?.Instances?.[0]?.InstanceId).toBe(instanceId);
  });

  it('starts the workflow for a person and runs its first step', async () => {
    const states = new SFNClient(options());
    const { stateMachines = [] } = await states.send(new ListStateMachinesCommand({}));
    const { executionArn } = await states.send(
      new StartExecutionCommand({
        stateMachineArn: stateMachines[0]?.stateMachineArn ?? '',
        input: JSON.stringify({ instanceId: 'i-00000000000000000', reason: 'drill' }),
      }),
    );
    const seen = await states.send(new DescribeExecutionCommand({ executionArn }));
    expect(seen.status).toBe('RUNNING');
    const ran = (): boolean =>
      local.world.lambda.records().some(({ functionKey }) => functionKey === 'openIncident');
    await expect.poll(ran, { timeout: 5_000 }).toBe(true);
  });

  it('invokes a function, which says what it makes of the event', async () => {
    const lambda = new LambdaClient(options());
    const answer = await lambda.send(
      new InvokeCommand({
        FunctionName: 'ebs-failover-main-intake',
        Payload: new TextEncoder().encode('{"not":"an event"}'),
      }),
    );
    expect(answer.StatusCode).toBe(200);
    expect(JSON.parse(new TextDecoder().decode(answer.Payload))).toHaveProperty('errorType');
  });

  it('serves Marathon, Mesos and Slack by path', async () => {
    const marathon = await fetch(`${local.endpoint}/service/marathon/v2/info`);
    expect(await marathon.json()).toMatchObject({ name: 'marathon' });
    const mesos = await fetch(`${local.endpoint}/mesos/api/v1`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json' },
      body: '{"type":"GET_AGENTS"}',
    });
    expect(await mesos.json()).toMatchObject({ type: 'GET_AGENTS' });
    const slack = await fetch(`${local.endpoint}/slack/api/auth.test`, { method: 'POST' });
    expect(await slack.json()).toEqual({ ok: false, error: 'not_authed' });
  });

  it('serves the public addresses of functions, and Slack to be read and pressed by hand', async () => {
    const url = `${local.endpoint}/function-urls/ebs-failover-main-slackActions`;
    const pressed = await fetch(url, {
      method: 'POST',
      body: new URLSearchParams({ payload: '{}' }),
    });
    expect([pressed.status, await pressed.text()]).toEqual([401, 'it is not signed']);
    const closed = await fetch(`${local.endpoint}/function-urls/ebs-failover-main-operate`);
    expect(closed.status).toBe(403);
    expect((await fetch(`${local.endpoint}/slack/messages`)).status).toBe(200);
    const body = new URLSearchParams({ action: 'hold' });
    const press = await fetch(`${local.endpoint}/slack/press`, { method: 'POST', body });
    expect([press.status, await press.text()]).toEqual([400, 'no message has a button hold\n']);
  });

  it('says so when nobody is meant by a request', async () => {
    const nobody = await fetch(`${local.endpoint}/favicon.ico`);
    expect(nobody.status).toBe(502);
    expect(await nobody.text()).toContain('ENOTFOUND');
  });

  it('breaks the connection when the emulated one breaks', async () => {
    const reset = new WireError('ECONNRESET', 'read ECONNRESET');
    local.world.faults.intercept = () => ({ dropAnswer: reset });
    await expect(fetch(`${local.endpoint}/mesos/version`)).rejects.toThrow();
    delete local.world.faults.intercept;
    expect((await fetch(`${local.endpoint}/mesos/version`)).status).toBeLessThan(500);
  });

  it('refuses a port that is taken', async () => {
    const port = Number(new URL(local.endpoint).port);
    await expect(startLocal({ port, withFailover: false })).rejects.toThrow('EADDRINUSE');
  });
});
