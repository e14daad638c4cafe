import { readFileSync } from 'node:fs';
import { DescribeAutoScalingGroupsCommand } from '@aws-sdk/client-auto-scaling';
import { GetItemCommand, ListTablesCommand } from '@aws-sdk/client-dynamodb';
import {
  CreateTagsCommand,
  DeleteTagsCommand,
  DescribeInstancesCommand,
  DescribeVolumesCommand,
  type Instance,
} from '@aws-sdk/client-ec2';
import { PutEventsCommand, type PutEventsRequestEntry } from '@aws-sdk/client-eventbridge';
import { InvokeCommand } from '@aws-sdk/client-lambda';
import { GetSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { DescribeExecutionCommand, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clientsOf } from './clients.ts';
import { launch, launchReady, type Running } from './process.ts';

/**
 * One process for the whole file, as a person would start it. The failover that takes real time is
 * begun first and looked at last; everything else happens beside it, on other agents.
 */
let local: Running;
let clients: ReturnType<typeof clientsOf>;
let readyAt: number;
/** The agent that is failed over, and one that nobody has a reason to touch. */
let failing: string;
let spare: string;
let failover: string;

const variable = (name: string): string => local.variables[name] ?? '';

const startByHand = async (input: string): Promise<string> => {
  const stateMachineArn = variable('STATE_MACHINE_ARN');
  const command = new StartExecutionCommand({ stateMachineArn, input });
  return (await clients.states.send(command)).executionArn ?? '';
};

const ended = async (executionArn: string, timeout = 10_000) => {
  const describeIt = () => clients.states.send(new DescribeExecutionCommand({ executionArn }));
  await expect
    .poll(async () => (await describeIt()).status, { timeout, interval: 250 })
    .not.toBe('RUNNING');
  return describeIt();
};

const agents = async (): Promise<Instance[]> => {
  const { Reservations = [] } = await clients.ec2.send(new DescribeInstancesCommand({}));
  return Reservations.flatMap(({ Instances = [] }) => Instances);
};

const stateOf = async (instanceId: string): Promise<string | undefined> =>
  (await agents()).find(({ InstanceId }) => InstanceId === instanceId)?.State?.Name;

/** Calls by functions of the service that change something, as the cloud prints them. */
const mutations = (target: string): string[] =>
  local
    .lines()
    .filter((line) => / call {2,}/.test(line) && line.includes(target))
    .filter((line) => !/by (?:REX-Ray|a person)/.test(line));

const put = async (entry: PutEventsRequestEntry) => {
  const { Entries = [] } = await clients.events.send(new PutEventsCommand({ Entries: [entry] }));
  return Entries[0];
};

/** The files come from another account and region: what is at home there shall be at home here. */
const atHome: Readonly<Record<string, string>> = {
  '210987654321': '123456789012',
  'eu-central-1': 'us-east-1',
  'us-east-1': 'eu-central-1',
};

/** The event of a file, about the spare agent, handed to intake as EventBridge would. */
const invokeIntake = async (file: string): Promise<{ errorType: string; errorMessage: string }> => {
  const path = new URL(`../fixtures/events/${file}`, import.meta.url);
  const document = readFileSync(path, 'utf8')
    .replaceAll(/i-[0-9a-f]{17}/g, spare)
    .replaceAll(new RegExp(Object.keys(atHome).join('|'), 'g'), (there) => atHome[there] ?? there);
  const answer = await clients.lambda.send(
    new InvokeCommand({
      FunctionName: 'ebs-failover-main-intake',
      Payload: new TextEncoder().encode(document),
    }),
  );
  expect(answer.FunctionError).toBe('Unhandled');
  return JSON.parse(new TextDecoder().decode(answer.Payload));
};

beforeAll(async () => {
  local = await launchReady('--port', '0');
  readyAt = Date.now();
  clients = clientsOf(local.variables);
  failing = variable('INSTANCE_ID');
  const others = (await agents()).filter(({ InstanceId }) => InstanceId !== failing);
  spare = others[0]?.InstanceId ?? '';
  failover = await startByHand(JSON.stringify({ instanceId: failing, reason: 'drill' }));
});
afterAll(() => local?.child.kill('SIGKILL'));

describe('what it prints', () => {
  it('names everything a person needs to talk to it', () => {
    expect(local.variables).toMatchObject({
      AWS_ENDPOINT_URL: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: expect.any(String),
      AWS_SECRET_ACCESS_KEY: expect.any(String),
      DCOS_URL: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
      INSTANCE_ID: expect.stringMatching(/^i-[0-9a-f]{17}$/),
      STATE_MACHINE_ARN: expect.stringContaining(':stateMachine:'),
    });
    const commands = local.lines().filter((line) => /^(?:aws|curl) /.test(line));
    expect(commands).toHaveLength(3);
  });

  it('is plain text of at most 80 columns where nobody watches', () => {
    const text = local.stdout();
    expect(text).not.toContain('\u001b');
    const news = text.split('\n').filter((line) => /^\d\d:\d\d:\d\d /.test(line));
    expect(news.length).toBeGreaterThan(0);
    expect(news.filter((line) => line.length > 80)).toEqual([]);
  });
});

describe('what answers', () => {
  it('describes the agents', async () => {
    const described = await agents();
    expect(described.length).toBeGreaterThanOrEqual(4);
    expect(await stateOf(spare)).toBe('running');
  });

  it('answers the clients of every other service', async () => {
    const { autoScaling, dynamodb, secrets, lambda } = clients;
    const groups = await autoScaling.send(new DescribeAutoScalingGroupsCommand({}));
    expect(groups.AutoScalingGroups?.[0]?.Instances?.length).toBeGreaterThanOrEqual(3);
    expect((await dynamodb.send(new ListTablesCommand({}))).TableNames).toHaveLength(1);
    const secret = new GetSecretValueCommand({ SecretId: 'ebs-failover/slack-token' });
    expect((await secrets.send(secret)).SecretString).toBeTruthy();
    const adopt = new InvokeCommand({ FunctionName: 'ebs-failover-main-adopt' });
    const { Payload } = await lambda.send(adopt);
    expect(JSON.parse(new TextDecoder().decode(Payload))).toMatchObject({ kind: 'adopted' });
  });

  it('lets the dead-letter queue be read at the address it printed', async () => {
    const answer = await fetch(variable('DEAD_LETTERS'), {
      method: 'POST',
      headers: { 'x-amz-target': 'AmazonSQS.GetQueueAttributes' },
      body: JSON.stringify({ QueueUrl: variable('DEAD_LETTERS'), AttributeNames: ['All'] }),
    });
    expect(await answer.json()).toMatchObject({
      Attributes: { ApproximateNumberOfMessages: expect.any(String) },
    });
  });

  it('answers for Mesos and Marathon', async () => {
    const mesos = await fetch(`${variable('DCOS_URL')}/mesos/api/v1`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json' },
      body: '{"type":"GET_AGENTS"}',
    });
    expect(await mesos.json()).toMatchObject({ type: 'GET_AGENTS' });
    const marathon = await fetch(`${variable('DCOS_URL')}/service/marathon/v2/apps//mysql`);
    expect(await marathon.json()).toMatchObject({ app: { id: '/mysql' } });
  });
});

describe('what is refused at the door', () => {
  it('refuses requests signed for another region', async () => {
    const { ec2, autoScaling, states } = clientsOf(local.variables, 'eu-west-1');
    const message = "Credential should be scoped to a valid region, not 'eu-west-1'.";
    const wrong = { name: 'SignatureDoesNotMatch', message };
    await expect(ec2.send(new DescribeInstancesCommand({}))).rejects.toMatchObject(wrong);
    const groups = autoScaling.send(new DescribeAutoScalingGroupsCommand({}));
    await expect(groups).rejects.toMatchObject(wrong);
    const execution = new DescribeExecutionCommand({ executionArn: failover });
    await expect(states.send(execution)).rejects.toMatchObject({
      name: 'InvalidSignatureException',
      message,
    });
  });

  it('knows nothing of another account', async () => {
    const elsewhere = (text: string): string => text.replace('123456789012', '999999999999');
    const start = new StartExecutionCommand({
      stateMachineArn: elsewhere(variable('STATE_MACHINE_ARN')),
      input: JSON.stringify({ instanceId: spare, reason: 'drill' }),
    });
    await expect(clients.states.send(start)).rejects.toMatchObject({
      name: 'StateMachineDoesNotExist',
    });
    const FunctionName = 'arn:aws:lambda:us-east-1:999999999999:function:ebs-failover-main-intake';
    await expect(clients.lambda.send(new InvokeCommand({ FunctionName }))).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
    });
    const EventBusName = 'arn:aws:events:us-east-1:999999999999:event-bus/default';
    const entry = { Source: 'my.app', DetailType: 'drill', Detail: '{}', EventBusName };
    expect(await put(entry)).toMatchObject({ ErrorCode: 'ResourceNotFoundException' });
  });

  it.each([
    ['ec2-other-account.json', 'account'],
    ['ec2-other-region.json', 'region'],
    ['alarm-composite.json', 'composite alarm, which names no instance'],
    ['ec2-malformed-id.json', 'is no instance id'],
  ])('says what is wrong with %s and touches nothing', async (file, words) => {
    const { errorType, errorMessage } = await invokeIntake(file);
    expect(errorType).toBe('SignalRefusedError');
    expect(errorMessage).toContain(words);
    expect(await stateOf(spare)).toBe('running');
    expect(mutations(spare)).toEqual([]);
  });

  it('refuses an event in the name of AWS that no rule waits for', async () => {
    const detail = JSON.stringify({ 'instance-id': spare, state: 'stopped' });
    const entry = { Source: 'aws.ec2', DetailType: 'EC2 Instance Nonsense', Detail: detail };
    expect(await put(entry)).toEqual({
      ErrorCode: 'NotAuthorizedForSourceException',
      ErrorMessage: 'Not authorized for the source aws.ec2: no rule waits for such an event.',
    });
  });

  it('shows an event of another source that goes nowhere', async () => {
    const entry = { Source: 'my.app', DetailType: 'Order Placed', Detail: '{}' };
    expect(await put(entry)).toMatchObject({ EventId: expect.any(String) });
    expect(local.lines().join('\n')).toContain('my.app Order Placed: no rule matches');
  });

  it.each([
    ['{nonsense', 'InvalidExecutionInput'],
    ['', 'InvalidExecutionInput'],
  ])('starts nothing for the input %j', async (input, name) => {
    await expect(startByHand(input)).rejects.toMatchObject({ name });
  });

  it.each([
    ['an instance that does not exist', { instanceId: 'i-00000000000000000' }, 'unknown to EC2'],
    ['an id that is none', { instanceId: 'agent-1' }, 'must be an EC2 instance id'],
    ['no instance', { reason: 'drill' }, 'instanceId'],
    [
      'an option in another spelling',
      { instanceId: 'i-00000000000000000', dry_run: true },
      'dryRun',
    ],
    ['a list', ['i-00000000000000000'], 'expected record'],
  ])('fails an execution started for %s, and says why', async (_, input, words) => {
    const { status, cause } = await ended(await startByHand(JSON.stringify(input)));
    expect(status).toBe('FAILED');
    expect(cause).toContain(words);
  });
});

describe('what an event put by hand does', () => {
  it('goes the way of a real one, and an untrue one ends where the facts are read', async () => {
    const Detail = JSON.stringify({ 'instance-id': spare, state: 'stopped' });
    const DetailType = 'EC2 Instance State-change Notification';
    expect(await put({ Source: 'aws.ec2', DetailType, Detail })).toMatchObject({
      EventId: expect.any(String),
    });
    const said = (): string => local.lines().join('\n');
    await expect.poll(said, { timeout: 10_000 }).toMatch(`${spare} ended: cancelled`);
    expect(mutations(spare)).toEqual([]);
    expect(await stateOf(spare)).toBe('running');
  });

  it('is refused with a record where it names an instance that does not exist', async () => {
    const Detail = JSON.stringify({ 'instance-id': 'i-0000000000000dead', state: 'stopped' });
    await put({ Source: 'aws.ec2', DetailType: 'EC2 Instance State-change Notification', Detail });
    const said = (): string => local.lines().join('\n');
    await expect
      .poll(said, { timeout: 10_000 })
      .toContain('intake: invocation failed: refused: i-0000000000000dead is unknown to EC2');
  });
});

describe('a machine that is not of this cluster', () => {
  /** The group has launched it for the fenced agent: nobody knows it yet. */
  const stranger = async (): Promise<string> => {
    const pendingOrNew = async (): Promise<string | undefined> =>
      (await agents()).find(
        ({ Tags = [], State }) =>
          State?.Name === 'running' && !Tags.some(({ Key }) => Key === 'Name'),
      )?.InstanceId;
    await expect.poll(pendingOrNew, { timeout: 30_000, interval: 500 }).toBeTruthy();
    return (await pendingOrNew()) ?? '';
  };

  it.each([
    ['carries no cluster tag', []],
    ["carries another cluster's tag", [{ Key: 'ebs-failover:cluster', Value: 'other' }]],
  ])('is refused when it %s', async (_, Tags) => {
    const instanceId = await stranger();
    const Resources = [instanceId];
    const Key = 'ebs-failover:cluster';
    await clients.ec2.send(new DeleteTagsCommand({ Resources, Tags: [{ Key }] }));
    if (Tags.length > 0) await clients.ec2.send(new CreateTagsCommand({ Resources, Tags }));
    const input = JSON.stringify({ instanceId, reason: 'drill' });
    const { status, error, cause } = await ended(await startByHand(input));
    expect({ status, error }).toEqual({ status: 'FAILED', error: 'SignalRefusedError' });
    expect(cause).toContain(Tags.length > 0 ? 'other' : 'cluster');
    expect(mutations(instanceId)).toEqual([]);
    expect(await stateOf(instanceId)).toBe('running');
  });
});

describe('the failover that a person started', () => {
  it('ends recovered, with the service on another agent and its volume there', async () => {
    const { status, output = '{}' } = await ended(failover, 90_000);
    expect(status).toBe('SUCCEEDED');
    expect(JSON.parse(output)).toMatchObject({ instanceId: failing, status: 'recovered' });
    expect(await stateOf(failing)).toBe('stopped');

    const described = await agents();
    const ipOf = (id: string) =>
      described.find(({ InstanceId }) => InstanceId === id)?.PrivateIpAddress;
    const marathon = await fetch(`${variable('DCOS_URL')}/service/marathon/v2/apps//mysql/tasks`);
    const { tasks } = (await marathon.json()) as { tasks: { host: string; state: string }[] };
    expect(tasks).toHaveLength(1);
    expect(tasks[0]?.state).toBe('TASK_RUNNING');
    expect(tasks[0]?.host).not.toBe(ipOf(failing));

    const Filters = [{ Name: 'tag:Name', Values: ['mysql'] }];
    const { Volumes = [] } = await clients.ec2.send(new DescribeVolumesCommand({ Filters }));
    const [attachment] = Volumes[0]?.Attachments ?? [];
    expect(ipOf(attachment?.InstanceId ?? '')).toBe(tasks[0]?.host);
    expect(mutations(failing).filter((line) => line.includes('StopInstances'))).toHaveLength(1);
  }, 100_000);

  it('told its story in order, Slack included', async () => {
    const story = local.lines().join('\n');
    const marks = [
      `${failing} started`,
      `${failing} FenceAgent`,
      `StopInstances ${failing} by FenceAgent`,
      `${failing} is stopped`,
      'by ReleaseVolume',
      '/mysql TASK_GONE_BY_OPERATOR',
      'by REX-Ray',
      '/mysql is healthy',
      `${failing} ended: recovered`,
    ];
    const places = marks.map((mark) => story.indexOf(mark));
    expect(places).not.toContain(-1);
    expect(places).toEqual(places.toSorted((a, b) => a - b));
    const told = (): string => local.lines().join('\n');
    await expect.poll(told, { timeout: 10_000 }).toMatch(/ slack .*recovered/);
  });
});

describe('the rest of its life', () => {
  it('sweeps every minute by itself', async () => {
    const TableName = (await clients.dynamodb.send(new ListTablesCommand({}))).TableNames?.[0];
    const seenAt = async (): Promise<number> => {
      const Key = { pk: { S: `AGENT#${spare}` }, sk: { S: 'INVENTORY' } };
      const { Item } = await clients.dynamodb.send(new GetItemCommand({ TableName, Key }));
      return Number(Item?.seenAt?.N ?? 0);
    };
    await expect.poll(seenAt, { timeout: 65_000, interval: 500 }).toBeGreaterThan(readyAt);
  }, 70_000);

  it('tells in one line that its port is in use', async () => {
    const { port } = new URL(variable('AWS_ENDPOINT_URL'));
    const second = launch('--port', port);
    expect(await second.ended).toBe(2);
    expect(second.stderr()).toMatch(/^port \d+ is in use: .*--port N\n$/);
    expect(second.lines()).toEqual(['']);
  });

  it('ends with exit code 0 on Ctrl-C, having complained of nothing', async () => {
    local.child.kill('SIGINT');
    expect(await local.ended).toBe(0);
    expect(local.stderr()).toBe('');
    expect(local.lines().at(-2)).toBe('The cloud is down.');
  });
});
