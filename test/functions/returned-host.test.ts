import { afterEach, describe, expect, it } from 'vitest';
import { setStage } from '../../emulator/scenes/stage.ts';
import { type Cloud, closeClouds, openCloud } from './cloud.ts';

afterEach(closeClouds);

const instanceId = 'i-0a1b2c3d4e5f60718';
/** Two sweeps: the first adopts the volumes, the second knows the inventory. */
const SWEEPS_MS = 130_000;
/** Booted, refused under its old id, found by a sweep, and waited for. */
const RETURN_MS = 300_000;

const ends = (cloud: Cloud): unknown[] =>
  cloud.states.executions().map(({ output }) => JSON.parse(output ?? '{}').status);

const recovered = (cloud: Cloud, count: number) =>
  cloud.until(() => ends(cloud).filter((end) => end === 'recovered').length >= count);

const tagOf = (cloud: Cloud): string | undefined =>
  cloud.ec2.truth().instances.find((i) => i.instanceId === instanceId)?.tags[
    'ebs-failover:quarantined'
  ];

const agentAt = (cloud: Cloud) =>
  cloud.dcos.agents().findLast((agent) => agent.instanceId === instanceId);

const calls = (cloud: Cloud, api: string): number =>
  cloud.ec2.calls().filter((call) => call.api === api && call.outcome === 'ok').length;

/** Fenced, recovered elsewhere, and its host started again with its agent's work directory wiped. */
const returned = async (): Promise<Cloud> => {
  const cloud = await openCloud();
  setStage(cloud, { group: false, alarms: false, instanceId });
  await cloud.pass(SWEEPS_MS);
  cloud.ec2.stop(instanceId);
  await recovered(cloud, 1);
  cloud.ec2.start(instanceId);
  await cloud.pass(60_000);
  cloud.dcos.faults.reinstallAgent(instanceId);
  return cloud;
};

const unfence = async (cloud: Cloud, body: object) => {
  const name = 'ebs-failover-main-unfence';
  let answer: string | undefined;
  const sent = cloud.network.send({
    method: 'POST',
    url: `https://lambda.eu-central-1.amazonaws.com/2015-03-31/functions/${name}/invocations`,
    headers: {
      authorization: 'AWS4-HMAC-SHA256 Credential=AKIAPERSON/20261005/eu-central-1/lambda/x',
    },
    body: JSON.stringify(body),
  });
  void sent.then(({ body: said }) => {
    answer = said;
  });
  // The clock has to run for it.
  await cloud.until(() => answer !== undefined);
  return JSON.parse(answer ?? '');
};
const asked = { instanceId, requestedBy: 'ana', reason: 'the fan is new' };

describe('a fenced host that runs again', () => {
  it('is found, gets no work, and nothing is taken from the new owner of its volume', async () => {
    const cloud = await returned();
    const detached = calls(cloud, 'DetachVolume');
    await recovered(cloud, 2);
    const agent = agentAt(cloud);
    expect(agent?.state).toBe('registered');
    expect(tagOf(cloud)).toMatch(/^demo#i-\w+#1$/);
    expect(calls(cloud, 'StopInstances')).toBe(0);
    expect(calls(cloud, 'DetachVolume')).toBe(detached);
    expect(cloud.dcos.guests.foreignRows()).toBe(0);
    await cloud.pass(RETURN_MS);
    expect(ends(cloud).filter((end) => end === 'recovered')).toHaveLength(2);
  });

  it('is un-fenced by a person, and works again like every other agent', async () => {
    const cloud = await returned();
    await recovered(cloud, 2);
    expect(await unfence(cloud, asked)).toMatchObject({
      kind: 'unfenced',
      agentIds: [agentAt(cloud)?.agentId],
    });
    expect(tagOf(cloud)).toBeUndefined();
    await cloud.pass(RETURN_MS);
    expect(cloud.states.executions()).toHaveLength(2);
    expect(await unfence(cloud, asked)).toMatchObject({ kind: 'refused' });
  });

  it('is not un-fenced while its incident is open, nor without a name and a reason', async () => {
    const cloud = await returned();
    await cloud.until(() => cloud.states.executions().length === 2);
    const { why } = await unfence(cloud, asked);
    expect(why.join('; ')).toMatch(/incident demo#i-\w+#2 is open about it/);
    expect(await unfence(cloud, { instanceId })).toMatchObject({ errorType: 'ParseError' });
    await recovered(cloud, 2);
  });
});
