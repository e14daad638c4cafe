import { afterEach, describe, expect, it } from 'vitest';
import { setStage } from '../../emulator/scenes/stage.ts';
import type { SlackTrouble } from '../../emulator/services/slack/slack.ts';
import { type Cloud, closeClouds, openCloud, sampleEvent } from './cloud.ts';

afterEach(closeClouds);

const instanceId = 'i-0a1b2c3d4e5f60718';
/** Two sweeps: the first adopts the volumes, the second knows the inventory. */
const SWEEPS_MS = 130_000;
/** By then EC2 itself calls the instance impaired. */
const NOTICED_MS = 200_000;
/** Lambda's two repeats, and then some. */
const PARKED_MS = 400_000;
/** The longest time for which the queue hides what could not be delivered, and its gathering. */
const BROUGHT_AGAIN_MS = 430_000;

interface Told {
  readonly cloud: Cloud;
  readonly status: string;
  /** Every changing call to EC2, and when, counted from the signal. */
  readonly changes: readonly { readonly api: string; readonly ms: number }[];
  readonly tookMs: number;
}

const changesOf = (cloud: Cloud, since: number) =>
  cloud.network
    .calls()
    .filter(({ at, operation, service }) => {
      const changes = ['ec2', 'autoscaling', 'mesos', 'marathon'].includes(service);
      return at >= since && changes && !/^(?:Describe|GET)/.test(operation);
    })
    .map(({ at, operation }) => ({ api: operation, ms: at - since }));

const outputs = (cloud: Cloud): string[] =>
  cloud.states.executions().flatMap(({ output }) => JSON.parse(output ?? '{}').status ?? []);

/** A hung agent, failed over while Slack answers like this. */
const incident = async (trouble?: SlackTrouble): Promise<Told> => {
  const cloud = await openCloud();
  setStage(cloud, { group: false, alarms: false, instanceId });
  await cloud.pass(SWEEPS_MS);
  cloud.slack.trouble(trouble);
  cloud.ec2.hang(instanceId);
  await cloud.pass(NOTICED_MS);
  const since = cloud.clock.now();
  cloud.events.publish(sampleEvent('alarm-any-check'));
  await cloud.until(() => outputs(cloud).length > 0);
  const tookMs = cloud.clock.now() - since;
  const [status = ''] = outputs(cloud);
  return { cloud, status, changes: changesOf(cloud, since), tookMs };
};

const parkedIn = (cloud: Cloud): number =>
  cloud.sqs.messages(cloud.infra.resource('NotifyDeadLetterQueue').arn).length;

/** Ours share one emulated network with notify, whose calls shift the latencies drawn for others. */
const NOISE_MS = 400;

const down: readonly [string, SlackTrouble][] = [
  ['down', { kind: 'http', status: 503 }],
  ['asking for patience', { kind: 'ratelimited', retryAfterSeconds: 3_600 }],
  ['refusing the token', { kind: 'error', error: 'token_revoked' }],
];

describe.each(down)('Slack %s for the whole incident', (_, trouble) => {
  it('changes nothing about it, and what it was not told is told once when it is back', async () => {
    const good = await incident();
    expect(good.cloud.slack.messages()).toHaveLength(1);
    closeClouds();
    const told = await incident(trouble);

    expect(told.status).toBe('recovered');
    expect(told.changes.map(({ api }) => api)).toEqual(good.changes.map(({ api }) => api));
    for (const [nth, { ms }] of told.changes.entries()) {
      expect(Math.abs(ms - (good.changes[nth]?.ms ?? 0))).toBeLessThan(NOISE_MS);
    }
    expect(Math.abs(told.tookMs - good.tookMs)).toBeLessThan(NOISE_MS);

    const { cloud } = told;
    await cloud.pass(PARKED_MS);
    expect(cloud.slack.messages()).toEqual([]);
    expect(parkedIn(cloud)).toBeGreaterThan(1);
    await cloud.pass(2 * BROUGHT_AGAIN_MS);
    expect(parkedIn(cloud)).toBeGreaterThan(1);
    // Who asks for patience is asked for nothing more meanwhile; anybody else is tried again and again.
    const asked = cloud.network.calls().filter(({ service }) => service === 'slack');
    if (trouble.kind === 'ratelimited') expect(asked).toHaveLength(1);
    else expect(asked.length).toBeGreaterThan(3);

    cloud.slack.trouble(undefined);
    // Whoever asked for an hour's patience gets it.
    await cloud.pass(trouble.kind === 'ratelimited' ? 3_600_000 : BROUGHT_AGAIN_MS);
    await cloud.pass(BROUGHT_AGAIN_MS);
    expect(cloud.slack.messages()).toMatchObject([{ updatedAt: [] }]);
    expect(cloud.slack.messages()[0]?.text).toContain('recovered');
    expect(parkedIn(cloud)).toBe(0);
  }, 120_000);
});
