import { describe, expect, it } from 'vitest';
import { webApp } from '../../emulator/scenes/apps.ts';
import type { SceneOptions } from '../../emulator/scenes/run.ts';
import { playScene } from '../../emulator/scenes/scene.ts';
import type { Stage } from '../../emulator/scenes/stage.ts';
import type { World } from '../../emulator/world.ts';

const twoVolumes = {
  id: '/db/pg',
  cpus: 1,
  mem: 512,
  instances: 1,
  cmd: 'postgres',
  container: {
    type: 'MESOS',
    volumes: ['pg-data', 'pg-wal'].map((name) => ({
      containerPath: name,
      mode: 'RW',
      external: { name, provider: 'dvdi', size: 20, options: { 'dvdi/driver': 'rexray' } },
    })),
  },
  upgradeStrategy: { minimumHealthCapacity: 0, maximumOverCapacity: 0 },
};

const play = (options: Partial<SceneOptions> = {}) =>
  playScene({ scene: 'hung', seed: 1, ...options });

describe('a failed agent', () => {
  it.each(['hung', 'stopped', 'terminated'] as const)(
    '%s: comes back with its data',
    async (scene) => {
      let world: World | undefined;
      const report = await play({
        scene,
        prepare: (made) => {
          world = made;
        },
      });
      expect(report.outcome).toBe('recovered');
      expect(report.data).toMatchObject({ lostRows: 0, foreignWrites: 0 });
      expect(report.data.rowsAfter).toBeGreaterThan(report.data.rowsBefore);
      const [app] = report.apps;
      expect(app).toMatchObject({ id: '/mysql', fromHost: report.agent.privateIp, healthy: true });
      expect(report.volumes.map(({ epoch }) => epoch)).toEqual([1]);
      const instances = world?.ec2.truth().instances ?? [];
      const target = instances.find(({ privateIp }) => privateIp === app?.toHost);
      expect(target?.availabilityZone).toBe(report.agent.availabilityZone);
      expect(target?.instanceId).toBe(report.volumes[0]?.toInstanceId);
    },
  );

  it.each(['hung', 'stopped', 'terminated'] as const)(
    '%s: two reads after the last command prove one incarnation down',
    async (scene) => {
      let world: World | undefined;
      const report = await play({
        scene,
        prepare: (made) => {
          world = made;
        },
      });
      const [first, second] = report.fence?.proof ?? [];
      expect(first?.launchTime).toBe(report.agent.launchTime);
      expect(second?.launchTime).toBe(report.agent.launchTime);
      const commands = (world?.ec2.calls() ?? []).filter(({ api }) =>
        ['StopInstances', 'TerminateInstances'].includes(api),
      );
      expect(commands).toHaveLength(scene === 'hung' ? 1 : 0);
      const lastCommand = Math.max(0, ...commands.map(({ at }) => at));
      expect(Date.parse(first?.at ?? '')).toBeGreaterThan(lastCommand);
      expect(Date.parse(second?.at ?? '')).toBeGreaterThan(Date.parse(first?.at ?? ''));
    },
  );

  it('needs little more than EC2 and DC/OS themselves need', async () => {
    const { phasesMs, floorMs, overheadMs } = await play();
    const { total = 0, ...parts } = phasesMs ?? {};
    expect(Object.values(parts).reduce((sum, part) => sum + part, 0)).toBe(total);
    expect(total - (floorMs ?? 0)).toBe(overheadMs);
    expect(overheadMs).toBeGreaterThan(0);
    expect(overheadMs).toBeLessThan(5_000);
  });

  it('moves every volume of an app, and an app without health checks', async () => {
    const report = await play({ app: twoVolumes });
    expect(report.outcome).toBe('recovered');
    expect(report.volumes.map(({ name, epoch }) => ({ name, epoch }))).toEqual([
      { name: 'pg-data', epoch: 1 },
      { name: 'pg-wal', epoch: 1 },
    ]);
    expect(report.calls.ec2?.DetachVolume).toBe(2);
  });

  it.each(['1.10', '1.12.4', '2.2'])('is handed over to DC/OS %s too', async (dcosVersion) => {
    const report = await play({ dcosVersion });
    expect(report).toMatchObject({ outcome: 'recovered', data: { lostRows: 0, foreignWrites: 0 } });
  });

  it('is held for a person while something else on it keeps local persistent volumes', async () => {
    const keeper = {
      id: '/keeper',
      cpus: 0.1,
      mem: 64,
      instances: 1,
      cmd: 'keep',
      container: {
        type: 'MESOS',
        volumes: [{ containerPath: 'data', mode: 'RW', persistent: { size: 100 } }],
      },
      residency: { taskLostBehavior: 'WAIT_FOREVER' },
    };
    const report = await play({
      prepare: (world, { failing }) => world.dcos.placeApp(keeper, failing.instanceId),
    });
    expect(report.outcome).toBe('held');
    expect(report.calls.ec2).not.toHaveProperty('StopInstances');
    expect(report.volumes[0]?.epoch ?? 0).toBe(0);
  });
});

describe('without ebs-failover', () => {
  it('a hung agent keeps its volume and the service stays down, retry after retry', async () => {
    const report = await play({ without: true });
    expect(report.outcome).toBe('down');
    expect(report.retries.failedLaunches).toBeGreaterThan(10);
    expect(report.retries.longestPauseMs).toBeGreaterThan(60_000);
    expect(report.incident).toBeNull();
    expect(report.calls.ec2).toEqual({});
  });

  it.each(['stopped', 'terminated'] as const)('%s: the outage lasts', async (scene) => {
    expect(await play({ scene, without: true })).toMatchObject({ outcome: 'down', fence: null });
  });
});

describe('the same seed', () => {
  it.each(['hung', 'stopped', 'terminated'] as const)(
    '%s: prints the same document',
    async (scene) => {
      const [once, twice] = [await play({ scene, seed: 7 }), await play({ scene, seed: 7 })];
      expect(JSON.stringify(twice)).toBe(JSON.stringify(once));
    },
  );

  it('leaves no trace in the next world, byte for byte', async () => {
    const traceOf = async (): Promise<string> => {
      let world: World | undefined;
      await play({
        seed: 8,
        prepare: (made) => {
          world = made;
        },
      });
      return JSON.stringify(world?.trace);
    };
    const alone = await traceOf();
    await play({ seed: 9 });
    expect(await traceOf()).toBe(alone);
    expect(alone.length).toBeGreaterThan(10_000);
  });

  it('differs from another one', async () => {
    const [one, other] = [await play({ seed: 10 }), await play({ seed: 11 })];
    expect(other.phasesMs).not.toEqual(one.phasesMs);
  });
});

describe('the oracle bites', () => {
  const later = (world: World, delayMs: number, act: () => void): void => {
    world.time.after(delayMs, act);
  };

  it('a force-detach without a fence lets two write', async () => {
    const report = await play({
      without: true,
      prepare: (world, { app }: Stage) => {
        later(world, 300_000, () => {
          for (const id of app.volumeIds) world.ec2.detachVolume(id, { force: true });
        });
      },
    });
    expect(report.data.foreignWrites).toBeGreaterThan(0);
  });

  it('a launch in another zone finds an empty volume: every row is lost', async () => {
    const report = await play({
      scene: 'terminated',
      without: true,
      prepare: (world, { agents }: Stage) => {
        for (const [index, { instanceId }] of agents.slice(1).entries()) {
          const filler = { ...webApp, id: `/filler-${index}`, cpus: 4, mem: 1_024 };
          world.dcos.placeApp(filler, instanceId);
        }
        const availabilityZone = 'us-east-1b';
        world.dcos.addAgent({ instanceId: world.ec2.seedInstance({ availabilityZone }) });
      },
    });
    expect(report.apps[0]?.toHost).not.toBeNull();
    expect(report.data.lostRows).toBeGreaterThanOrEqual(report.data.rowsBefore);
  });

  it('two seconds more in a step are two seconds more of overhead', async () => {
    const plain = await play({ seed: 3 });
    let delayed = 0;
    const slow = await play({
      seed: 3,
      prepare: (world) => {
        world.faults.intercept = (_request, { operation }) => {
          if (operation !== 'MARK_AGENT_GONE') return 'pass';
          delayed += 1;
          return { delayMs: 2_000 };
        };
      },
    });
    expect(delayed).toBe(1);
    expect((slow.overheadMs ?? 0) - (plain.overheadMs ?? 0)).toBe(2_000);
  });
});
