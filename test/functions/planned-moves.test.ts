import { afterEach, describe, expect, it } from 'vitest';
import { readLedger } from '../../emulator/scenes/ledger-view.ts';
import { type Stage, type StageOptions, setStage } from '../../emulator/scenes/stage.ts';
import { createChecker } from '../../emulator/sim/checker.ts';
import { observe } from '../../emulator/sim/observer.ts';
import type { EpochMs } from '../../src/domain/ids.ts';
import { limits } from '../../src/domain/policy.ts';
import { type Cloud, closeClouds, openCloud } from './cloud.ts';
import { inject } from './inject.ts';

/** Judges every event of every move below against all invariants. */
let checker = createChecker();
afterEach(() => {
  closeClouds();
  expect(checker.violations).toEqual([]);
  expect(checker.events).toBeGreaterThan(100);
});

const instanceId = 'i-0a1b2c3d4e5f60718';
const GROUP = 'demo-SlaveServerGroup';
/** Two sweeps: the first adopts the volumes, the second knows the inventory. */
const SWEEPS_MS = 130_000;
/** Calls that take something away from a machine that runs. */
const FORCED = ['StopInstances', 'TerminateInstances', 'DetachVolume', 'MARK_AGENT_GONE'];

const cluster = async (
  options: Partial<StageOptions> = {},
): Promise<{ cloud: Cloud; stage: Stage }> => {
  const cloud = await openCloud();
  checker = createChecker();
  observe(cloud, checker.see);
  const stage = setStage(cloud, { group: false, alarms: false, instanceId, ...options });
  await cloud.pass(SWEEPS_MS);
  return { cloud, stage };
};

/** A person starts a state machine, as from the console. */
const startByHand = (cloud: Cloud, logicalId: string, input: object): void => {
  void cloud.network.send({
    method: 'POST',
    url: `https://states.${cloud.infra.region}.amazonaws.com/`,
    headers: {
      'content-type': 'application/x-amz-json-1.0',
      'x-amz-target': 'AWSStepFunctions.StartExecution',
      authorization: 'AWS4-HMAC-SHA256 Credential=AKIAPERSON/20261005/eu-central-1/states/x',
    },
    body: JSON.stringify({
      stateMachineArn: cloud.infra.resource(logicalId).ref,
      name: 'by-hand',
      input: JSON.stringify(input),
    }),
  });
};

const endOf = (cloud: Cloud, status: string) =>
  cloud.states.executions().find(({ output = '{}' }) => JSON.parse(output).status === status);

const callsOf = (cloud: Cloud, names: readonly string[]): string[] =>
  cloud.network
    .calls()
    .filter(
      ({ functionName, operation }) => functionName !== undefined && names.includes(operation),
    )
    .map(({ operation }) => operation);

const dataOf = (cloud: Cloud) => {
  const guests = cloud.dcos.guests.report();
  const sum = (pick: (guest: (typeof guests)[number]) => number): number =>
    guests.reduce((total, guest) => total + pick(guest), 0);
  return {
    lostRows: sum(({ lostRows }) => lostRows),
    foreignWrites: sum(({ foreignWrites }) => foreignWrites),
  };
};

/** The app runs elsewhere with its data, and nobody had to be made to let go of it. */
const expectMoved = async (cloud: Cloud, stage: Stage): Promise<void> => {
  const { incident, volumes } = await cloud.clock.busy(readLedger(cloud, instanceId));
  expect(incident).toMatchObject({ status: 'recovered', mode: 'drain' });
  expect(incident?.fence).toBeUndefined();
  expect(callsOf(cloud, FORCED)).toEqual([]);
  expect(dataOf(cloud)).toEqual({ lostRows: 0, foreignWrites: 0 });
  const task = cloud.dcos.truth().tasks.find(({ appId }) => appId === stage.app.id);
  expect(task).toMatchObject({ state: 'TASK_RUNNING', healthy: true });
  expect(task?.instanceId).not.toBe(instanceId);
  expect(volumes).toEqual([
    expect.objectContaining({
      state: 'owned',
      epoch: 1,
      from: instanceId,
      owner: task?.instanceId,
    }),
  ]);
};

describe('a move that a person asks for', () => {
  it('moves the app with its data, without a fence and without a forced call', async () => {
    const { cloud, stage } = await cluster();
    startByHand(cloud, 'DrainStateMachine', { instanceId, reason: 'new kernel' });
    await cloud.until(() => endOf(cloud, 'recovered') !== undefined);
    await expectMoved(cloud, stage);
    expect(callsOf(cloud, ['DRAIN_AGENT'])).toHaveLength(1);
  });
});

/** Through the query protocol, as the console does it. */
const autoScaling = (cloud: Cloud, action: string, params: Record<string, string>): void => {
  void cloud.network.send({
    method: 'POST',
    url: `https://autoscaling.${cloud.infra.region}.amazonaws.com/`,
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      authorization: 'AWS4-HMAC-SHA256 Credential=AKIAPERSON/20261005/eu-central-1/autoscaling/x',
    },
    body: new URLSearchParams({ Action: action, Version: '2011-01-01', ...params }).toString(),
  });
};

const HOOK = 'move-first';

/** The group is told to terminate the machine, and its hook waits; intake hears of it. */
const leave = async (cloud: Cloud, timeoutS = 300): Promise<void> => {
  autoScaling(cloud, 'PutLifecycleHook', {
    AutoScalingGroupName: GROUP,
    LifecycleHookName: HOOK,
    LifecycleTransition: 'autoscaling:EC2_INSTANCE_TERMINATING',
    HeartbeatTimeout: String(timeoutS),
    DefaultResult: 'CONTINUE',
  });
  await cloud.pass(1_000);
  autoScaling(cloud, 'TerminateInstanceInAutoScalingGroup', {
    InstanceId: instanceId,
    ShouldDecrementDesiredCapacity: 'false',
  });
  await cloud.pass(1_000);
  inject(cloud, {
    instanceId,
    source: 'auto-scaling',
    says: `Auto Scaling group ${GROUP} will terminate ${instanceId}`,
    notice: {
      kind: 'leaving',
      action: 'terminate',
      hook: { group: GROUP, hook: HOOK, token: 'x' },
    },
  });
};

describe('a machine that its Auto Scaling group is going to terminate', () => {
  it('is emptied while the hook waits, and then the group goes on', async () => {
    const { cloud, stage } = await cluster({ group: true });
    await leave(cloud);
    await cloud.until(() => endOf(cloud, 'recovered') !== undefined);
    await expectMoved(cloud, stage);
    expect(callsOf(cloud, ['CompleteLifecycleAction'])).toHaveLength(1);
    expect(callsOf(cloud, ['EnterStandby', 'SuspendProcesses'])).toEqual([]);
    await cloud.until(() => cloud.ec2.status(instanceId).state === 'terminated');
    expect(dataOf(cloud)).toEqual({ lostRows: 0, foreignWrites: 0 });
  });
});

/** AWS schedules it, and intake hears of it. */
const retire = (cloud: Cloud, inMs: number): string => {
  const deadline = (cloud.clock.now() + inMs) as EpochMs;
  const event = cloud.ec2.schedule(instanceId, {
    code: 'instance-retirement',
    notBefore: deadline,
  });
  inject(cloud, {
    instanceId,
    source: 'health',
    says: 'AWS_EC2_PERSISTENT_INSTANCE_RETIREMENT_SCHEDULED',
    notice: { kind: 'retiring', action: 'stop', deadline },
  });
  return event;
};

/** EC2 takes its capacity back in two minutes, and intake hears of it. */
const interrupt = (cloud: Cloud): void => {
  const deadline = (cloud.clock.now() + 120_000) as EpochMs;
  cloud.ec2.interruptSpot(instanceId, 'terminate');
  inject(cloud, {
    instanceId,
    source: 'spot',
    says: 'EC2 will terminate it',
    notice: { kind: 'interrupted', action: 'terminate', deadline },
  });
};

const HOUR_MS = 3_600_000;

describe('a machine that AWS retires', () => {
  it('is emptied inside its window, at the cost of one restart of the task', async () => {
    const { cloud, stage } = await cluster();
    const states: string[] = [];
    cloud.dcos.onChange((change) => {
      if (change.kind === 'task' && change.appId === stage.app.id) states.push(change.state);
    });
    retire(cloud, 6 * HOUR_MS);
    await cloud.until(() => endOf(cloud, 'recovered') !== undefined);
    await expectMoved(cloud, stage);
    expect(states.filter((state) => state === 'TASK_RUNNING')).toHaveLength(1);
    expect(states.filter((state) => state === 'TASK_KILLED')).toHaveLength(1);
  });

  it('is left alone until its window begins, and moved then', async () => {
    const { cloud, stage } = await cluster();
    retire(cloud, 24.5 * HOUR_MS);
    await cloud.until(() => endOf(cloud, 'held') !== undefined);
    const { incident } = await cloud.clock.busy(readLedger(cloud, instanceId));
    expect(incident?.hold?.reason).toBe('not-due');
    await cloud.pass(0.4 * HOUR_MS);
    expect(callsOf(cloud, ['DRAIN_AGENT', 'DEACTIVATE_AGENT'])).toEqual([]);
    await cloud.until(() => endOf(cloud, 'recovered') !== undefined);
    await expectMoved(cloud, stage);
  });

  it('is failed over at once if it fails before that', async () => {
    const { cloud } = await cluster();
    retire(cloud, 48 * HOUR_MS);
    await cloud.until(() => endOf(cloud, 'held') !== undefined);
    cloud.ec2.stop(instanceId);
    const stoppedAt = cloud.clock.now();
    await cloud.until(() => endOf(cloud, 'recovered') !== undefined);
    expect(cloud.clock.now() - stoppedAt).toBeLessThan(180_000);
    const { incident } = await cloud.clock.busy(readLedger(cloud, instanceId));
    expect(incident).toMatchObject({ mode: 'failover', verdict: { kind: 'Down' } });
    expect(dataOf(cloud)).toEqual({ lostRows: 0, foreignWrites: 0 });
  });

  it('is forgotten once AWS thinks better of it', async () => {
    const { cloud } = await cluster();
    const event = retire(cloud, 48 * HOUR_MS);
    await cloud.until(() => endOf(cloud, 'held') !== undefined);
    cloud.ec2.cancelSchedule(instanceId, event);
    await cloud.pass(HOUR_MS);
    await cloud.until(() => endOf(cloud, 'cancelled') !== undefined);
    expect(callsOf(cloud, [...FORCED, 'DRAIN_AGENT', 'DEACTIVATE_AGENT'])).toEqual([]);
  });
});

describe('a Spot machine that EC2 takes back', () => {
  it('is emptied within the two minutes', async () => {
    const { cloud, stage } = await cluster({ machine: { spot: 'one-time' } });
    interrupt(cloud);
    await cloud.until(() => endOf(cloud, 'recovered') !== undefined);
    await expectMoved(cloud, stage);
    expect(cloud.ec2.status(instanceId).state).toBe('running');
  });

  it('is failed over when EC2 is quicker, after one Stop that EC2 refuses for Spot', async () => {
    const { cloud } = await cluster({ machine: { spot: 'one-time' } });
    cloud.ec2.faults.slowDetach = () => 200_000;
    interrupt(cloud);
    await cloud.until(() => endOf(cloud, 'recovered') !== undefined);
    expect(cloud.ec2.status(instanceId).state).toBe('terminated');
    expect(callsOf(cloud, ['StopInstances', 'TerminateInstances'])).toEqual(['StopInstances']);
    const { incident } = await cloud.clock.busy(readLedger(cloud, instanceId));
    expect(incident).toMatchObject({ mode: 'failover', status: 'recovered' });
    expect(dataOf(cloud)).toEqual({ lostRows: 0, foreignWrites: 0 });
  });
});

/** Which states the executions went through, one list each, in the order they were started. */
const pathsOf = (cloud: Cloud): string[][] =>
  cloud.states
    .executions()
    .map(({ history }) =>
      history.flatMap((event) => (event.type === 'StateEntered' ? [event.state.name] : [])),
    );

describe('a planned move that cannot be finished', () => {
  it('becomes a failover when the machine fails meanwhile', async () => {
    const { cloud, stage } = await cluster({ group: true });
    await leave(cloud);
    await cloud.until(() => callsOf(cloud, ['DRAIN_AGENT']).length > 0);
    cloud.ec2.hang(instanceId);
    await cloud.until(() => endOf(cloud, 'recovered') !== undefined);
    const [move = [], failover = []] = pathsOf(cloud);
    expect(move.slice(-2)).toEqual(['TurnIncident', 'TurnedIncident']);
    expect(failover).toContain('FenceAgent');
    const { incident } = await cloud.clock.busy(readLedger(cloud, instanceId));
    expect(incident).toMatchObject({ status: 'recovered', mode: 'failover' });
    expect(incident?.fence?.proof).toHaveLength(2);
    expect(callsOf(cloud, ['StopInstances'])).toHaveLength(1);
    expect(dataOf(cloud)).toEqual({ lostRows: 0, foreignWrites: 0 });
    expect(stage).toBeDefined();
  });

  it('becomes a failover when its time is up, and not before', async () => {
    const { cloud } = await cluster({ group: true });
    let isStuck = true;
    cloud.ec2.faults.slowDetach = () => (isStuck ? Number.POSITIVE_INFINITY : 0);
    const began = cloud.clock.now();
    await leave(cloud);
    await cloud.until(() => callsOf(cloud, ['StopInstances']).length > 0);
    const waitedMs = cloud.clock.now() - began;
    isStuck = false;
    expect(waitedMs).toBeGreaterThan(limits.leavingMs - 60_000);
    expect(waitedMs).toBeLessThan(limits.leavingMs + 5_000);
    const { incident } = await cloud.clock.busy(readLedger(cloud, instanceId));
    expect(incident?.verdict).toMatchObject({ kind: 'Leaving' });
    await cloud.until(() => endOf(cloud, 'recovered') !== undefined);
    expect(dataOf(cloud)).toEqual({ lostRows: 0, foreignWrites: 0 });
  });
});
