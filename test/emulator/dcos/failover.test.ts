import { describe, expect, it } from 'vitest';
import { cluster } from './cluster.ts';

describe('the ordinary life of an app', () => {
  it('is found running and healthy with its rows where the world put it', () => {
    const { tasks, time, guest, agentA } = cluster();
    time.pass(1000);
    expect(tasks()).toMatchObject([
      { appId: '/mysql', host: '10.0.0.10', slaveId: agentA, state: 'TASK_RUNNING' },
    ]);
    expect(guest()).toMatchObject({ rowsAcknowledged: 105, rowsOnVolume: 105, lostRows: 0 });
  });
});

describe('a fenced agent whose volume was released', () => {
  it('is replaced after mark-gone: offer, attach, health, no row lost', () => {
    const { time, machines, markGone, agentA, agentB, tasks, guest, changes, call } = cluster();
    machines.hang('i-a');
    time.pass(30_000);
    machines.powerOff('i-a');
    machines.tearOff('vol-1');
    const markedAt = time.now();
    expect(markGone(agentA)).toMatchObject({ status: 200, body: '' });
    expect(tasks()).toEqual([]);
    expect(call('DELETE', '/service/marathon/v2/queue//mysql/delay').status).toBe(204);
    time.pass(20_000);
    expect(tasks()).toMatchObject([
      {
        host: '10.0.0.11',
        slaveId: agentB,
        state: 'TASK_RUNNING',
        healthCheckResults: [{ alive: true }],
      },
    ]);
    const healthy = changes.find(({ kind }) => kind === 'healthy');
    expect((healthy?.at ?? 0) - markedAt).toBe(1500 + 4000 + 8000);
    expect(guest()).toMatchObject({ lostRows: 0, foreignWrites: 0, volumeId: 'vol-1' });
    expect(guest()?.rowsAcknowledged).toBeGreaterThan(100);
  });
});

describe('stock DC/OS with a hung agent', () => {
  it('relaunches after the pings run out, fails to attach and backs off more each time', () => {
    const { time, machines, agents, changes, read } = cluster();
    machines.hang('i-a');
    time.pass(299_000);
    expect(agents().agents).toHaveLength(2);
    time.pass(300_000);
    expect(agents().agents).toHaveLength(1);
    const failures = changes.filter((c) => c.kind === 'task' && c.state === 'TASK_FAILED');
    expect(failures.length).toBeGreaterThan(5);
    expect(failures[0]).toMatchObject({
      message: expect.stringContaining('VolumeDriver.Mount: {"Error":"resource not found"}'),
    });
    const gaps = failures.slice(1).map(({ at }, i) => at - (failures[i]?.at ?? 0));
    expect(gaps.at(-1)).toBeGreaterThan(2 * (gaps[0] ?? 0));
    const { queue } = read('/service/marathon/v2/queue');
    expect(queue).toMatchObject([{ count: 1, delay: { overdue: false } }]);
  });
});

describe('the oracle', () => {
  it('counts what a hung machine still writes after a force-detach as foreign', () => {
    const { time, machines, markGone, agentA, guest } = cluster();
    machines.hang('i-a');
    time.pass(10_000);
    machines.tearOff('vol-1');
    markGone(agentA);
    time.pass(60_000);
    expect(guest()?.foreignWrites).toBeGreaterThan(5);
  });

  it('finds every row lost on the empty namesake in another zone', () => {
    const { time, machines, markGone, agentA, guest } = cluster({ zoneOfB: 'us-west-2b' });
    machines.powerOff('i-a');
    machines.tearOff('vol-1');
    markGone(agentA);
    time.pass(30_000);
    expect(machines.calls).toContain('create mysql us-west-2b 16');
    expect(guest()?.lostRows).toBe(100);
  });
});
