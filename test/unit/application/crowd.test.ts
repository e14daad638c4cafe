import { describe, expect, it } from 'vitest';
import { inCrowd } from '../../../src/application/crowd.ts';
import { bucketOf } from '../../../src/domain/pace.ts';
import { createWorld } from '../../fakes/world.ts';
import { ids } from '../../support/build.ts';

const { fullMs, tokenMs } = bucketOf('DescribeInstances', 70);

describe('reads', () => {
  it('of a few incidents wait for no turn', async () => {
    const { clock, deps } = createWorld();
    const few = inCrowd(deps, 3, 'finish');
    const before = clock.now();
    for (let n = 0; n < 200; n += 1) await few.compute.instance(ids.failed);
    expect(clock.now()).toBe(before);
    expect(await deps.pace.draw('DescribeInstances', 1, clock.now())).toBeLessThan(before);
  });

  it('of a crowd wait for their turn, each at the bucket of its own API', async () => {
    const { clock, deps } = createWorld();
    const crowd = inCrowd(deps, 4, 'finish');
    const before = clock.now();
    for (let n = 0; n < 200; n += 1) await crowd.compute.instance(ids.failed);
    const waitedMs = clock.now() - before;
    expect(waitedMs).toBeGreaterThanOrEqual(200 * tokenMs - fullMs - 10 * tokenMs);
    const between = clock.now();
    await crowd.compute.volumes([ids.data]);
    expect(clock.now()).toBe(between);
  });

  it('at the beginning wait for the turn of those who begin, until there is a reason to hurry', async () => {
    const { clock, deps } = createWorld();
    const before = clock.now();
    await deps.pace.drawEarly('DescribeInstances', 200, before);
    const patient = inCrowd(deps, 4, 'begin');
    await patient.compute.instance(ids.failed);
    const patientMs = clock.now() - before;
    expect(patientMs).toBeGreaterThan(5_000);

    const between = clock.now();
    await deps.pace.drawEarly('DescribeInstances', 200, between);
    let asked = 0;
    const hurried = inCrowd(deps, 4, 'begin', async () => {
      asked += 1;
      return clock.now() - between >= 2_000;
    });
    await hurried.compute.instance(ids.failed);
    expect(clock.now() - between).toBeGreaterThanOrEqual(2_000);
    expect(clock.now() - between).toBeLessThan(3_000);
    expect(asked).toBeLessThanOrEqual(5);
  });

  it('of the status checks are not made of a machine that was just seen down', async () => {
    const { cloud, deps } = createWorld();
    const asked: string[] = [];
    const { statusChecks } = cloud;
    cloud.statusChecks = (id) => {
      asked.push(id);
      return statusChecks.call(cloud, id);
    };
    const crowd = inCrowd(deps, 4, 'finish');
    await Promise.all([crowd.compute.instance(ids.failed), crowd.compute.statusChecks(ids.failed)]);
    expect(asked).toEqual([ids.failed]);
    cloud.setInstance(ids.failed, { state: 'stopping' });
    const [, checks] = await Promise.all([
      crowd.compute.instance(ids.failed),
      crowd.compute.statusChecks(ids.failed),
    ]);
    expect(checks).toBeUndefined();
    expect(asked).toEqual([ids.failed]);
  });
});
