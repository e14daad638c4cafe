import { afterEach, describe, expect, it } from 'vitest';
import { catalogMysql } from '../../emulator/scenes/apps.ts';
import { type Stage, setStage } from '../../emulator/scenes/stage.ts';
import { type Cloud, closeClouds, openCloud, sampleEvent } from './cloud.ts';

afterEach(closeClouds);

const instanceId = 'i-0a1b2c3d4e5f60718';
/** Two sweeps: the first adopts the volumes, the second knows the inventory. */
const SWEEPS_MS = 130_000;
/** By then EC2 itself calls the instance impaired. */
const NOTICED_MS = 200_000;

/** EC2 tells of our own stop as well: once that it begins, once that it is done. */
const OWN_EVENTS = 2;

const cluster = async (
  prepare: (cloud: Cloud, stage: Stage) => void = () => {},
): Promise<{ cloud: Cloud; stage: Stage }> => {
  const cloud = await openCloud();
  const stage = setStage(cloud, { group: false, alarms: false, instanceId });
  prepare(cloud, stage);
  await cloud.pass(SWEEPS_MS);
  return { cloud, stage };
};

/** A cluster whose first agent has hung long enough for somebody to notice. */
const hungAgent = async (): Promise<Cloud> => {
  const { cloud } = await cluster();
  cloud.ec2.hang(instanceId);
  await cloud.pass(NOTICED_MS);
  return cloud;
};

const statusOf = ({ output }: { output?: string }): unknown => {
  const end: unknown = JSON.parse(output ?? '{}');
  return typeof end === 'object' && end !== null && 'status' in end ? end.status : undefined;
};

const worked = (cloud: Cloud): Set<string> => {
  const workers = new Set<string>();
  for (const { arn, history } of cloud.states.executions()) {
    const fences = history.some(
      (event) => event.type === 'StateEntered' && event.state.name === 'FenceAgent',
    );
    if (fences) workers.add(arn);
  }
  return workers;
};

/** How often a metric of a function was counted. */
const counted = (cloud: Cloud, key: string, metric: string): number =>
  cloud
    .printed(key)
    .map((line) => line[metric])
    .filter((count) => typeof count === 'number')
    .reduce((sum, count) => sum + count, 0);

const untilRecovered = (cloud: Cloud): Promise<void> =>
  cloud.until(() => cloud.states.executions().some((e) => statusOf(e) === 'recovered'));

const expectOneFailover = (cloud: Cloud): void => {
  expect(counted(cloud, 'intake', 'IncidentOpened')).toBe(1);
  expect(worked(cloud).size).toBe(1);
  const api = cloud.ec2.calls().map((call) => call.api);
  expect(api.filter((name) => name === 'StopInstances')).toHaveLength(1);
  expect(api.filter((name) => name === 'TerminateInstances')).toEqual([]);
};

describe('one failure', () => {
  it('told ten times by the same event is one incident and one stop', async () => {
    const cloud = await hungAgent();
    const alarm = sampleEvent('alarm-any-check');
    for (let copy = 0; copy < 10; copy += 1) cloud.events.publish(alarm);
    await untilRecovered(cloud);
    expect(counted(cloud, 'intake', 'Admitted')).toBe(10 + OWN_EVENTS);
    expectOneFailover(cloud);
  });

  it('told by two witnesses at the same moment is one incident and one stop', async () => {
    const cloud = await hungAgent();
    cloud.events.publish(sampleEvent('alarm-any-check'));
    cloud.events.publish(sampleEvent('health-issue'));
    await untilRecovered(cloud);
    expect(counted(cloud, 'intake', 'Admitted')).toBe(2 + OWN_EVENTS);
    expectOneFailover(cloud);
  });

  it('told again by a person joins the execution that works', async () => {
    const cloud = await hungAgent();
    cloud.events.publish(sampleEvent('alarm-any-check'));
    await cloud.until(() => worked(cloud).size > 0);
    const [machine] = cloud.infra.ofType('AWS::StepFunctions::StateMachine');
    void cloud.network.send({
      method: 'POST',
      url: 'https://states.eu-central-1.amazonaws.com/',
      headers: {
        'content-type': 'application/x-amz-json-1.0',
        'x-amz-target': 'AWSStepFunctions.StartExecution',
        authorization: 'AWS4-HMAC-SHA256 Credential=AKIAPERSON/20261005/eu-central-1/states/x',
      },
      body: JSON.stringify({
        stateMachineArn: machine?.arn,
        name: 'by-hand',
        input: JSON.stringify({ instanceId, reason: 'it hangs' }),
      }),
    });
    await untilRecovered(cloud);
    const byHand = cloud.states.executions().find(({ name }) => name === 'by-hand');
    const [worker] = worked(cloud);
    expect(JSON.parse(byHand?.output ?? '{}')).toMatchObject({ kind: 'joined', execution: worker });
    expectOneFailover(cloud);
  });
});

describe('the echo of our own stop', () => {
  it('in an alarm without data and a termination by the group opens nothing', async () => {
    const cloud = await openCloud();
    setStage(cloud, { group: false, alarms: true, instanceId });
    await cloud.pass(SWEEPS_MS);
    cloud.ec2.hang(instanceId);
    await untilRecovered(cloud);
    const begun = cloud.states.executions().length;
    cloud.events.publish(sampleEvent('asg-terminate-successful'));
    await cloud.pass(600_000);
    const echoes = cloud
      .printed('intake')
      .filter(({ message }) => message === 'woken for nothing')
      .map(({ says, why }) => ({ says, why }));
    const seenTo = expect.stringContaining('has seen to it');
    expect(echoes).toEqual([
      { says: expect.stringContaining('has terminated'), why: seenTo },
      { says: expect.stringContaining('hears no more of'), why: seenTo },
    ]);
    expect(cloud.states.executions()).toHaveLength(begun);
    expectOneFailover(cloud);
  });
});

describe('a failure of which only Auto Scaling told', () => {
  it('is found by that event, once EC2 itself calls the machine down', async () => {
    const { cloud } = await cluster();
    cloud.faults.deliver = ({ source }) => (source === 'aws.autoscaling' ? [{ delayMs: 0 }] : []);
    cloud.events.publish(sampleEvent('asg-terminate-successful'));
    await cloud.pass(10_000);
    expect(cloud.states.executions()).toEqual([]);
    cloud.ec2.stop(instanceId);
    cloud.events.publish(sampleEvent('asg-terminate-successful', { id: 'another' }));
    await untilRecovered(cloud);
    expect(counted(cloud, 'intake', 'IncidentOpened')).toBe(1);
    expect(counted(cloud, 'sweep', 'FailureFoundBySweep')).toBe(0);
  });
});

/** Another database on the second agent: without data on it there would be nothing to do. */
const placeOrders = (cloud: Cloud, { zone, agents }: Stage): void => {
  const to = agents[1]?.instanceId ?? '';
  const text = JSON.stringify(catalogMysql).replaceAll('mysql"', 'orders"');
  cloud.ec2.seedVolume({
    availabilityZone: zone,
    name: 'orders',
    attachedTo: { instanceId: to, device: '/dev/xvdf' },
  });
  cloud.dcos.placeApp(JSON.parse(text), to);
};

describe('two failures', () => {
  it('of two agents are two incidents, each with an execution of its own', async () => {
    const { cloud, stage } = await cluster(placeOrders);
    for (const agent of stage.agents.slice(0, 2)) cloud.ec2.stop(agent.instanceId);
    await cloud.until(() => worked(cloud).size === 2);
    expect(counted(cloud, 'intake', 'IncidentOpened')).toBe(2);
  });
});
