import { DescribeInstanceStatusCommand } from '@aws-sdk/client-ec2';
import { describe, expect, it } from 'vitest';
import type { InstanceSpec } from '../../../emulator/services/ec2/launch.ts';
import { GRACEFUL_LIMIT_MS, START_MS } from '../../../emulator/services/ec2/power.ts';
import type { ScheduleSpec } from '../../../emulator/services/ec2/scheduled-events.ts';
import { bench, START, ZONE } from './kit.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DUE = START + HOUR;

const scheduled = (given: Partial<ScheduleSpec> = {}, spec: Partial<InstanceSpec> = {}) => {
  const world = bench();
  const id = world.ec2.seedInstance({ availabilityZone: ZONE, ...spec });
  const schedule: ScheduleSpec = { code: 'instance-retirement', notBefore: DUE, ...given };
  const eventId = world.ec2.schedule(id, schedule);
  const listed = async () => {
    const command = new DescribeInstanceStatusCommand({
      InstanceIds: [id],
      IncludeAllInstances: true,
    });
    return (await world.client.send(command)).InstanceStatuses?.[0]?.Events ?? [];
  };
  const told = () =>
    world.events.filter(({ source }) => source === 'aws.health').map(({ detail }) => detail);
  const stopAndStart = () => {
    world.ec2.stop(id, { skipOsShutdown: true });
    world.time.advance(world.durations.stopMs(id, 'skip'));
    world.ec2.start(id);
    world.time.advance(START_MS);
  };
  return { ...world, id, eventId, listed, told, stopAndStart };
};

// EC2 User Guide, "Scheduled events for Amazon EC2 instances".
describe('a scheduled event', () => {
  it('is listed with its times and told by AWS Health as an upcoming change', async () => {
    const world = scheduled({ notAfter: DUE + HOUR, notBeforeDeadline: DUE + 2 * HOUR });
    expect(await world.listed()).toEqual([
      {
        InstanceEventId: world.eventId,
        Code: 'instance-retirement',
        Description: 'The instance is running on degraded hardware',
        NotBefore: new Date(DUE),
        NotAfter: new Date(DUE + HOUR),
        NotBeforeDeadline: new Date(DUE + 2 * HOUR),
      },
    ]);
    expect(world.eventId).toMatch(/^instance-event-[0-9a-f]{17}$/);
    expect(world.told()).toEqual([
      expect.objectContaining({
        service: 'EC2',
        eventTypeCode: 'AWS_EC2_PERSISTENT_INSTANCE_RETIREMENT_SCHEDULED',
        eventTypeCategory: 'scheduledChange',
        statusCode: 'upcoming',
        startTime: 'Sun, 22 Nov 2026 22:00:00 GMT',
        endTime: 'Sun, 22 Nov 2026 23:00:00 GMT',
        affectedEntities: [{ entityValue: world.id }],
        backupEvent: 'false',
        actionability: 'ACTION_REQUIRED',
      }),
    ]);
  });

  it('happens at its time, against stop protection too, and is completed then', async () => {
    const world = scheduled({ code: 'instance-stop' }, { disableApiStop: true });
    world.time.advance(HOUR - 1);
    expect(world.ec2.status(world.id).state).toBe('running');
    world.time.advance(1);
    expect(world.ec2.status(world.id).state).toBe('stopping');
    world.time.advance(GRACEFUL_LIMIT_MS);
    expect(world.ec2.status(world.id).state).toBe('stopped');
    const [{ stateReason } = {}] = world.ec2.truth().instances;
    expect(stateReason?.code).toBe('Server.ScheduledStop');
    const [event] = await world.listed();
    expect(event?.Description).toMatch(/^\[Completed\] /);
    expect(world.told().map(({ statusCode }) => statusCode)).toEqual(['upcoming', 'closed']);
    expect(new Set(world.told().map(({ eventArn }) => eventArn)).size).toBe(1);
  });

  it('is over for a machine that was stopped and started: it is on another host', async () => {
    const world = scheduled();
    world.stopAndStart();
    expect((await world.listed())[0]?.Description).toMatch(/^\[Completed\] /);
    expect(world.told().at(-1)).toMatchObject({ statusCode: 'closed' });
    world.time.advance(2 * HOUR);
    expect(world.ec2.status(world.id).state).toBe('running');
    expect(world.told()).toHaveLength(2);
  });

  it('is not over for a machine that is only stopped', async () => {
    const world = scheduled();
    world.ec2.stop(world.id, { skipOsShutdown: true });
    world.time.advance(30 * MINUTE);
    expect((await world.listed())[0]?.Description).not.toMatch(/^\[/);
    world.time.advance(HOUR);
    expect((await world.listed())[0]?.Description).toMatch(/^\[Completed\] /);
    expect(world.ec2.status(world.id).state).toBe('stopped');
  });

  it('is over when the machine is terminated', () => {
    const world = scheduled();
    world.ec2.terminate(world.id, { skipOsShutdown: true });
    world.time.advance(10 * MINUTE);
    expect(world.told().map(({ statusCode }) => statusCode)).toEqual(['upcoming', 'closed']);
  });

  it('may be called off', async () => {
    const world = scheduled();
    world.ec2.cancelSchedule(world.id, world.eventId);
    world.time.advance(2 * HOUR);
    expect(world.ec2.status(world.id).state).toBe('running');
    expect((await world.listed())[0]?.Description).toMatch(/^\[Canceled\] /);
    expect(() => world.ec2.cancelSchedule(world.id, 'instance-event-0')).toThrow(RangeError);
  });

  it('terminates a machine on instance store, whose Health event names it by ARN alone', () => {
    const world = scheduled({}, { rootDeviceType: 'instance-store' });
    const [event] = world.events.filter(({ source }) => source === 'aws.health');
    expect(event).not.toHaveProperty('resources');
    const arn = `arn:aws:ec2:us-east-1:123456789012:instance/${world.id}`;
    expect(event?.detail).toMatchObject({
      eventTypeCode: 'AWS_EC2_INSTANCE_RETIREMENT_SCHEDULED',
      affectedEntities: [{ entityValue: arn, status: 'PENDING' }],
    });
    world.time.advance(HOUR);
    expect(world.ec2.status(world.id).state).toBe('shutting-down');
  });

  it.each(['instance-reboot', 'system-reboot'] as const)('%s reboots it', (code) => {
    const world = scheduled({ code });
    world.time.advance(HOUR + 15_000);
    expect(world.ec2.machine(world.id)?.powered).toBe(false);
    world.time.advance(MINUTE);
    expect(world.ec2.machine(world.id)?.powered).toBe(true);
    const states = world.events.filter(({ source }) => source === 'aws.ec2');
    expect(states).toEqual([]);
  });

  it('of maintenance leaves it alone unless it is told otherwise', () => {
    const alone = scheduled({ code: 'system-maintenance' });
    alone.time.advance(2 * HOUR);
    expect(alone.machineEvents).toEqual([]);
    const eventTypeCode = 'AWS_EC2_INSTANCE_POWER_MAINTENANCE_SCHEDULED';
    const power = scheduled({ code: 'system-maintenance', action: 'reboot', eventTypeCode });
    expect(power.told()[0]).toMatchObject({ eventTypeCode });
    power.time.advance(2 * HOUR);
    expect(power.machineEvents.map(({ kind }) => kind)).toContain('powered-off');
  });
});
