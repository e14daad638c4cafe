import {
  DescribeInstanceStatusCommand,
  ModifyInstanceMaintenanceOptionsCommand,
} from '@aws-sdk/client-ec2';
import { describe, expect, it } from 'vitest';
import { createRng } from '../../../emulator/core/random.ts';
import { createAlarms, type StatusMetric } from '../../../emulator/services/cloudwatch/alarms.ts';
import { START_MS } from '../../../emulator/services/ec2/power.ts';
import { ACCOUNT, bench, REGION, ZONE } from './kit.ts';

const MINUTE = 60_000;

const METRICS = [
  'StatusCheckFailed',
  'StatusCheckFailed_System',
  'StatusCheckFailed_Instance',
  'StatusCheckFailed_AttachedEBS',
] as const;

/** A machine with a data volume, all of its metrics under alarm. */
const watched = () => {
  const world = bench();
  const { time, ec2, emit, client } = world;
  const shared = { time, ec2, emit, account: ACCOUNT, region: REGION };
  const alarms = createAlarms({ ...shared, rng: createRng(2) });
  const id = ec2.seedInstance({ availabilityZone: ZONE });
  const volumeId = ec2.seedVolume({
    availabilityZone: ZONE,
    attachedTo: { instanceId: id, device: '/dev/xvdf' },
  });
  const names = METRICS.map((metric) => [metric, alarms.watch(id, metric)] as const);
  const status = async () => {
    const command = new DescribeInstanceStatusCommand({ InstanceIds: [id] });
    const [found] = (await client.send(command)).InstanceStatuses ?? [];
    return {
      system: found?.SystemStatus?.Status,
      instance: found?.InstanceStatus?.Status,
      attachedEbs: found?.AttachedEbsStatus?.Status,
    };
  };
  /** The metrics whose alarm is in ALARM. */
  const alarming = (): StatusMetric[] =>
    names.flatMap(([metric, name]) => (alarms.state(name) === 'ALARM' ? [metric] : []));
  const health = () =>
    world.events.filter(({ source }) => source === 'aws.health').map(({ detail }) => detail);
  return { ...world, alarms, id, volumeId, names, status, alarming, healthNews: health };
};

// EC2 User Guide, monitoring-system-instance-status-check.
describe('the status checks', () => {
  it('of a guest in trouble of its own: the instance check fails alone', async () => {
    const world = watched();
    world.ec2.failInstanceCheck(world.id);
    world.time.advance(5 * MINUTE);
    expect(await world.status()).toEqual({ system: 'ok', instance: 'impaired', attachedEbs: 'ok' });
    expect(world.alarming()).toEqual(['StatusCheckFailed', 'StatusCheckFailed_Instance']);
    expect(world.ec2.machine(world.id)).toMatchObject({ powered: true, kernel: 'ok' });
    world.ec2.failInstanceCheck(world.id, false);
    world.time.advance(5 * MINUTE);
    expect(world.alarming()).toEqual([]);
  });

  it('of a volume that completes no I/O: the attached EBS check fails alone', async () => {
    const world = watched();
    world.ec2.pauseVolumeIo(world.volumeId, 10 * MINUTE);
    world.time.advance(5 * MINUTE);
    expect(await world.status()).toEqual({ system: 'ok', instance: 'ok', attachedEbs: 'impaired' });
    expect(world.alarming()).toEqual(['StatusCheckFailed', 'StatusCheckFailed_AttachedEBS']);
    const [alarm] = world.events.filter(({ detail }) =>
      String(detail.alarmName).includes('AttachedEBS'),
    );
    expect(JSON.stringify(alarm?.detail)).toContain('"name":"StatusCheckFailed_AttachedEBS"');
    world.time.advance(10 * MINUTE);
    expect(await world.status()).toEqual({ system: 'ok', instance: 'ok', attachedEbs: 'ok' });
    expect(world.alarming()).toEqual([]);
    const kinds = world.machineEvents.map(({ kind }) => kind);
    expect(kinds).toEqual(['io-paused', 'io-resumed']);
  });

  it('pauses I/O for a second to twelve hours, as FIS does', () => {
    const world = watched();
    expect(() => world.ec2.pauseVolumeIo(world.volumeId, 999)).toThrow(RangeError);
    expect(() => world.ec2.pauseVolumeIo(world.volumeId, 12 * 3_600_000 + 1)).toThrow(RangeError);
  });

  it('initialize after a start, and their metrics vanish with a stop', async () => {
    const world = watched();
    world.ec2.stop(world.id, { skipOsShutdown: true });
    world.time.advance(10 * MINUTE);
    for (const [, name] of world.names) {
      expect(world.alarms.state(name)).toBe('INSUFFICIENT_DATA');
    }
    world.ec2.start(world.id);
    world.time.advance(START_MS);
    const initializing = 'initializing';
    expect(await world.status()).toEqual({
      system: initializing,
      instance: initializing,
      attachedEbs: initializing,
    });
    world.time.advance(MINUTE);
    expect(await world.status()).toEqual({ system: 'ok', instance: 'ok', attachedEbs: 'ok' });
  });

  it('fail and pass by turns for a machine that flaps', () => {
    const world = watched();
    world.ec2.flap(world.id, { hungMs: 5 * MINUTE, wellMs: 5 * MINUTE, times: 3 });
    world.time.advance(60 * MINUTE);
    const values = world.events
      .filter(({ detail }) => String(detail.alarmName).includes('_System'))
      .map(({ detail }) => (detail.state as { value: string }).value);
    expect(values).toEqual(['ALARM', 'OK', 'ALARM', 'OK', 'ALARM', 'OK']);
    expect(world.ec2.machine(world.id)?.kernel).toBe('ok');
  });
});

// EC2 User Guide, ec2-instance-recover.
describe('simplified automatic recovery', () => {
  it('is off unless it is switched on', () => {
    const world = watched();
    world.ec2.loseHost(world.id);
    world.time.advance(60 * MINUTE);
    expect(world.ec2.machine(world.id)?.kernel).toBe('hung');
  });

  it('brings the same machine up on another host, as after a reboot', () => {
    const world = watched();
    world.ec2.autoRecovery({ afterMs: 4 * MINUTE });
    const before = world.ec2.machine(world.id);
    world.ec2.loseHost(world.id);
    world.time.advance(10 * MINUTE);
    expect(world.ec2.machine(world.id)).toEqual(before);
    expect(world.ec2.volumes().find((v) => v.volumeId === world.volumeId)).toMatchObject({
      attachments: [{ instanceId: world.id, state: 'attached' }],
    });
    expect(world.machineEvents.map(({ kind }) => kind)).toEqual([
      'hung',
      'powered-off',
      'powered-on',
    ]);
    const states = world.events.filter(({ source }) => source === 'aws.ec2');
    expect(states).toEqual([]);
    expect(world.healthNews()).toMatchObject([
      {
        eventTypeCode: 'AWS_EC2_SIMPLIFIED_AUTO_RECOVERY_SUCCESS',
        eventTypeCategory: 'issue',
        affectedEntities: [{ entityValue: world.id }],
      },
    ]);
  });

  it('may find no host, and says so', () => {
    const world = watched();
    world.ec2.autoRecovery({ afterMs: 4 * MINUTE, succeeds: false });
    world.ec2.loseHost(world.id);
    world.time.advance(5 * MINUTE);
    expect(world.ec2.machine(world.id)?.kernel).toBe('hung');
    expect(world.healthNews()).toMatchObject([
      { eventTypeCode: 'AWS_EC2_SIMPLIFIED_AUTO_RECOVERY_FAILURE' },
    ]);
  });

  it('cannot operate on a machine that is being stopped', () => {
    const world = watched();
    world.ec2.autoRecovery({ afterMs: 4 * MINUTE });
    world.ec2.loseHost(world.id);
    world.time.advance(2 * MINUTE);
    world.ec2.stop(world.id, { skipOsShutdown: true });
    world.time.advance(60 * MINUTE);
    expect(world.ec2.status(world.id).state).toBe('stopping');
    expect(world.healthNews()).toEqual([]);
  });

  it('leaves alone a machine for which it is disabled', async () => {
    const world = watched();
    world.ec2.autoRecovery({ afterMs: 4 * MINUTE });
    const input = { InstanceId: world.id, AutoRecovery: 'disabled' } as const;
    await world.client.send(new ModifyInstanceMaintenanceOptionsCommand(input));
    world.ec2.loseHost(world.id);
    world.time.advance(60 * MINUTE);
    expect(world.ec2.machine(world.id)?.kernel).toBe('hung');
  });
});
