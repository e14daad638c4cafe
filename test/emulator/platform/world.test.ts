import { afterEach, describe, expect, it } from 'vitest';
import { createVirtualTime, type VirtualTime } from '../../../emulator/core/virtual-time.ts';
import { createWorld, type World, type WorldOptions } from '../../../emulator/world.ts';
import { headersFor, START } from './fixture.ts';

let time: VirtualTime | undefined;
afterEach(() => {
  time?.uninstall();
  time = undefined;
});
const build = async (options: Partial<WorldOptions> = {}): Promise<World> => {
  time?.uninstall();
  const seed = options.seed ?? 1;
  time = createVirtualTime(START, seed);
  return createWorld({ ...options, seed, time });
};
const pass = (ms: number) => time?.run({ until: () => false, horizonMs: ms });

const tags = { role: 'mesos-slave', 'ebs-failover:cluster': 'demo' };
const app = {
  id: '/mysql',
  cpus: 1,
  mem: 1024,
  instances: 1,
  cmd: 'mysqld',
  container: {
    type: 'MESOS',
    volumes: [
      {
        containerPath: 'data',
        mode: 'RW',
        external: {
          name: 'mysql',
          provider: 'dvdi',
          size: 20,
          options: { 'dvdi/driver': 'rexray' },
        },
      },
    ],
  },
  upgradeStrategy: { minimumHealthCapacity: 0, maximumOverCapacity: 0 },
};

/** Three agents in one zone, one of them with the volume; it hangs after two minutes. */
const hang = async (world: World): Promise<string[]> => {
  const availabilityZone = 'us-east-1a';
  const ids = [1, 2, 3].map(() => world.ec2.seedInstance({ availabilityZone, tags }));
  const [instanceId = ''] = ids;
  for (const id of ids) world.dcos.addAgent({ instanceId: id });
  world.ec2.seedVolume({
    availabilityZone,
    name: 'mysql',
    tags: { 'ebs-failover:cluster': 'demo' },
    attachedTo: { instanceId, device: '/dev/xvdf' },
  });
  world.dcos.placeApp(app, instanceId);
  world.alarms.watch(instanceId, 'StatusCheckFailed_System');
  await pass(120_000);
  world.ec2.hang(instanceId);
  return ids;
};

describe('the world', () => {
  it('says the same twice for one seed, with all of the service at work', async () => {
    const run = async (seed: number): Promise<string> => {
      const world = await build({ seed });
      await hang(world);
      await pass(240_000);
      return JSON.stringify({
        trace: world.trace,
        calls: world.network.calls(),
        machines: world.ec2.truth(),
        cluster: world.dcos.truth(),
        slack: world.slack.messages(),
      });
    };
    const alone = await run(2);
    const other = await run(1);
    expect((await run(2)) === alone).toBe(true);
    expect(other === alone).toBe(false);
    expect(alone.includes('StateEntered AssessAgent')).toBe(true);
  });

  it('has nothing of the service in it when it was not deployed', async () => {
    const world = await build({ withFailover: false });
    await hang(world);
    await pass(900_000);
    expect(world.lambda.records()).toEqual([]);
    expect(world.states.executions()).toEqual([]);
    expect(world.network.counts()).toEqual({});
  });

  it('denies a role what its policy does not allow, in the words of EC2', async () => {
    const world = await build();
    const instanceId = world.ec2.seedInstance({ availabilityZone: 'us-east-1a', tags });
    const stop = async (accessKeyId: string): Promise<number> => {
      let status = 0;
      void world.network
        .send({
          method: 'POST',
          url: 'https://ec2.us-east-1.amazonaws.com/',
          headers: {
            ...headersFor('ec2', accessKeyId, ''),
            'content-type': 'application/x-www-form-urlencoded',
          },
          body: `Action=StopInstances&Version=2016-11-15&InstanceId.1=${instanceId}`,
        })
        .then((response) => {
          status = response.status;
          if (status === 403) expect(response.body).toContain('<Code>UnauthorizedOperation</Code>');
        });
      await time?.run({ until: () => status !== 0, horizonMs: 60_000 });
      return status;
    };
    expect(await stop('ASIASweepRole')).toBe(403);
    expect(world.ec2.truth().instances[0]?.state).toBe('running');
    expect(await stop('ASIAFenceAgentRole')).toBe(200);
  });

  it('refuses a parameter that CloudFormation would refuse', async () => {
    const parameters = { ClusterName: 'No Such Name' };
    await expect(build({ parameters })).rejects.toThrow('ClusterName');
  });
});
