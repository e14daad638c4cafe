import { afterEach, describe, expect, it } from 'vitest';
import { createRng } from '../../../emulator/core/random.ts';
import { createVirtualTime, type VirtualTime } from '../../../emulator/core/virtual-time.ts';
import { WireError, type WireRequest, type WireResponse } from '../../../emulator/core/wire.ts';
import {
  createNetwork,
  type Network,
  type NetworkFaults,
  type Origin,
} from '../../../emulator/network.ts';
import { createRouter } from '../../../emulator/routing.ts';
import { headersFor, START } from './fixture.ts';

let time: VirtualTime;
afterEach(() => time.uninstall());

/** A network with one service behind it that remembers what was applied, and when. */
const setUp = (faults: NetworkFaults = {}, latencyMs = 100) => {
  time = createVirtualTime(START);
  const applied: { at: number; request: WireRequest }[] = [];
  const network = createNetwork({
    time,
    rng: createRng(1),
    latency: { ec2: { p50: latencyMs, p99: latencyMs } },
    route: createRouter({ region: 'us-east-1', dcosHost: 'dcos.internal' }),
    services: {
      ec2: {
        handle: (request) => {
          applied.push({ at: time.now() - START, request });
          return { status: 200, headers: {}, body: 'done' };
        },
      },
    },
    faults,
  });
  return { network, applied };
};

const stop = {
  method: 'POST',
  url: 'https://ec2.us-east-1.amazonaws.com/',
  headers: headersFor('ec2', 'ASIAFenceAgentRole', ''),
  body: 'Action=StopInstances&InstanceId.1=i-1',
};

const createOrigin = (): Origin & { dead: boolean } => {
  const origin = {
    invocationId: 'inv-1',
    functionName: 'fenceAgent',
    dead: false,
    alive: () => !origin.dead,
    kill: () => {
      origin.dead = true;
    },
  };
  return origin;
};

/** Sends, lets an hour pass, and tells what came of it. */
const outcome = async (
  network: Network,
  request: Parameters<Network['send']>[0] = stop,
  origin?: Origin,
): Promise<string> => {
  let result = 'no answer';
  network.send(request, origin).then(
    (response) => {
      result = `${response.status} at ${time.now() - START}`;
    },
    (error) => {
      result = `${error.code || error.name} at ${time.now() - START}`;
    },
  );
  await time.run({ until: () => false, horizonMs: 3_600_000 });
  return result;
};

describe('the network', () => {
  it('spends half of the round trip before a request is applied and half after', async () => {
    const { network, applied } = setUp();
    expect(await outcome(network)).toBe('200 at 100');
    expect(applied).toMatchObject([{ at: 50 }]);
  });

  it('tells who asked: access key, function and invocation', async () => {
    const { network } = setUp();
    await outcome(network, stop, createOrigin());
    expect(network.calls()).toEqual([
      {
        at: START,
        answeredAt: START + 100,
        service: 'ec2',
        operation: 'StopInstances',
        accessKeyId: 'ASIAFenceAgentRole',
        functionName: 'fenceAgent',
        invocationId: 'inv-1',
        applied: true,
        status: 200,
      },
    ]);
  });

  it('counts the calls of functions, not those of people', async () => {
    const { network } = setUp();
    await outcome(network);
    await outcome(network, stop, createOrigin());
    expect(network.counts()).toEqual({ ec2: { StopInstances: 1 } });
    expect(network.counts(() => true)).toEqual({ ec2: { StopInstances: 2 } });
  });

  it('knows no host outside the emulated world, nor another region', async () => {
    const { network, applied } = setUp();
    for (const url of ['https://example.com/', 'https://ec2.eu-west-1.amazonaws.com/']) {
      expect(await outcome(network, { ...stop, url })).toMatch(/^ENOTFOUND/);
    }
    expect(applied).toEqual([]);
  });

  it('refuses the connection of a service that nobody attached', async () => {
    const { network } = setUp();
    const url = 'https://autoscaling.us-east-1.amazonaws.com/';
    expect(await outcome(network, { ...stop, url })).toMatch(/^ECONNREFUSED/);
  });

  it('lets nothing of a dead invocation through, and brings it no answer', async () => {
    const { network, applied } = setUp();
    const origin = createOrigin();
    time.after(40, origin.kill);
    expect(await outcome(network, stop, origin)).toBe('no answer');
    expect(applied).toEqual([]);
    expect(await outcome(network, stop, origin)).toBe('no answer');
    expect(network.calls()).toHaveLength(1);
  });

  it('keeps what was applied before the sender died', async () => {
    const { network, applied } = setUp();
    const origin = createOrigin();
    time.after(60, origin.kill);
    expect(await outcome(network, stop, origin)).toBe('no answer');
    expect(applied).toHaveLength(1);
  });

  it('rejects an aborted request although it may have been applied', async () => {
    const { network, applied } = setUp();
    const signal = AbortSignal.timeout(70);
    expect(await outcome(network, { ...stop, signal })).toBe(
      `${new DOMException('', 'TimeoutError').code} at 70`,
    );
    expect(applied).toHaveLength(1);
    const aborted = AbortSignal.abort();
    await outcome(network, { ...stop, signal: aborted });
    expect(applied).toHaveLength(1);
  });
});

describe('injected trouble', () => {
  const reset = new WireError('ECONNRESET', 'read ECONNRESET');

  it('drops a request before it is applied', async () => {
    const { network, applied } = setUp({ intercept: () => ({ dropRequest: reset }) });
    expect(await outcome(network)).toBe('ECONNRESET at 50');
    expect(applied).toEqual([]);
    expect(network.calls()).toMatchObject([{ status: 'ECONNRESET', applied: false }]);
    expect(network.counts(() => true)).toEqual({});
  });

  it('drops the answer to a request that was applied', async () => {
    const { network, applied } = setUp({ intercept: () => ({ dropAnswer: reset }) });
    expect(await outcome(network)).toBe('ECONNRESET at 100');
    expect(applied).toHaveLength(1);
  });

  it('hands on what the service answered in other words', async () => {
    const rewrite = (answer: WireResponse): WireResponse => ({ ...answer, status: 299 });
    const { network, applied } = setUp({ intercept: () => ({ rewrite }) });
    expect(await outcome(network)).toBe('299 at 100');
    expect(applied).toHaveLength(1);
  });

  it('answers in place of the service, later if told so', async () => {
    const answer = { status: 503, headers: {}, body: '' };
    const { network, applied } = setUp({ intercept: () => ({ answer, delayMs: 10_000 }) });
    expect(await outcome(network)).toBe('503 at 10100');
    expect(applied).toEqual([]);
  });

  it('chooses by caller and operation', async () => {
    const { network } = setUp({
      intercept: (_, { operation, accessKeyId }) =>
        operation === 'StopInstances' && accessKeyId === 'AKIAOTHER'
          ? { dropRequest: reset }
          : 'pass',
    });
    expect(await outcome(network)).toMatch(/^200/);
  });

  it.each([
    { moment: 'before', applications: 0 },
    { moment: 'applied', applications: 1 },
    { moment: 'answered', applications: 1 },
  ] as const)('crashes the sender $moment', async ({ moment, applications }) => {
    const { network, applied } = setUp({
      crashPoint: (info) => info.moment === moment && info.operation === 'StopInstances',
    });
    const origin = createOrigin();
    expect(await outcome(network, stop, origin)).toBe('no answer');
    expect(origin.dead).toBe(true);
    expect(applied).toHaveLength(applications);
  });
});

describe('the router', () => {
  const route = createRouter({ region: 'us-east-1', dcosHost: 'dcos.internal' });
  const request = (url: string, more: Partial<WireRequest> = {}): WireRequest => ({
    method: 'GET',
    url,
    headers: {},
    body: '',
    ...more,
  });

  it.each([
    [
      'https://dcos.internal/service/marathon/v2/apps//db/mysql?embed=app.tasks',
      'marathon',
      'GET /v2/apps/{app}',
    ],
    [
      'https://dcos.internal/service/marathon/v2/queue//db/mysql/delay',
      'marathon',
      'GET /v2/queue/{app}/delay',
    ],
    [
      'https://dcos.internal/marathon/v2/apps/mysql/tasks/mysql.1',
      'marathon',
      'GET /v2/apps/{app}/tasks/{task}',
    ],
    ['https://dcos.internal/agent/abc-S1/health', 'agent', 'GET /agent/{agentId}'],
    [
      'https://dcos.internal/dcos-metadata/dcos-version.json',
      'dcos',
      'GET /dcos-metadata/dcos-version.json',
    ],
    ['https://slack.com/api/chat.postMessage', 'slack', 'chat.postMessage'],
    ['http://127.0.0.1:4566/slack/api/chat.update', 'slack', 'chat.update'],
    ['http://127.0.0.1:4566/service/marathon/v2/info', 'marathon', 'GET /v2/info'],
    ['https://123456789012.ddb.us-east-1.amazonaws.com/', 'dynamodb', 'GET /'],
    ['http://localhost:4566/?Action=DescribeVolumes&Version=2016-11-15', 'ec2', 'DescribeVolumes'],
    [
      'http://localhost:4566/?Action=EnterStandby&Version=2011-01-01',
      'autoscaling',
      'EnterStandby',
    ],
  ])('sends %s to %s as %s', (url, service, operation) => {
    expect(route(request(url))).toEqual({ service, operation });
  });

  it('reads the Mesos call from the body', () => {
    const url = 'https://dcos.internal/mesos/api/v1';
    const body = '{"type":"MARK_AGENT_GONE","mark_agent_gone":{}}';
    expect(route(request(url, { method: 'POST', body }))).toEqual({
      service: 'mesos',
      operation: 'MARK_AGENT_GONE',
    });
  });

  it('tells services on the local port apart by signature, then by target', () => {
    const url = 'http://127.0.0.1:4566/';
    const signed = { headers: headersFor('autoscaling', 'A', ''), body: 'Action=EnterStandby' };
    expect(route(request(url, signed))?.service).toBe('autoscaling');
    const target = { headers: { 'x-amz-target': 'AWSStepFunctions.StartExecution' } };
    expect(route(request(url, target))).toEqual({ service: 'states', operation: 'StartExecution' });
    expect(route(request(url))).toBeUndefined();
  });
});
