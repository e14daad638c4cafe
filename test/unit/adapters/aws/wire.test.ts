import { EC2Client } from '@aws-sdk/client-ec2';
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { InvokeCommand, LambdaClient, ListFunctionsCommand } from '@aws-sdk/client-lambda';
import { SFNClient } from '@aws-sdk/client-sfn';
import { describe, expect, it } from 'vitest';
import { awsClientOptions } from '../../../../src/adapters/aws-sdk/client-options.ts';
import { createSdkRequestHandler } from '../../../../src/adapters/aws-sdk/request-handler.ts';
import { createPowerControl } from '../../../../src/adapters/ec2/power-control.ts';
import { createEc2Reads } from '../../../../src/adapters/ec2/reads.ts';
import { createSafekeeping } from '../../../../src/adapters/ec2/safekeeping.ts';
import { createVolumeControl } from '../../../../src/adapters/ec2/volume-control.ts';
import { createWorkflow } from '../../../../src/adapters/step-functions/workflow.ts';
import type { HttpResponse } from '../../../../src/ports/http.ts';
import {
  agent,
  logsVolume,
  lostConnection,
  mysqlVolume,
  networkAnswering,
  requestId,
  textOf,
} from './support.ts';

/** A real client of the SDK over a network that answers always the same. */
const clientOver = (answer: Partial<HttpResponse> | Error) => {
  const network = networkAnswering(answer);
  const options = awsClientOptions({
    region: 'us-east-1',
    send: network.send,
    credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret' },
  });
  return { options, sent: network.sent, ec2: new EC2Client(options) };
};

const ec2Answer = (action: string, members: string): string =>
  `<${action}Response xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">` +
  `<requestId>${requestId}</requestId>${members}</${action}Response>`;
const ec2Error = (code: string, message: string): string =>
  '<?xml version="1.0" encoding="UTF-8"?>\n' +
  `<Response><Errors><Error><Code>${code}</Code><Message>${message}</Message></Error></Errors>` +
  `<RequestID>${requestId}</RequestID></Response>`;

const clusterTag = { key: 'ebs-failover:cluster', value: 'east' };

describe('a client of the SDK over the one door to the network', () => {
  it('sends a signed request and reads the answer', async () => {
    const { ec2, sent } = clientOver({
      // EC2 repeats the id of the answer in this header, the only place the SDK looks at.
      headers: { 'x-amzn-requestid': requestId },
      body: ec2Answer('StopInstances', '<instancesSet/>'),
    });
    const answer = await createPowerControl({ client: ec2 }).stop(agent, 'force-skip');
    expect(answer).toEqual({ kind: 'accepted', receipt: { requestId } });
    expect(sent[0]).toMatchObject({ method: 'POST', url: 'https://ec2.us-east-1.amazonaws.com/' });
    expect(sent[0]?.headers.authorization).toContain('Credential=AKIDEXAMPLE/');
    expect(Object.fromEntries(new URLSearchParams(textOf(sent[0]?.body)))).toEqual({
      Action: 'StopInstances',
      Version: '2016-11-15',
      'InstanceId.1': agent,
      SkipOsShutdown: 'true',
      Force: 'true',
    });
  });

  it.each([
    ['an empty element', '<volumeSet/>'],
    ['no element at all', ''],
  ])('reads %s as an empty list', async (_case, members) => {
    const { ec2 } = clientOver({ body: ec2Answer('DescribeVolumes', members) });
    expect(await createEc2Reads({ client: ec2, clusterTag }).volumesOf(agent)).toEqual([]);
  });

  it('surfaces EC2’s own error code', async () => {
    const message = `Volume '${mysqlVolume}' is in the 'available' state.`;
    const { ec2 } = clientOver({ status: 400, body: ec2Error('IncorrectState', message) });
    const control = createVolumeControl({ client: ec2 });
    expect(await control.detach(mysqlVolume, agent, { force: false })).toEqual({
      kind: 'not-attached',
      code: 'IncorrectState',
    });
  });

  it('asks once, even when AWS asks to try again', async () => {
    const body = ec2Error('RequestLimitExceeded', 'Request limit exceeded.');
    const { ec2, sent } = clientOver({ status: 503, body });
    const stop = createPowerControl({ client: ec2 }).stop(agent, 'skip');
    await expect(stop).rejects.toMatchObject({ name: 'CloudThrottledError' });
    expect(sent).toHaveLength(1);
  });

  it.each([
    ['a connection lost', lostConnection(), 'ECONNRESET'],
    ['a gateway that broke', { status: 502, body: 'bad gateway' }, 'unreadable HTTP 502'],
    ['half an answer', { status: 200, body: '<StopInst' }, 'unreadable HTTP 200'],
  ])('does not guess after %s', async (_case, answer, code) => {
    const stop = createPowerControl({ client: clientOver(answer).ec2 }).stop(agent, 'skip');
    await expect(stop).rejects.toMatchObject({ name: 'CloudAmbiguousError', details: { code } });
    const reads = createEc2Reads({ client: clientOver(answer).ec2, clusterTag });
    await expect(reads.instance(agent)).rejects.toMatchObject({ name: 'CloudUnavailableError' });
  });

  it('reads the error codes of the JSON protocols', async () => {
    const body = JSON.stringify({
      __type: 'com.amazonaws.swf.service.v2.model#ExecutionAlreadyExists',
      message: 'exists',
    });
    const { options, sent } = clientOver({ status: 400, body });
    const stateMachineArn = 'arn:aws:states:us-east-1:123456789012:stateMachine:failover';
    const stateMachineArns = { failover: stateMachineArn, drain: stateMachineArn };
    const workflow = createWorkflow({ client: new SFNClient(options), stateMachineArns });
    expect(await workflow.start('failover', 'fo-1', {})).toBe(workflow.arnOf('failover', 'fo-1'));
    expect(sent[0]?.headers['x-amz-target']).toBe('AWSStepFunctions.StartExecution');
  });

  it('sends bytes and query strings as they are', async () => {
    const { options, sent } = clientOver({ status: 202, body: '{}' });
    const client = new LambdaClient({ ...options, endpoint: 'http://127.0.0.1:4566' });
    const Payload = new TextEncoder().encode('{"warmUp":true}');
    await client.send(new InvokeCommand({ FunctionName: 'adopt', Payload }));
    await client.send(new ListFunctionsCommand({ Marker: 'a b', MaxItems: 2 }));
    const base = 'http://127.0.0.1:4566/2015-03-31/functions';
    expect(sent.map(({ url }) => url)).toEqual([
      `${base}/adopt/invocations`,
      `${base}?Marker=a%20b&MaxItems=2`,
    ]);
    expect(textOf(sent[0]?.body)).toBe('{"warmUp":true}');
    expect(sent[1]).not.toHaveProperty('body');
  });

  it('writes the flag out for every device, in one call', async () => {
    const { ec2, sent } = clientOver({
      body: ec2Answer('ModifyInstanceAttribute', '<return>true</return>'),
    });
    await createSafekeeping({ client: ec2 }).keepOnTermination(agent, [
      { device: '/dev/xvdf', volumeId: mysqlVolume },
      { device: '/dev/xvdg', volumeId: logsVolume },
    ]);
    expect(sent).toHaveLength(1);
    const body = textOf(sent[0]?.body);
    expect(devicesWithoutFlag(body)).toEqual([]);
    // The same look at a request that leaves a flag out, which EC2 would read as true.
    const planted = body.replace('&BlockDeviceMapping.2.Ebs.DeleteOnTermination=false', '');
    expect(devicesWithoutFlag(planted)).toEqual(['/dev/xvdg']);
  });

  it('hands the reason of an abort on to the network', async () => {
    const aborted = new AbortController();
    const { options, sent } = clientOver({ body: '{"FailedEntryCount":0,"Entries":[]}' });
    const client = new EventBridgeClient(options);
    await client.send(new PutEventsCommand({ Entries: [{}] }), { abortSignal: aborted.signal });
    expect(sent[0]?.signal).toBe(aborted.signal);
  });

  it('refuses a body that it could send only in part', async () => {
    const { handle } = createSdkRequestHandler(networkAnswering({}).send);
    const request = { method: 'POST', protocol: 'https:', hostname: 'a.b', path: '/', query: {} };
    const streamed = { ...request, headers: {}, body: new ReadableStream() };
    await expect(handle(streamed as unknown as Parameters<typeof handle>[0])).rejects.toThrow(
      'only text and bytes',
    );
  });
});

const devicesWithoutFlag = (body: string): string[] => {
  const request = new URLSearchParams(body);
  return [...request]
    .filter(([name]) => name.endsWith('.DeviceName'))
    .filter(([name]) => {
      const flag = name.replace('DeviceName', 'Ebs.DeleteOnTermination');
      return request.get(flag) !== 'false';
    })
    .map(([, device]) => device);
};
