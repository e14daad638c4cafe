import { describe, expect, it } from 'vitest';
import { cluster, MYSQL } from './cluster.ts';

const HOUR = 3_600_000;

describe('a healthy guest', () => {
  it('writes five acknowledged rows a second, exactly, however long nobody looks', () => {
    const { time, guest } = cluster();
    time.pass(100 * HOUR + 199);
    expect(guest()).toMatchObject({ rowsAcknowledged: 100 + 100 * 3600 * 5, lostRows: 0 });
    time.pass(1);
    expect(guest()?.rowsAcknowledged).toBe(100 + 100 * 3600 * 5 + 1);
  });

  it('counts the same whether it is asked often or once', () => {
    const often = cluster();
    for (let n = 0; n < 100; n++) {
      often.time.pass(137);
      often.guest();
    }
    const once = cluster();
    once.time.pass(13_700);
    expect(often.guest()).toEqual(once.guest());
  });

  it('stops cleanly early in an orderly shutdown, long before power is off', () => {
    const { time, machines, guest } = cluster();
    machines.shutDown('i-a');
    time.pass(3000);
    const rows = guest()?.rowsOnVolume;
    time.pass(30_000);
    expect(guest()?.rowsOnVolume).toBe(rows);
    expect(rows).toBeLessThanOrEqual(115);
    expect(machines.mounted.get('vol-1')).toBe(false);
  });

  it('writes until power is really off when nobody shuts it down in order', () => {
    const { time, machines, guest } = cluster();
    time.pass(12_000);
    machines.powerOff('i-a');
    time.pass(60_000);
    expect(guest()).toMatchObject({ rowsAcknowledged: 160, rowsOnVolume: 160 });
  });

  it('does not write after a restart of its machine until its task runs again', () => {
    const { time, machines, guest } = cluster();
    machines.powerOff('i-a');
    time.pass(1000);
    machines.powerOn('i-a');
    time.pass(29_000);
    expect(guest()?.rowsOnVolume).toBe(100);
  });
});

describe('a guest whose volume completes no I/O', () => {
  it('writes nothing until it does again', () => {
    const { time, machines, guest } = cluster();
    time.pass(1000);
    machines.pauseIo('vol-1', true);
    time.pass(60_000);
    expect(guest()).toMatchObject({ rowsAcknowledged: 105, rowsOnVolume: 105 });
    machines.pauseIo('vol-1', false);
    time.pass(10_000);
    expect(guest()).toMatchObject({ rowsAcknowledged: 155, rowsOnVolume: 155, lostRows: 0 });
  });

  it('writes nothing either when its machine hangs and thaws meanwhile', () => {
    const { time, machines, guest } = cluster();
    machines.pauseIo('vol-1', true);
    machines.hang('i-a');
    time.pass(60_000);
    machines.thaw('i-a');
    time.pass(60_000);
    expect(guest()).toMatchObject({ rowsAcknowledged: 100, rowsOnVolume: 100 });
  });
});

describe('a hung guest', () => {
  it('acknowledges nothing, yet rows still land every 2 to 5 s until power is off', () => {
    const { time, machines, guest } = cluster();
    machines.hang('i-a');
    time.pass(100_000);
    const rows = (guest()?.rowsOnVolume ?? 0) - 100;
    expect(rows).toBeGreaterThanOrEqual(20);
    expect(rows).toBeLessThanOrEqual(50);
    expect(guest()).toMatchObject({ rowsAcknowledged: 100, foreignWrites: 0, lostRows: 0 });
    machines.powerOff('i-a');
    time.pass(100_000);
    expect(guest()?.rowsOnVolume).toBe(100 + rows);
  });

  it('serves again after a thaw', () => {
    const { time, machines, guest } = cluster();
    machines.hang('i-a');
    time.pass(1000);
    machines.thaw('i-a');
    time.pass(10_000);
    expect(guest()?.rowsAcknowledged).toBe(150);
  });

  it('does not stop in an orderly shutdown it cannot hear of', () => {
    const { time, machines, guest } = cluster();
    machines.hang('i-a');
    machines.shutDown('i-a');
    time.pass(60_000);
    expect(guest()?.rowsOnVolume).toBeGreaterThan(110);
  });
});

describe('foreign writes', () => {
  it('are those of a machine whose volume was torn away, and only those', () => {
    const { time, machines, guest } = cluster();
    time.pass(1000);
    machines.tearOff('vol-1');
    time.pass(1000);
    expect(guest()).toMatchObject({ rowsAcknowledged: 105, foreignWrites: 5, rowsOnVolume: 110 });
  });

  it('say who wrote them, in which incarnation and when', () => {
    const { time, machines, guest } = cluster();
    const { launchTime = 0 } = machines.machine('i-a') ?? {};
    time.pass(1000);
    machines.tearOff('vol-1');
    time.pass(1000);
    const common = { instanceId: 'i-a', launchTime, volumeId: 'vol-1', mode: 'serving', rows: 5 };
    expect(guest()?.writers).toMatchObject([
      { ...common, foreign: false, fromSequence: 100, lastAt: launchTime + 1000 },
      { ...common, foreign: true, fromSequence: 105, firstAt: launchTime + 1200 },
    ]);
  });

  it('do not make the rightful new owner foreign too', () => {
    const { time, machines, markGone, agentA, guest } = cluster();
    machines.hang('i-a');
    machines.tearOff('vol-1');
    markGone(agentA);
    time.pass(30_000);
    const writers = guest()?.writers ?? [];
    expect(writers.find(({ instanceId }) => instanceId === 'i-b')).toMatchObject({
      foreign: false,
    });
    expect(writers.filter(({ foreign }) => foreign).map((w) => w.instanceId)).toEqual(['i-a']);
  });

  it('are both of two services that have one volume mounted on one machine', () => {
    const { time, dcos, guest } = cluster();
    const [volume] = MYSQL.container.volumes;
    const volumes = [{ ...volume, external: { ...volume?.external, shared: true } }];
    const shared = { ...MYSQL, id: 'second', container: { ...MYSQL.container, volumes } };
    dcos.placeApp(shared, 'i-a', { rows: 0 });
    time.pass(1000);
    expect(guest()?.foreignWrites).toBe(5);
  });
});

describe('lost rows', () => {
  it('are all acknowledged ones when the volume itself is deleted', () => {
    const { time, machines, guest } = cluster();
    time.pass(1000);
    machines.powerOff('i-a');
    machines.deleteVolume('vol-1');
    expect(guest()).toMatchObject({ rowsOnVolume: 0, lostRows: 105 });
  });

  it('do not include rows that nobody acknowledged', () => {
    const { time, machines, markGone, agentA, guest } = cluster({ zoneOfB: 'us-west-2b' });
    machines.hang('i-a');
    time.pass(60_000);
    expect(guest()?.rowsOnVolume).toBeGreaterThan(110);
    machines.powerOff('i-a');
    machines.tearOff('vol-1');
    markGone(agentA);
    time.pass(20_000);
    expect(guest()).toMatchObject({ volumeId: 'vol-created1', lostRows: 100 });
  });
});
