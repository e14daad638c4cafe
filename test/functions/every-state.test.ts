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
  readonly parameters?: Readonly<Record<string, string>>;
  readonly n?: number;
  /** What else a person does once it may go on. */
  after?(cloud: Cloud, incidentId: string): Promise<unknown>;
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
  'a failover that must be approved': {
    machine: 'FailoverStateMachine',
    parameters: { ApprovalVerdicts: 'Ordered' },
    begin: (cloud) => start(cloud, 'FailoverStateMachine', { instanceId, reason: 'drill' }),
    after: async (cloud, incidentId) => {
      await cloud.pass(10_000);
      return order(cloud, { action: 'approve', incidentId, approvalId: 'a1' });
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

const opened = async ({ group = false, parameters = {} }: Scenario): Promise<Cloud> => {
  const cloud = await openCloud(1, { tables: {}, parameters });
  checker = createChecker();
  observe(cloud, checker.see);
  setStage(cloud, { group, alarms: true, instanceId });
  await cloud.pass(SWEEPS_MS);
  return cloud;
};

/** In which scenario an execution is met in which state. */
const met: Readonly<Record<keyof typeof scenarios, readonly string[]>> = {
  'a failover by hand': [
    'RouteRequest',
    'OpenIncident',
    'RouteOpening',
    'KeepKeys',
    'AssessAgent',
    'RouteAssessment',
    'ProtectData',
    'RouteProtection',
    'FenceAgent',
    'RouteFence',
    'WaitForFence',
    'ReleaseVolumes',
    'ReleaseVolume',
    'RouteRelease',
    'WaitForRelease',
    'EndRelease',
    'HandOff',
    'RouteHandOff',
    'VerifyRecovery',
    'RouteRecovery',
    'CloseIncident',
    'RouteEnd',
  ],
  'a failover that must be approved': ['AwaitApproval'],
  'a failure that an event tells of': ['KeepKeys', 'ProtectData', 'FenceAgent'],
  'a failure that ends before the fence': ['UndoProtection', 'CloseIncident'],
  'a fenced host that is back': ['QuarantineAgent', 'RouteQuarantine', 'WaitForQuarantine'],
  'a hold': ['HoldIncident', 'RouteHold', 'WaitInHold', 'ResumeFromHold'],
  'a move by hand': [
    'RouteRequest',
    'OpenIncident',
    'RouteOpening',
    'KeepKeys',
    'AssessDrain',
    'RouteAssessment',
    'ProtectData',
    'RouteProtection',
    'DrainAgent',
    'RouteDrain',
    'VerifyRecovery',
    'RouteRecovery',
    'CloseIncident',
    'RouteEnd',
  ],
  'a move whose machine fails': ['TurnIncident'],
  'a move that is held': ['HoldIncident', 'RouteHold', 'WaitInHold', 'ResumeFromHold'],
};

/** Waits between two looks of a step that is met itself, and states in which an execution ends. */
const notMet = [
  'WaitForEvidence',
  'WaitForHandOff',
  'WaitForRecovery',
  'WaitForDrain',
  'LeaveVolume',
  'UndoProtection',
  'TurnIncident',
  'ReportEnd',
  'ReportPlan',
];

/** Where an order may find no incident, or one that ended while it was on its way. */
const tooEarlyOrLate: Readonly<Record<string, RegExp>> = {
  OpenIncident: /no incident/,
  CloseIncident: /is over: it was/,
  RouteEnd: /is over: it was/,
};

/** Time that passes while nobody has let go. The sweep comes by more than once. */
const QUIET_MS = 200_000;
/** What was read this long before, and the intent that followed, still count. */
const FRESH_MS = 2_600;

interface Way {
  say(cloud: Cloud, incidentId: string, executionArn: string): Promise<Record<string, unknown>>;
  /** Until then what was under way may still arrive. */
  readonly graceMs: number;
  readonly quietMs: number;
  letGo(cloud: Cloud, incidentId: string): Promise<unknown>;
}

const ways: Readonly<Record<string, Way>> = {
  pauses: {
    say: (cloud) => order(cloud, { action: 'pause' }),
    graceMs: FRESH_MS,
    quietMs: QUIET_MS,
    letGo: (cloud) => order(cloud, { action: 'unpause' }),
  },
  holds: {
    say: (cloud, incidentId) => order(cloud, { action: 'hold', incidentId }),
    graceMs: 600,
    quietMs: QUIET_MS,
    letGo: (cloud, incidentId) => order(cloud, { action: 'resume', incidentId }),
  },
  aborts: {
    say: (cloud, _, executionArn) => states(cloud, 'StopExecution', { executionArn }),
    // Until the event has told of it.
    graceMs: FRESH_MS,
    quietMs: 50_000,
    letGo: (cloud, incidentId) => order(cloud, { action: 'resume', incidentId }),
  },
};

/** Choices and passes take no time: one way of stopping each is enough, by turns. */
const cases = Object.entries(met).flatMap(([name, names]) => {
  const scenario: Scenario = scenarios[name as keyof typeof scenarios];
  const file = scenario.machine === 'DrainStateMachine' ? 'drain' : 'failover';
  const machine = machineFiles.find((one) => one.file === `${file}.asl.json`)?.machine;
  if (machine === undefined) throw new RangeError(`no ${file}.asl.json`);
  const placed = placedStates(machine);
  return names.flatMap((state, index) => {
    const type = placed.find((one) => one.name === state)?.state.Type ?? '';
    const all = Object.keys(ways);
    const some = ['Task', 'Wait', 'Map'].includes(type) ? all : [all[index % all.length] ?? ''];
    return some.map((way) => ({ name, scenario, state, way, file }));
  });
});

/** The first time the incident's execution is there. */
const reach = (cloud: Cloud, wanted: string, nth: number): Promise<string> =>
  new Promise((resolve) => {
    let isOver = false;
    cloud.states.onTransition(({ executionArn, kind, state }) => {
      if (isOver || kind !== 'StateEntered' || state !== wanted) return;
      if (nth === 2 && !executionArn.includes(`${instanceId}-2-`)) return;
      isOver = true;
      resolve(executionArn);
    });
  });

const isThere = async (cloud: Cloud): Promise<boolean> =>
  (await incidentOf(cloud, instanceId)) !== undefined;

describe.each(cases)('$name: a person $way it in $state', ({ scenario, state, way: how }) => {
  it('nothing more is changed, and let go it ends as it would have', async () => {
    const way = ways[how];
    if (way === undefined) throw new RangeError(how);
    const { n = 1 } = scenario;
    const incidentId = `demo#${instanceId}#${n}`;
    const cloud = await opened(scenario);
    let met: string | undefined;
    void reach(cloud, state, n).then((arn) => {
      met = arn;
    });
    await scenario.begin(cloud);
    await cloud.until(() => met !== undefined);
    const answer = await way.say(cloud, incidentId, met ?? '');
    if (answer.kind === 'refused') {
      // Before the gate there is nothing to hold yet, after the end nothing more; the person is told so.
      expect(answer.says).toMatch(tooEarlyOrLate[state] ?? /^never$/);
      return;
    }
    const saidAt = cloud.clock.now();
    await cloud.pass(way.quietMs);
    const late = changesOf(cloud).filter(({ at }) => at > saidAt + way.graceMs);
    expect(late).toEqual([]);
    // Said before there was anything to hold: the gate had not been passed.
    if (how !== 'pauses' && !(await isThere(cloud))) {
      await scenario.begin(cloud);
    } else {
      await way.letGo(cloud, incidentId);
    }
    await scenario.after?.(cloud, incidentId);
    expect(answer).not.toMatchObject({ errorType: expect.anything() });
    await cloud.until(() => ended(cloud, n));
    expect(['recovered', 'cancelled']).toContain((await incidentOf(cloud, instanceId))?.status);
    expect(cloud.dcos.guests.foreignRows()).toBe(0);
  });
});

describe('the states above', () => {
  it.each(['failover', 'drain'])(
    'are all there are in %s.asl.json but for waits and ends',
    (file) => {
      const machine = machineFiles.find((one) => one.file === `${file}.asl.json`)?.machine;
      if (machine === undefined) throw new RangeError(file);
      const said = new Set(cases.filter((one) => one.file === file).map(({ state }) => state));
      const left = placedStates(machine)
        .filter(({ state: { Type } }) => !['Succeed', 'Fail'].includes(Type))
        .map(({ name }) => name)
        .filter((name) => !said.has(name));
      expect(left.filter((name) => !notMet.includes(name))).toEqual([]);
    },
  );
});

it('an aborted execution is taken up by the sweep if nobody resumes it', async () => {
  const scenario = scenarios['a failover by hand'];
  const cloud = await opened(scenario);
  let arn: string | undefined;
  void reach(cloud, 'WaitForFence', 1).then((met) => {
    arn = met;
  });
  await scenario.begin(cloud);
  await cloud.until(() => arn !== undefined);
  await states(cloud, 'StopExecution', { executionArn: arn });
  await cloud.until(() => ended(cloud));
  expect(await incidentOf(cloud, instanceId)).toMatchObject({ status: 'recovered', token: 3 });
});
