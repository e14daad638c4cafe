import { describe, expect, it } from 'vitest';
import type { AwsEvent } from '../../../emulator/core/aws-event.ts';
import { createRng } from '../../../emulator/core/random.ts';
import { createAlarms, type StatusMetric } from '../../../emulator/services/cloudwatch/alarms.ts';
import { START_MS } from '../../../emulator/services/ec2/power.ts';
import { ACCOUNT, bench, REGION, START, ZONE } from '../ec2/kit.ts';

const MINUTE = 60_000;

const stateOf = (event: AwsEvent | undefined) =>
  event?.detail.state as { value: string; reasonData: string };

const watched = (metric: StatusMetric = 'StatusCheckFailed_System') => {
  const world = bench();
  const { time, ec2, emit } = world;
  const rng = createRng(2);
  const alarms = createAlarms({ time, rng, ec2, emit, account: ACCOUNT, region: REGION });
  const instanceId = ec2.seedInstance({ availabilityZone: ZONE });
  const name = alarms.watch(instanceId, metric);
  const alarmEvents = () => world.events.filter(({ source }) => source === 'aws.cloudwatch');
  return { ...world, alarms, instanceId, name, alarmEvents };
};

describe('a status check alarm', () => {
  it('keeps quiet while the machine is well', () => {
    const world = watched();
    world.time.advance(20 * MINUTE);
    expect(world.alarms.state(world.name)).toBe('OK');
    expect(world.alarmEvents()).toEqual([]);
  });

  it('goes to ALARM two to four minutes after the kernel hung, once', () => {
    const world = watched();
    world.time.advance(10 * MINUTE + 17_000);
    world.ec2.hang(world.instanceId);
    const hungAt = world.time.now();
    world.time.advance(20 * MINUTE);
    const [alarm, ...more] = world.alarmEvents();
    expect(more).toEqual([]);
    const took = Date.parse(String(alarm?.time)) - hungAt;
    expect(took).toBeGreaterThanOrEqual(2 * MINUTE - 1_000);
    expect(took).toBeLessThanOrEqual(4 * MINUTE);
    expect(alarm).toMatchObject({
      'detail-type': 'CloudWatch Alarm State Change',
      source: 'aws.cloudwatch',
      resources: [`arn:aws:cloudwatch:us-east-1:123456789012:alarm:${world.name}`],
      detail: {
        alarmName: world.name,
        configuration: {
          metrics: [
            {
              metricStat: {
                metric: {
                  dimensions: { InstanceId: world.instanceId },
                  name: 'StatusCheckFailed_System',
                  namespace: 'AWS/EC2',
                },
                period: 60,
                stat: 'Maximum',
              },
              returnData: true,
            },
          ],
        },
        previousState: { value: 'OK' },
        state: { value: 'ALARM', timestamp: expect.stringMatching(/\.\d{3}\+0000$/) },
      },
    });
    expect(JSON.parse(stateOf(alarm).reasonData)).toMatchObject({
      recentDatapoints: [1, 1],
      threshold: 1,
    });
  });

  it('does not fire for a single failing minute', () => {
    const world = watched();
    world.time.advance(10 * MINUTE - 1_000);
    world.ec2.hang(world.instanceId);
    world.time.advance(2_000);
    world.ec2.thaw(world.instanceId);
    world.time.advance(20 * MINUTE);
    expect(world.alarmEvents()).toEqual([]);
  });

  it('returns to OK when the machine does', () => {
    const world = watched();
    world.ec2.hang(world.instanceId);
    world.time.advance(6 * MINUTE);
    world.ec2.thaw(world.instanceId);
    world.time.advance(6 * MINUTE);
    const values = world.alarmEvents().map((event) => stateOf(event).value);
    expect(values).toEqual(['ALARM', 'OK']);
  });

  it('has insufficient data once the machine is stopped, and OK when it is back', () => {
    const world = watched();
    world.time.advance(5 * MINUTE);
    world.ec2.stop(world.instanceId, { skipOsShutdown: true });
    world.time.advance(10 * MINUTE);
    expect(world.alarms.state(world.name)).toBe('INSUFFICIENT_DATA');
    world.ec2.start(world.instanceId);
    world.time.advance(START_MS + 5 * MINUTE);
    expect(world.alarms.state(world.name)).toBe('OK');
    expect(world.alarmEvents()).toHaveLength(2);
  });

  it('on the instance check fires for a long reboot loop, on the system check it does not', () => {
    for (const [metric, expected] of [
      ['StatusCheckFailed_Instance', 'ALARM'],
      ['StatusCheckFailed_System', 'OK'],
    ] as const) {
      const world = watched(metric);
      while (world.time.now() < START + 6 * MINUTE) {
        world.time.advance(MINUTE - 15_000);
        world.ec2.reboot(world.instanceId);
        world.time.advance(15_000);
      }
      expect(world.alarms.state(world.name)).toBe(expected);
    }
  });
});
