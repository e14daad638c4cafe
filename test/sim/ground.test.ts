import { expect, it } from 'vitest';
import { createVirtualTime } from '../../emulator/core/virtual-time.ts';
import type { SimEvent } from '../../emulator/sim/events.ts';
import { createGround } from '../../emulator/sim/ground.ts';
import { plainTraits, setSimStage } from '../../emulator/sim/stage.ts';
import { createWorld } from '../../emulator/world.ts';

it('tells an attach that an agent has begun before the next request, not when it is done', async () => {
  const time = createVirtualTime(0, 1);
  try {
    const { dcosVersion, parameters } = plainTraits;
    const world = await createWorld({ seed: 1, time, dcosVersion, parameters });
    const { app, failing } = setSimStage(world, plainTraits);
    const [volumeId = ''] = app.volumeIds;
    const events: SimEvent[] = [];
    const ground = createGround(world, (event) => events.push(event));
    const holders = () => {
      const last = events.findLast((e) => e.kind === 'volume' && e.volumeId === volumeId);
      return last?.kind === 'volume' ? last.holders.map(({ state }) => state) : undefined;
    };
    world.ec2.stop(failing.instanceId, { skipOsShutdown: true });
    await time.run({
      until: () => !world.ec2.machine(failing.instanceId)?.powered,
      horizonMs: 6e5,
    });
    world.ec2.detachVolume(volumeId, { force: false });
    await time.run({ until: () => holders()?.length === 0, horizonMs: 60_000 });
    expect(holders()).toEqual([]);

    world.ec2.attachVolume(volumeId, failing.instanceId, '/dev/xvdq');
    ground.look(false);
    expect(holders()).toEqual(['attaching']);
  } finally {
    time.uninstall();
  }
});
