import { afterEach, describe, expect, it } from 'vitest';
import { setStage } from '../../emulator/scenes/stage.ts';
import { PhaseEvent } from '../../src/contracts/phase-event.ts';
import { type Cloud, closeClouds, openCloud, sampleEvent } from './cloud.ts';
import { order } from './person.ts';

afterEach(closeClouds);

const instanceId = 'i-0a1b2c3d4e5f60718';
const SWEEPS_MS = 130_000;
const NOTICED_MS = 200_000;

interface Heard {
  readonly cloud: Cloud;
  readonly stage: ReturnType<typeof setStage>;
  readonly phases: () => string[];
  /** What a subscriber with the contract in hand would not understand. */
  readonly misunderstood: unknown[];
}

/** Somebody else who subscribes to the bus, as far as the rule of notify hears it. */
const subscribed = async (
  options: Parameters<typeof openCloud>[1] = {},
  crowd = 0,
): Promise<Heard> => {
  const cloud = await openCloud(1, options);
  const stage = setStage(cloud, { group: false, alarms: false, instanceId, crowd });
  const understood: PhaseEvent[] = [];
  const misunderstood: unknown[] = [];
  cloud.events.onDelivery(({ event }) => {
    if (event.source !== 'ebs-failover') return;
    const { data, error } = PhaseEvent.safeParse(event);
    if (data) understood.push(data);
    else misunderstood.push(error);
  });
  await cloud.pass(SWEEPS_MS);
  return {
    cloud,
    stage,
    misunderstood,
    phases: () => understood.map(({ detail }) => detail.phase),
  };
};
const statuses = (cloud: Cloud): string[] =>
  cloud.states.executions().flatMap(({ output }) => JSON.parse(output ?? '{}').status ?? []);

describe('the events on the bus', () => {
  it('tell every phase of a failover by the published contract', async () => {
    const { cloud, misunderstood, phases } = await subscribed();
    cloud.ec2.stop(instanceId);
    await cloud.until(() => statuses(cloud).includes('recovered'));
    await cloud.pass(5_000);
    expect([...new Set(phases())].sort()).toEqual(
      ['assessed', 'fenced', 'handed-off', 'protected', 'recovered', 'released'].sort(),
    );
    expect(misunderstood).toEqual([]);
  }, 60_000);

  it('tell of a hold, and of an end without a failover', async () => {
    const { cloud, misunderstood, phases } = await subscribed();
    await order(cloud, { action: 'pause' });
    // The machine is well, whatever the alarm says.
    cloud.events.publish(sampleEvent('alarm-any-check'));
    await cloud.pass(60_000);
    await order(cloud, { action: 'unpause' });
    await cloud.until(() => statuses(cloud).includes('cancelled'));
    await cloud.pass(5_000);
    expect(new Set(phases())).toEqual(new Set(['held', 'cancelled']));
    expect(misunderstood).toEqual([]);
  }, 60_000);

  it('tell of a storm once for all that wait', async () => {
    const { cloud, misunderstood, phases, stage } = await subscribed(
      { parameters: { StormLimit: '1' } },
      3,
    );
    const hung = [instanceId, ...stage.crowd.map((one) => one.instanceId)];
    for (const one of hung) cloud.ec2.hang(one);
    await cloud.pass(2 * NOTICED_MS);
    expect(phases()).toContain('storm');
    expect(misunderstood).toEqual([]);
    expect(cloud.sns.published().map(({ subject }) => subject)).toContainEqual(
      expect.stringMatching(/^\[demo\] storm: \d agents? wait/),
    );
  }, 120_000);
});
