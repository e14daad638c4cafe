import { describe, expect, it } from 'vitest';
import { cluster, MYSQL } from './cluster.ts';

const onB = { ...MYSQL, constraints: [['hostname', 'CLUSTER', '10.0.0.11']] };

const launched = (
  prepare: (world: ReturnType<typeof cluster>) => void,
  options?: Parameters<typeof cluster>[0],
) => {
  const world = cluster({ placed: false, ...options });
  prepare(world);
  world.dcos.createApp(onB);
  const messages = () =>
    world.changes.flatMap((c) =>
      c.kind === 'task' && c.state === 'TASK_FAILED' ? [c.message] : [],
    );
  return { ...world, messages };
};

describe('a volume of that name in the zone of the agent', () => {
  it('is attached on one of its letters when available', () => {
    const { time, machines, tasks } = launched(() => {});
    time.pass(1000 + 4000);
    expect(tasks()).toMatchObject([{ state: 'TASK_RUNNING', host: '10.0.0.11' }]);
    expect(machines.calls).toEqual([expect.stringMatching(/^attach vol-1 i-b \/dev\/xvd[f-p]$/)]);
    expect(machines.mounted.get('vol-1')).toBe(true);
  });

  it('is not found while attached elsewhere, and the task fails', () => {
    const { time, machines, messages } = launched(({ machines: m }) => {
      m.addVolume('vol-1', 'mysql', 'i-a');
    });
    time.pass(2000);
    expect(messages()).toEqual([
      'Failed to launch container: VolumeDriver.Mount: {"Error":"resource not found"}',
    ]);
    expect(machines.calls).toEqual([]);
  });

  it('is torn from its holder when preempt is on', () => {
    const prepare = ({ machines: m }: ReturnType<typeof cluster>) => {
      m.addVolume('vol-1', 'mysql', 'i-a');
    };
    const { time, machines, tasks } = launched(prepare, { rexray: { preempt: true } });
    time.pass(10_000);
    expect(machines.calls[0]).toBe('detach vol-1 force');
    expect(tasks()).toMatchObject([{ state: 'TASK_RUNNING' }]);
  });

  it('is waited for while it is still detaching, then attached', () => {
    const { time, machines, tasks, messages } = launched(({ machines: m }) => {
      m.addVolume('vol-1', 'mysql', 'i-a');
      m.detachVolume('vol-1', { force: false });
    });
    time.pass(10_000);
    expect(tasks()).toMatchObject([{ state: 'TASK_RUNNING' }]);
    expect(messages()).toEqual([]);
    expect(machines.calls).toHaveLength(2);
  });

  it('blocks the queue of its agent while stuck in attaching, until the driver gives up', () => {
    const { time, dcos, machines, tasks, messages } = launched(({ machines: m }) => {
      m.addVolume('vol-2', 'other');
      m.stuckAttaching.add('i-b');
    });
    time.pass(10_000);
    machines.stuckAttaching.clear();
    const [volume] = MYSQL.container.volumes;
    const volumes = [{ ...volume, external: { ...volume?.external, name: 'other' } }];
    dcos.createApp({ ...onB, id: 'other', container: { ...MYSQL.container, volumes } });
    time.pass(60_000);
    expect(tasks().map(({ state }: { state: string }) => state)).toEqual([
      'TASK_STAGING',
      'TASK_STAGING',
    ]);
    time.pass(50_000);
    expect(messages()).toContain(
      'Failed to launch container: VolumeDriver.Mount: {"Error":"Status attempts exhausted"}',
    );
    expect(tasks()).toContainEqual(
      expect.objectContaining({ appId: '/other', state: 'TASK_RUNNING' }),
    );
  });

  it('leaves the task staging for ever when the driver hangs', () => {
    const prepare = ({ machines: m }: ReturnType<typeof cluster>) => {
      m.stuckAttaching.add('i-b');
    };
    const { time, tasks, messages } = launched(prepare, { rexray: { stuck: 'hang' } });
    time.pass(3_600_000);
    expect(tasks()).toMatchObject([{ state: 'TASK_STAGING' }]);
    expect(messages()).toEqual([]);
  });
});

describe('no volume of that name in the zone', () => {
  it('becomes a new empty one', () => {
    const { time, machines, tasks } = launched(() => {}, { zoneOfB: 'us-west-2b' });
    time.pass(20_000);
    expect(machines.calls).toEqual([
      'create mysql us-west-2b 16',
      expect.stringMatching(/^attach vol-created1 i-b /),
    ]);
    expect(tasks()).toMatchObject([{ state: 'TASK_RUNNING' }]);
  });
});

describe('unmounting', () => {
  it('detaches the volume when its task is killed in the ordinary way', () => {
    const { time, machines, call, tasks } = cluster();
    const [{ id }] = tasks();
    call('DELETE', `/service/marathon/v2/apps/mysql/tasks/${id}`);
    expect(tasks()).toMatchObject([{ state: 'TASK_KILLING' }]);
    time.pass(2000);
    expect(machines.calls).toEqual(['detach vol-1']);
    time.pass(20_000);
    expect(tasks()).toMatchObject([
      { state: 'TASK_RUNNING', healthCheckResults: [{ alive: true }] },
    ]);
    expect(machines.mounted.get('vol-1')).toBe(true);
  });

  it('cleans up after dead containers when the machine comes back with the volume', () => {
    const { time, machines } = cluster();
    machines.powerOff('i-a');
    time.pass(60_000);
    machines.powerOn('i-a');
    time.pass(31_000);
    expect(machines.calls).toEqual(['detach vol-1']);
  });

  it('touches nothing when the volume has found another owner meanwhile', () => {
    const { time, machines, markGone, agentA, tasks } = cluster();
    machines.powerOff('i-a');
    machines.tearOff('vol-1');
    markGone(agentA);
    time.pass(20_000);
    machines.powerOn('i-a');
    time.pass(60_000);
    expect(machines.calls.filter((call) => call.startsWith('detach'))).toEqual([]);
    expect(tasks()).toMatchObject([{ host: '10.0.0.11', state: 'TASK_RUNNING' }]);
  });
});
