import {
  CancelSpotInstanceRequestsCommand,
  DescribeInstancesCommand,
  DescribeSpotInstanceRequestsCommand,
  StartInstancesCommand,
  StopInstancesCommand,
  TerminateInstancesCommand,
} from '@aws-sdk/client-ec2';
import { describe, expect, it } from 'vitest';
import type { InstanceSpec } from '../../../emulator/services/ec2/launch.ts';
import type { SpotAction } from '../../../emulator/services/ec2/model.ts';
import { GRACEFUL_LIMIT_MS, START_MS } from '../../../emulator/services/ec2/power.ts';
import { bench, refusalOf, ZONE } from './kit.ts';

const MINUTE = 60_000;

const spotMachine = (spec: Partial<InstanceSpec> = {}) => {
  const world = bench();
  const { client, ec2 } = world;
  const id = ec2.seedInstance({ availabilityZone: ZONE, spot: 'persistent', ...spec });
  const requestId = ec2.truth().instances[0]?.spot?.requestId ?? '';
  const request = async () => {
    const command = new DescribeSpotInstanceRequestsCommand({
      SpotInstanceRequestIds: [requestId],
    });
    const [found] = (await client.send(command)).SpotInstanceRequests ?? [];
    return { type: found?.Type, state: found?.State, status: found?.Status?.Code };
  };
  const named = (type: string) => world.events.filter((event) => event['detail-type'] === type);
  return {
    ...world,
    id,
    requestId,
    request,
    named,
    state: () => ec2.status(id).state,
    reason: () => ec2.truth().instances[0]?.stateReason?.code,
    stop: () => client.send(new StopInstancesCommand({ InstanceIds: [id], SkipOsShutdown: true })),
    start: () => client.send(new StartInstancesCommand({ InstanceIds: [id] })),
    cancel: () =>
      client.send(new CancelSpotInstanceRequestsCommand({ SpotInstanceRequestIds: [requestId] })),
  };
};

const WARNING = 'EC2 Spot Instance Interruption Warning';

// EC2 User Guide, "Spot Instance interruption notices", "EC2 instance rebalance recommendations".
describe('an interruption', () => {
  it('is told two minutes ahead, with the zone in the place of the region', () => {
    const world = spotMachine();
    world.ec2.interruptSpot(world.id, 'terminate');
    expect(world.events).toEqual([
      {
        version: '0',
        id: expect.any(String),
        'detail-type': WARNING,
        source: 'aws.ec2',
        account: '123456789012',
        time: '2026-11-22T21:00:00Z',
        region: 'us-east-1',
        resources: [`arn:aws:ec2:us-east-1a:instance/${world.id}`],
        detail: { 'instance-id': world.id, 'instance-action': 'terminate' },
      },
    ]);
    world.time.advance(2 * MINUTE - 1);
    expect(world.state()).toBe('running');
    world.time.advance(1);
    expect(world.state()).toBe('shutting-down');
    expect(world.reason()).toBe('Server.SpotInstanceTermination');
  });

  it.each<[SpotAction, number]>([
    ['stop', 2 * MINUTE],
    // "Hibernation begins immediately": no time is left.
    ['hibernate', 0],
  ])('by %s comes %i ms after its warning', async (action, ms) => {
    const world = spotMachine();
    world.ec2.interruptSpot(world.id, action);
    expect((await world.request()).status).toBe('marked-for-stop');
    world.time.advance(ms);
    expect(world.state()).toBe('stopping');
    world.time.advance(GRACEFUL_LIMIT_MS);
    expect(world.state()).toBe('stopped');
    expect(world.reason()).toBe('Server.SpotInstanceShutdown');
    expect(world.named(WARNING)).toHaveLength(1);
  });

  it('may be preceded by a recommendation to rebalance', () => {
    const world = spotMachine();
    world.ec2.interruptSpot(world.id, 'stop', { rebalanceMs: 5 * MINUTE });
    expect(world.events).toMatchObject([
      {
        'detail-type': 'EC2 Instance Rebalance Recommendation',
        resources: [`arn:aws:ec2:us-east-1:123456789012:instance/${world.id}`],
        detail: { 'instance-id': world.id },
      },
    ]);
    world.time.advance(5 * MINUTE);
    expect(world.named(WARNING)).toHaveLength(1);
    world.time.advance(2 * MINUTE);
    expect(world.state()).toBe('stopping');
  });

  it('need not follow a recommendation', () => {
    const world = spotMachine();
    world.ec2.recommendRebalance(world.id);
    world.time.advance(60 * MINUTE);
    expect(world.state()).toBe('running');
  });

  it('leaves alone a machine that was stopped by somebody else meanwhile', () => {
    const world = spotMachine();
    world.ec2.interruptSpot(world.id, 'terminate');
    world.ec2.stop(world.id, { skipOsShutdown: true });
    world.time.advance(10 * MINUTE);
    expect(world.state()).toBe('stopped');
  });

  it('is for Spot Instances, and by stop for those of persistent requests', () => {
    const world = spotMachine({ spot: 'one-time' });
    expect(() => world.ec2.interruptSpot(world.id, 'stop')).toThrow(/one-time/);
    const other = world.ec2.seedInstance({ availabilityZone: ZONE });
    expect(() => world.ec2.interruptSpot(other, 'terminate')).toThrow(/no Spot Instance/);
  });
});

// EC2 User Guide, "Manage your Spot Instances"; API reference, CancelSpotInstanceRequests.
describe('a Spot request', () => {
  it('is told with the machine it was fulfilled by', async () => {
    const world = spotMachine();
    expect(await world.request()).toEqual({
      type: 'persistent',
      state: 'active',
      status: 'fulfilled',
    });
    const command = new DescribeInstancesCommand({ InstanceIds: [world.id] });
    const [reservation] = (await world.client.send(command)).Reservations ?? [];
    expect(reservation?.Instances?.[0]).toMatchObject({
      InstanceLifecycle: 'spot',
      SpotInstanceRequestId: world.requestId,
    });
    const all = await world.client.send(
      new DescribeSpotInstanceRequestsCommand({
        Filters: [{ Name: 'instance-id', Values: [world.id] }],
      }),
    );
    expect(all.SpotInstanceRequests).toHaveLength(1);
    const unknown = new CancelSpotInstanceRequestsCommand({ SpotInstanceRequestIds: ['sir-0'] });
    expect(await refusalOf(world.client.send(unknown))).toBe(
      'InvalidSpotInstanceRequestID.NotFound',
    );
  });

  it('that is persistent starts again what EC2 stopped, when there is capacity', async () => {
    const world = spotMachine();
    const before = world.ec2.machine(world.id)?.launchTime ?? 0;
    world.ec2.interruptSpot(world.id, 'stop');
    world.time.advance(2 * MINUTE + GRACEFUL_LIMIT_MS);
    expect(await world.request()).toMatchObject({
      state: 'open',
      status: 'instance-stopped-no-capacity',
    });
    world.time.advance(60 * MINUTE);
    expect(world.state()).toBe('stopped');
    world.ec2.returnSpotCapacity(world.id);
    world.time.advance(START_MS);
    expect(world.state()).toBe('running');
    expect(world.ec2.machine(world.id)?.launchTime).toBeGreaterThan(before);
    expect(await world.request()).toMatchObject({ state: 'active', status: 'fulfilled' });
    const [event] = world.named('EC2 Spot Instance Request Fulfillment');
    expect(event?.detail).toEqual({
      'spot-instance-request-id': world.requestId,
      'instance-id': world.id,
    });
  });

  it('that is persistent may start what we stopped, too, until it is cancelled', async () => {
    const restless = spotMachine({ spotRestartMs: MINUTE });
    await restless.stop();
    restless.time.advance(5 * MINUTE);
    expect(restless.state()).toBe('running');
    const cancelled = spotMachine({ spotRestartMs: MINUTE });
    await cancelled.stop();
    await cancelled.cancel();
    cancelled.time.advance(60 * MINUTE);
    cancelled.ec2.returnSpotCapacity(cancelled.id);
    expect(cancelled.state()).toBe('stopped');
    expect(await refusalOf(cancelled.start())).toBe('IncorrectSpotRequestState');
  });

  it('of a kind that waits for a person says so', async () => {
    const world = spotMachine();
    await world.stop();
    world.time.advance(5 * MINUTE);
    expect(await world.request()).toMatchObject({
      state: 'disabled',
      status: 'instance-stopped-by-user',
    });
    expect(world.state()).toBe('stopped');
  });

  it('that is cancelled leaves its machine running, which can be terminated only', async () => {
    const world = spotMachine();
    const { CancelledSpotInstanceRequests } = await world.cancel();
    expect(CancelledSpotInstanceRequests).toEqual([
      { SpotInstanceRequestId: world.requestId, State: 'cancelled' },
    ]);
    expect(world.state()).toBe('running');
    expect(await refusalOf(world.stop())).toBe('UnsupportedOperation');
    await world.client.send(new TerminateInstancesCommand({ InstanceIds: [world.id] }));
    expect(world.state()).toBe('shutting-down');
  });

  it.each<Partial<InstanceSpec>>([{ spot: 'one-time' }, { spotInFleet: true }])(
    'of %j keeps its machine from being stopped',
    async (spec) => {
      const world = spotMachine(spec);
      expect(await refusalOf(world.stop())).toBe('UnsupportedOperation');
      expect(world.state()).toBe('running');
    },
  );

  it('that is one-time is closed with its machine', async () => {
    const world = spotMachine({ spot: 'one-time' });
    world.ec2.interruptSpot(world.id, 'terminate');
    world.time.advance(10 * MINUTE);
    expect(await world.request()).toMatchObject({
      state: 'closed',
      status: 'instance-terminated-no-capacity',
    });
  });
});
