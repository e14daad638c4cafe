import { describe, expect, it } from 'vitest';
import { createRng } from '../../../emulator/core/random.ts';
import { InvalidAppError } from '../../../emulator/dcos/app-definition.ts';
import type { TraceLine } from '../../../emulator/dcos/model.ts';
import { cluster, MYSQL } from './cluster.ts';

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

describe('the door', () => {
  it('tells the same story twice for one seed, and another for another', () => {
    const story = (seed: number) => {
      const world = cluster({ rng: createRng(seed) });
      world.machines.hang('i-a');
      world.time.pass(20 * 60_000);
      world.machines.thaw('i-a');
      world.time.pass(60_000);
      return JSON.stringify([world.changes, world.dcos.guests.report(), world.dcos.truth()]);
    };
    expect(story(1)).toBe(story(1));
    expect(story(1)).not.toBe(story(2));
  });

  it('places no app where it could not have been running', () => {
    const { dcos } = cluster();
    const other = { ...MYSQL, id: 'other', container: { type: 'MESOS', volumes: [] } };
    expect(() => dcos.placeApp(other, 'i-nowhere')).toThrow('no agent runs on i-nowhere');
    const { dcos: bare } = cluster({ placed: false });
    expect(() => bare.placeApp(MYSQL, 'i-a')).toThrow("no volume 'mysql' attached to i-a");
    expect(() => bare.createApp({ id: 7 })).toThrow(InvalidAppError);
  });

  it('traces the empty volume that nobody asked for', () => {
    const lines: TraceLine[] = [];
    const { machines, markGone, agentA, time } = cluster({
      zoneOfB: 'us-west-2b',
      trace: (line) => lines.push(line),
    });
    machines.powerOff('i-a');
    markGone(agentA);
    time.pass(20_000);
    expect(lines).toContainEqual({
      at: expect.any(Number),
      source: 'rexray i-b',
      text: "created empty volume 'mysql'",
      data: { availabilityZone: 'us-west-2b' },
    });
  });

  it('knows the truth of agents, tasks, queue and volumes', () => {
    const { dcos, agentA, time, machines } = cluster();
    expect(dcos.truth()).toMatchObject({
      agents: [{ agentId: agentA, instanceId: 'i-a', state: 'registered', active: true }, {}],
      tasks: [
        {
          appId: '/mysql',
          instanceId: 'i-a',
          condition: 'Running',
          healthy: true,
          volumeIds: ['vol-1'],
        },
      ],
      queue: [],
      volumes: [{ volumeId: 'vol-1', appId: '/mysql', rows: 100, foreignWrites: 0 }],
    });
    machines.hang('i-a');
    time.pass(20 * 60_000);
    expect(dcos.truth()).toMatchObject({ tasks: [], queue: [{ appId: '/mysql' }] });
  });
});

describe('health', () => {
  it('is not found while the machine hangs, and is when it thaws', () => {
    const { time, machines, markGone, agentA, tasks } = cluster();
    machines.powerOff('i-a');
    machines.tearOff('vol-1');
    markGone(agentA);
    time.pass(7000);
    machines.hang('i-b');
    time.pass(30_000);
    expect(tasks()[0]).toMatchObject({ state: 'TASK_RUNNING' });
    expect(tasks()[0]).not.toHaveProperty('healthCheckResults');
    machines.thaw('i-b');
    time.pass(60_000);
    expect(tasks()[0].healthCheckResults).toMatchObject([{ alive: true }]);
  });
});
