import { afterEach, describe, expect, it } from 'vitest';
import { createVirtualTime, type VirtualTime } from '../../../emulator/core/virtual-time.ts';
import { createWorld, type World } from '../../../emulator/world.ts';
import { START } from './fixture.ts';

const ZONE = 'us-east-1a';
const MINUTE = 60_000;

let time: VirtualTime | undefined;
afterEach(() => {
  time?.uninstall();
  time = undefined;
});

/** A cloud without the service: every event goes unheard, so that all can be seen. */
const quietWorld = async (): Promise<{ world: World; heard: () => string[] }> => {
  time?.uninstall();
  time = createVirtualTime(START, 1);
  const world = await createWorld({ seed: 1, time, withFailover: false });
  const types: string[] = [];
  world.events.onUnheard((event) => types.push(event['detail-type']));
  return { world, heard: () => types };
};
const pass = (ms: number) => time?.run({ until: () => false, horizonMs: ms });

describe('what AWS does by itself', () => {
  it('is told on the default bus of the world', async () => {
    const { world, heard } = await quietWorld();
    const { ec2, autoscaling, health, zonalShifts } = world;
    const member = ec2.seedInstance({ availabilityZone: ZONE });
    const spot = ec2.seedInstance({ availabilityZone: ZONE, spot: 'one-time' });
    const hooks = [{ name: 'drain' }];
    autoscaling.seedGroup({
      name: 'agents',
      availabilityZones: [ZONE],
      instanceIds: [member],
      hooks,
    });
    autoscaling.refresh('agents');
    ec2.interruptSpot(spot, 'terminate');
    zonalShifts.tell('Manual Shift Started', ZONE);
    health.announce({
      service: 'EC2',
      eventTypeCode: 'AWS_EC2_OPERATIONAL_ISSUE',
      category: 'issue',
      statusCode: 'open',
      startTime: START,
      entities: [],
      scope: 'PUBLIC',
    });
    expect(heard()).toEqual([
      'EC2 Instance-terminate Lifecycle Action',
      'EC2 Spot Instance Interruption Warning',
      'Manual Shift Started',
      'AWS Health Event',
    ]);
  });

  it('changes no draw of a world in which it happens', async () => {
    const story = async (others: (world: World) => void): Promise<unknown> => {
      const { world } = await quietWorld();
      const id = world.ec2.seedInstance({ availabilityZone: ZONE });
      world.autoscaling.seedGroup({
        name: 'agents',
        availabilityZones: [ZONE],
        instanceIds: [id],
      });
      others(world);
      world.ec2.stop(id, { skipOsShutdown: true });
      await pass(20 * MINUTE);
      const { instances } = world.ec2.truth();
      return instances.map(({ instanceId, privateIp, launchTime, state }) => ({
        instanceId,
        privateIp,
        launchTime,
        state,
      }));
    };
    const alone = await story(() => undefined);
    const amidNews = await story(({ zonalShifts, health }) => {
      zonalShifts.tell('Autoshift In Progress', ZONE);
      health.announce({
        service: 'EBS',
        eventTypeCode: 'AWS_EBS_VOLUME_LOST',
        category: 'issue',
        statusCode: 'open',
        startTime: START,
        entities: ['vol-0123456789abcdef0'],
      });
    });
    expect(amidNews).toEqual(alone);
  });
});
