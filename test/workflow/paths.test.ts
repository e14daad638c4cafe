import { describe, expect, it } from 'vitest';
import { failoverErrorNames } from '../../src/domain/errors.ts';
import { contracts, heldBy, platformErrors, treatmentOf, yieldsTo } from './contract.ts';
import { type Answer, drive, type Run, type Script, waysOf } from './interpreter.ts';
import { type Machine, machineFiles, placedStates, stateOf, tasksOf } from './machine.ts';

const contract = contracts['failover.asl.json'];
const machine = machineFiles.find(({ file }) => file === 'failover.asl.json')?.machine as Machine;

const instanceId = 'i-0123456789abcdef0';
const incidentId = `demo#${instanceId}#1`;
const volumes = [
  'vol-0123456789abcdef0',
  'vol-0123456789abcdef1',
  'vol-0123456789abcdef2',
] as const;
const keys = { incidentId, token: 1 };
const byHand = { instanceId, reason: 'it hangs', requestedBy: 'ops' };
const byIntake = { ...keys, instanceId };

const opened = { kind: 'opened', ...byIntake };
const proceed = { kind: 'proceed' };
const needsApproval = { kind: 'needsApproval', waitSeconds: 900 };
const waits = { kind: 'waits' };
const isProtected = { kind: 'protected' };
const fenced = { kind: 'fenced', groups: [[volumes[0]]] };
const released = { kind: 'released' };
const handedOff = { kind: 'handedOff' };
const recovered = { kind: 'recovered' };
const closed = { kind: 'closed', status: 'recovered', summary: 'mysql runs on 10.0.0.8' };
const cancelled = { kind: 'cancelled' };
const planned = { kind: 'planned' };
const turned = { kind: 'turned', execution: 'arn:x' };
const undone = { kind: 'undone' };
const closedCancelled = { kind: 'closed', status: 'cancelled', summary: 'the agent is well' };
const returned = { kind: 'returned' };
const quarantined = { kind: 'quarantined' };
const held = { kind: 'hold', reason: 'no-placement' };
const ended = { kind: 'ended', status: 'held', summary: 'no spare agent' };
const wait = (waitSeconds: number): Answer => ({ kind: 'waiting', waitSeconds });

/** Nothing goes wrong: what each function answers. */
const well: Script = {
  OpenIncident: [opened],
  AssessAgent: [proceed],
  ProtectData: [isProtected],
  FenceAgent: [fenced],
  ReleaseVolume: [released],
  HandOff: [handedOff],
  VerifyRecovery: [recovered],
  CloseIncident: [closed],
};
const before = (task: string): Script => {
  const order = Object.keys(well);
  const at = order.indexOf(task);
  return Object.fromEntries(Object.entries(well).slice(0, at < 0 ? order.length : at));
};
const untilReturn: Script = { OpenIncident: [opened], AssessAgent: [returned] };
const untilUndo: Script = { OpenIncident: [opened], AssessAgent: [cancelled] };
/** What happens on the way to each task, if nothing goes wrong. */
const wayTo = (task: string): Script => {
  if (task === 'AwaitApproval') return { OpenIncident: [opened], AssessAgent: [needsApproval] };
  if (task === 'UndoProtection') return untilUndo;
  if (task === 'QuarantineAgent') return untilReturn;
  if (task === 'TurnIncident') return { OpenIncident: [opened], AssessAgent: [planned] };
  if (task === 'HoldIncident') return { OpenIncident: [opened], AssessAgent: [held] };
  return before(task);
};
/** And from it to the end. */
const wayFrom = (task: string): Script => {
  if (task === 'UndoProtection')
    return { UndoProtection: [undone], CloseIncident: [closedCancelled] };
  if (task === 'AwaitApproval') {
    const { OpenIncident: _o, ...rest } = well;
    return { ...rest, AssessAgent: [needsApproval, proceed], AwaitApproval: [waits] };
  }
  if (task === 'HoldIncident') return { HoldIncident: [ended] };
  if (task === 'QuarantineAgent')
    return { QuarantineAgent: [quarantined], CloseIncident: [closed] };
  if (task === 'TurnIncident') return { TurnIncident: [turned] };
  const done = before(task);
  return Object.fromEntries(Object.entries(well).filter(([name]) => !(name in done)));
};

const covered = new Set<string>();
const entered = new Set<string>();
const play = async (script: Script, input: unknown = byHand, on = machine): Promise<Run> => {
  const run = await drive(on, input, script);
  for (const way of run.taken) covered.add(way);
  for (const name of [...run.path, ...run.items.flat()]) entered.add(name);
  return run;
};
/** The script with some answers in place of others. */
const plus = (...parts: readonly Script[]): Script => Object.assign({}, ...parts);

const mainJob = [
  'KeepKeys',
  'AssessAgent',
  'RouteAssessment',
  'ProtectData',
  'RouteProtection',
  'FenceAgent',
  'RouteFence',
  'ReleaseVolumes',
  'HandOff',
  'RouteHandOff',
  'VerifyRecovery',
  'RouteRecovery',
  'CloseIncident',
  'RouteEnd',
  'ReportEnd',
];

describe('a failover', () => {
  it('asked for by a person opens the incident, then fences, releases, hands off, verifies', async () => {
    const run = await play(well);
    expect(run.path).toEqual(['RouteRequest', 'OpenIncident', 'RouteOpening', ...mainJob]);
    expect(run.items).toEqual([['ReleaseVolume', 'RouteRelease', 'EndRelease']]);
    expect(run.output).toEqual({
      incidentId,
      instanceId,
      status: 'recovered',
      summary: closed.summary,
    });
  });

  it('started with an incident and a token does not open it again', async () => {
    const { OpenIncident: _none, ...rest } = well;
    const run = await play(rest, byIntake);
    expect(run.path).toEqual(['RouteRequest', ...mainJob]);
  });

  it('gives each step the keys and nothing else', async () => {
    const { calls } = await play(well);
    const executionArn = expect.stringContaining(':execution:');
    expect(calls).toEqual([
      {
        task: 'OpenIncident',
        input: { input: byHand, executionArn, executionName: 'fo-scripted' },
      },
      { task: 'AssessAgent', input: { ...keys, executionArn } },
      { task: 'ProtectData', input: keys },
      { task: 'FenceAgent', input: keys },
      { task: 'ReleaseVolume', input: { ...keys, volumeIds: [volumes[0]] } },
      { task: 'HandOff', input: keys },
      { task: 'VerifyRecovery', input: keys },
      { task: 'CloseIncident', input: keys },
    ]);
  });

  it('of an agent without volumes releases nothing and hands off all the same', async () => {
    const run = await play(
      plus(well, { FenceAgent: [{ kind: 'fenced', groups: [] }], ReleaseVolume: [] }),
    );
    expect(run.items).toEqual([]);
    expect(run.output).toMatchObject({ status: 'recovered' });
  });
});

describe('a request', () => {
  it('that joins an incident under work ends well and names the execution that works', async () => {
    const joined = { kind: 'joined', incidentId, instanceId, execution: 'arn:x', says: 'added' };
    const run = await play({ OpenIncident: [joined] });
    expect(run).toMatchObject({ status: 'SUCCEEDED', output: joined });
    expect(run.path.at(-1)).toBe('JoinedIncident');
  });

  it('that is refused fails with the sentence a person can read', async () => {
    const says = `${instanceId} is no agent of demo; nothing was done`;
    const run = await play({ OpenIncident: [{ kind: 'refused', instanceId, says }] });
    expect(run).toMatchObject({ status: 'FAILED', error: 'SignalRefusedError', cause: says });
  });

  it.each([
    { what: 'a misspelt instance id', input: { instanceId: 'i-nope' }, says: 'instanceId' },
    { what: 'nothing', input: {}, says: 'instanceId' },
    { what: 'a dry run by another name', input: { ...byHand, dry_run: true }, says: 'dryRun' },
    { what: 'a token without an incident', input: { ...byHand, token: 3 }, says: 'go together' },
    { what: 'a bare id', input: instanceId, says: 'record' },
    { what: 'a list', input: [instanceId], says: 'record' },
  ])('with $what is rejected, and says why', async ({ input, says }) => {
    // Answered before anything is decided: the input does not parse.
    const run = await play({ OpenIncident: [opened] }, input);
    expect(run).toMatchObject({ status: 'FAILED', error: 'ParseError' });
    expect(run.cause).toContain(says);
  });
});

describe('a request with the keys of an incident', () => {
  it('that are no keys fails with the reason, since nothing can be held under them', async () => {
    const input = { ...byIntake, token: 'one' };
    const run = await play({ AssessAgent: [proceed], HoldIncident: [ended] }, input);
    expect(run).toMatchObject({ status: 'FAILED', error: 'ParseError' });
    expect(run.path.at(-1)).toBe('HoldFailed');
  });
});

describe('waiting', () => {
  it.each([
    {
      task: 'AssessAgent',
      through: 'WaitForEvidence',
      look: { kind: 'watch', waitSeconds: 7 },
    },
    { task: 'FenceAgent', through: 'WaitForFence', look: wait(7) },
    { task: 'HandOff', through: 'WaitForHandOff', look: wait(7) },
    { task: 'VerifyRecovery', through: 'WaitForRecovery', look: wait(7) },
  ])('$through takes as long as $task says, and looks again', async ({ task, through, look }) => {
    const quick = await play(well);
    const answers = well[task] ?? [];
    const run = await play(plus(well, { [task]: [look, look, ...answers] }));
    expect(run.path.filter((name) => name === task)).toHaveLength(3);
    expect(run.path[run.path.indexOf(through) + 1]).toBe(task);
    expect(run.tookMs - quick.tookMs).toBeGreaterThanOrEqual(14_000);
    expect(run.tookMs - quick.tookMs).toBeLessThan(14_500);
    expect(run.output).toMatchObject({ status: 'recovered' });
  });

  it('for one group of volumes does not delay the release of another', async () => {
    const [slow, fast] = volumes;
    const run = await play(
      plus(well, {
        FenceAgent: [{ kind: 'fenced', groups: [[slow], [fast]] }],
        ReleaseVolume: [wait(9), released, released],
      }),
    );
    const again = ['ReleaseVolume', 'RouteRelease', 'WaitForRelease', 'ReleaseVolume'];
    expect(run.items).toEqual([
      [...again, 'RouteRelease', 'EndRelease'],
      ['ReleaseVolume', 'RouteRelease', 'EndRelease'],
    ]);
    expect(run.tookMs).toBeLessThan(10_000);
  });
});

describe('the volumes of one agent', () => {
  it('end each for itself: one held, one lost and one in trouble hold back nobody', async () => {
    const [first, second, third] = volumes;
    const run = await play(
      plus(well, {
        FenceAgent: [{ kind: 'fenced', groups: volumes.map((id) => [id]) }],
        ReleaseVolume: [{ kind: 'held' }, { kind: 'lost' }, { throws: 'NotAuthorizedError' }],
      }),
    );
    expect(run.items).toEqual([
      ['ReleaseVolume', 'RouteRelease', 'EndRelease'],
      ['ReleaseVolume', 'RouteRelease', 'EndRelease'],
      ['ReleaseVolume', 'LeaveVolume'],
    ]);
    expect(run.calls.filter(({ task }) => task === 'ReleaseVolume').map((c) => c.input)).toEqual(
      [first, second, third].map((volumeId) => ({ ...keys, volumeIds: [volumeId] })),
    );
    expect(run.path).toContain('HandOff');
  });

  it('hold the incident when an item fails in a way its own catch does not cover', async () => {
    const edited = structuredClone(machine);
    delete stateOf(edited, 'ReleaseVolume').Catch;
    const run = await play(
      plus(before('ReleaseVolume'), {
        ReleaseVolume: [{ throws: 'ParseError' }],
        HoldIncident: [ended],
      }),
      byHand,
      edited,
    );
    expect(run.path.slice(-4)).toEqual([
      'ReleaseVolumes',
      'HoldIncident',
      'RouteHold',
      'ReportEnd',
    ]);
  });
});

describe('an agent that turns out to be well', () => {
  it.each(['AssessAgent', 'ProtectData', 'FenceAgent'])(
    'is given back when %s sees it, and the incident is closed',
    async (task) => {
      const run = await play(
        plus(before(task), {
          [task]: [cancelled],
          UndoProtection: [undone],
          CloseIncident: [closedCancelled],
        }),
      );
      expect(run.path.slice(-3)).toEqual(['CloseIncident', 'RouteEnd', 'ReportEnd']);
      expect(run.path).not.toContain('ReleaseVolumes');
      expect(run.output).toMatchObject({ status: 'cancelled' });
    },
  );
});

describe('a fenced host that runs again', () => {
  it('gets no work, and its incident ends without a fence', async () => {
    const run = await play(plus(untilReturn, wayFrom('QuarantineAgent')));
    expect(run.path.slice(-5)).toEqual([
      'QuarantineAgent',
      'RouteQuarantine',
      'CloseIncident',
      'RouteEnd',
      'ReportEnd',
    ]);
    expect(run.path).not.toContain('FenceAgent');
    expect(run.output).toMatchObject({ status: 'recovered' });
  });

  it('is waited for while it boots', async () => {
    const answers = [wait(5), wait(5), quarantined];
    const run = await play(
      plus(untilReturn, { QuarantineAgent: answers, CloseIncident: [closed] }),
    );
    expect(run.path.filter((name) => name === 'WaitForQuarantine')).toHaveLength(2);
    expect(run.tookMs).toBeGreaterThanOrEqual(10_000);
  });

  it('is looked at anew as soon as it is no idle host, and then fenced like any other', async () => {
    const run = await play(
      plus(well, {
        AssessAgent: [returned, proceed],
        QuarantineAgent: [{ kind: 'changed', waitSeconds: 1 }],
      }),
    );
    expect(run.path).toContain('FenceAgent');
    expect(run.output).toMatchObject({ status: 'recovered' });
  });

  it('is left alone if somebody has un-fenced it', async () => {
    const run = await play(
      plus(untilReturn, {
        QuarantineAgent: [cancelled],
        UndoProtection: [undone],
        CloseIncident: [closedCancelled],
      }),
    );
    expect(run.path.slice(-3)).toEqual(['CloseIncident', 'RouteEnd', 'ReportEnd']);
  });

  it('is held where this DC/OS cannot keep work from it', async () => {
    const run = await play(plus(untilReturn, { QuarantineAgent: [held], HoldIncident: [ended] }));
    expect(run.path.slice(-3)).toEqual(['HoldIncident', 'RouteHold', 'ReportEnd']);
  });
});

describe('an agent that works and is about to be taken down', () => {
  it('is handed over to the other workflow, and nothing of it is touched', async () => {
    const run = await play(plus(wayTo('TurnIncident'), { TurnIncident: [turned] }));
    expect(run.status).toBe('SUCCEEDED');
    expect(run.path.slice(-3)).toEqual(['RouteAssessment', 'TurnIncident', 'TurnedIncident']);
    expect(run.calls.at(-1)?.input).toEqual({ ...keys, from: 'failover' });
  });
});

describe('an approval', () => {
  const asked = plus(well, { AssessAgent: [needsApproval, proceed], AwaitApproval: [waits] });

  it('is waited for, and what was answered is read from the beginning', async () => {
    const run = await play(asked);
    const at = run.path.indexOf('AwaitApproval');
    expect(run.path.slice(at - 1, at + 4)).toEqual([
      'RouteAssessment',
      'AwaitApproval',
      'AssessAgent',
      'RouteAssessment',
      'ProtectData',
    ]);
    expect(run.output).toMatchObject({ status: 'recovered' });
  });

  it('that nobody gives is no yes: it is assessed again, and held', async () => {
    const run = await play({
      OpenIncident: [opened],
      AssessAgent: [needsApproval, { kind: 'hold', reason: 'approval' }],
      AwaitApproval: [{ silent: true }],
      HoldIncident: [ended],
    });
    expect(run.tookMs).toBeGreaterThanOrEqual(900_000);
    expect(run.output).toMatchObject({ status: 'held' });
    const [held] = run.calls.filter(({ task }) => task === 'HoldIncident');
    expect(held?.input).not.toHaveProperty('state.error');
  });

  it('is asked with a fresh token each time', async () => {
    const again = { AssessAgent: [needsApproval, needsApproval, proceed] };
    const run = await play(plus(asked, again, { AwaitApproval: [waits, waits] }));
    const tokens = run.calls
      .filter(({ task }) => task === 'AwaitApproval')
      .map(({ input }) => (input as { taskToken: string }).taskToken);
    expect(new Set(tokens).size).toBe(2);
  });
});

describe('a dry run', () => {
  const plan = { calls: [] };
  const isPlanned = { kind: 'planned', summary: 'nothing was done', plan };
  const output = { incidentId, instanceId, status: 'planned', summary: isPlanned.summary, plan };

  it('goes through the same states, and ends with the plan', async () => {
    const script = plus(well, { CloseIncident: [isPlanned] });
    const run = await play(script, { ...byHand, dryRun: true });
    const states = mainJob.map((name) => (name === 'ReportEnd' ? 'ReportPlan' : name));
    expect(run.path).toEqual(['RouteRequest', 'OpenIncident', 'RouteOpening', ...states]);
    expect(run.output).toEqual(output);
  });

  it('that would be held ends with the plan so far', async () => {
    const script = plus(before('ProtectData'), { ProtectData: [held], HoldIncident: [isPlanned] });
    const run = await play(script, { ...byHand, dryRun: true });
    expect(run.path.slice(-3)).toEqual(['HoldIncident', 'RouteHold', 'ReportPlan']);
    expect(run.output).toEqual(output);
  });
});

describe('a hold', () => {
  const holders = ['AssessAgent', 'ProtectData', 'FenceAgent', 'HandOff', 'VerifyRecovery'];

  it.each(holders)('of %s ends the execution well and leaves the incident held', async (task) => {
    const run = await play(plus(before(task), { [task]: [held], HoldIncident: [ended] }));
    expect(run.path.slice(-3)).toEqual(['HoldIncident', 'RouteHold', 'ReportEnd']);
    expect(run).toMatchObject({
      status: 'SUCCEEDED',
      output: { incidentId, instanceId, status: 'held', summary: ended.summary },
    });
  });

  it('is looked at again from the beginning, with nothing of what was known before', async () => {
    const run = await play(
      plus(well, {
        AssessAgent: [proceed, proceed],
        ProtectData: [isProtected, isProtected],
        FenceAgent: [fenced, fenced],
        ReleaseVolume: [released, released],
        HandOff: [held, handedOff],
        HoldIncident: [{ kind: 'retry', waitSeconds: 40 }],
      }),
    );
    const resumed = ['HoldIncident', 'RouteHold', 'WaitInHold', 'ResumeFromHold', 'AssessAgent'];
    const at = run.path.indexOf('HoldIncident');
    expect(run.path.slice(at, at + resumed.length)).toEqual(resumed);
    expect(run.tookMs).toBeGreaterThan(40_000);
    expect(run.output).toMatchObject({ status: 'recovered' });
  });

  it('forgets the error that caused it once it is over', async () => {
    const run = await play({
      OpenIncident: [opened],
      AssessAgent: [{ throws: 'CorruptRecordError' }, held],
      HoldIncident: [{ kind: 'retry', waitSeconds: 5 }, ended],
    });
    const holds = run.calls.filter(({ task }) => task === 'HoldIncident');
    expect(holds.map(({ input }) => input)).toEqual([
      expect.objectContaining({
        state: { ...byIntake, error: { Error: 'CorruptRecordError', Cause: expect.any(String) } },
      }),
      expect.objectContaining({ state: { ...byIntake, decision: held } }),
    ]);
  });

  it('that fails itself fails the execution with the error, for the sweep to take up', async () => {
    const run = await play({
      OpenIncident: [opened],
      AssessAgent: [held],
      HoldIncident: [{ throws: 'CorruptRecordError', message: 'status is no status' }],
    });
    expect(run).toMatchObject({ status: 'FAILED', error: 'CorruptRecordError' });
    expect(run.cause).toContain('status is no status');
    expect(run.path.at(-1)).toBe('HoldFailed');
  });
});

const tasks = tasksOf(machine).map(({ name }) => name);
const outermost = (run: Run): readonly string[] => [...run.path, ...run.items.flat()];
const atMost = (retries: number, error: string): readonly Answer[] =>
  Array.from({ length: retries + 1 }, () => failureOf(error));
const failureOf = (error: string): Answer => {
  if (error === 'Lambda.Unknown') return { crashes: true };
  if (error === 'States.Timeout') return { hangs: true };
  return { throws: error };
};
/** What still happens once the task has ended in this state. */
const aftermath = (end: string): Script => {
  if (end === 'HoldIncident') return { HoldIncident: [ended] };
  return end === 'LeaveVolume' ? wayFrom('HandOff') : {};
};

describe.each(tasks)('%s', (task) => {
  const passing = failoverErrorNames.filter((name) => treatmentOf[name] === 'retry');

  // Of a state that waits for a person a timeout is silence: it has a test of its own.
  const platform = platformErrors.filter(
    (error) => error !== 'States.Timeout' || task !== 'AwaitApproval',
  );

  it.each([...passing, ...platform])('goes on after one %s', async (error) => {
    const answers = wayFrom(task)[task] ?? [];
    const script = plus(wayTo(task), wayFrom(task), { [task]: [failureOf(error), ...answers] });
    const run = await play(script);
    expect(run.status).toBe('SUCCEEDED');
    expect(run.calls.filter((call) => call.task === task)).toHaveLength(2);
  });

  it.each([
    ['CloudThrottledError', 5],
    ['Lambda.TooManyRequestsException', 6],
  ] as const)('gives up after %s came %i times more', async (error, retries) => {
    const end = heldBy(task);
    const run = await play(plus(wayTo(task), { [task]: atMost(retries, error) }, aftermath(end)));
    expect(outermost(run)).toContain(end);
  });

  const lasting = failoverErrorNames.filter((name) => treatmentOf[name] === 'hold');

  it.each([...lasting, 'TypeError'])('does not repeat itself after %s', async (error) => {
    const end = heldBy(task);
    const run = await play(plus(wayTo(task), { [task]: [failureOf(error)] }, aftermath(end)));
    expect(outermost(run)).toContain(end);
  });

  const yielding = failoverErrorNames.filter((name) => treatmentOf[name] === 'yield');

  it.each(yielding)('leaves the incident to whoever holds it after %s', async (error) => {
    const end = yieldsTo(task);
    const run = await play(plus(wayTo(task), { [task]: [failureOf(error)] }, aftermath(end)));
    expect(outermost(run)).toContain(end);
    expect(run.status).toBe('SUCCEEDED');
  });
});

describe('the paths above', () => {
  it('answer every decision of every step', () => {
    expect(Object.keys(contract).sort()).toEqual([...tasks].sort());
  });

  it('enter every state', () => {
    const all = placedStates(machine).map(({ name }) => name);
    expect(all.filter((name) => !entered.has(name))).toEqual([]);
  });

  it('take every way from one state to the next', () => {
    expect(waysOf(machine).filter((way) => !covered.has(way))).toEqual([]);
  });
});

describe('the scripts above', () => {
  it('do not hide a call too many, an answer never asked for, or one that breaks the contract', async () => {
    const { CloseIncident: _none, ...short } = well;
    await expect(play(short)).rejects.toThrow('CloseIncident is called once more than scripted');
    const long = plus(well, { HandOff: [handedOff, handedOff] });
    await expect(play(long)).rejects.toThrow('HandOff is never asked again');
    const wrong = plus(well, { FenceAgent: [{ kind: 'fenced' }] });
    await expect(play(wrong)).rejects.toThrow('FenceAgent cannot answer that');
  });

  it('do not hide a way that none of them takes', () => {
    const wider = structuredClone(machine);
    stateOf(wider, 'RouteFence').Choices?.push({
      Variable: '$.decision.kind',
      StringEquals: 'drained',
      Next: 'HandOff',
    });
    expect(waysOf(wider).filter((way) => !covered.has(way))).toEqual([
      'RouteFence -(drained)-> HandOff',
    ]);
  });
});
