import { describe, expect, it } from 'vitest';
import { failoverErrorNames } from '../../src/domain/errors.ts';
import { contracts, heldBy, platformErrors, treatmentOf, yieldsTo } from './contract.ts';
import { type Answer, drive, type Run, type Script, waysOf } from './interpreter.ts';
import { type Machine, machineFiles, placedStates, tasksOf } from './machine.ts';

const machine = machineFiles.find(({ file }) => file === 'drain.asl.json')?.machine as Machine;

const instanceId = 'i-0123456789abcdef0';
const incidentId = `demo#${instanceId}#1`;
const keys = { incidentId, token: 1 };
const byHand = { instanceId, reason: 'new kernel', requestedBy: 'ops' };
const byIntake = { ...keys, instanceId };

const opened = { kind: 'opened', ...byIntake };
const held = { kind: 'hold', reason: 'no-placement' };
const ended = { kind: 'ended', status: 'held', summary: 'no spare agent' };
const turned = { kind: 'turned', execution: 'arn:x' };
const closed = { kind: 'closed', status: 'recovered', summary: 'mysql runs on 10.0.0.8' };
const closedCancelled = { kind: 'closed', status: 'cancelled', summary: 'nothing is scheduled' };
const look: Answer = { kind: 'waiting', waitSeconds: 7 };

/** Nothing goes wrong: what each function answers. */
const well: Script = {
  OpenIncident: [opened],
  AssessDrain: [{ kind: 'proceed' }],
  ProtectData: [{ kind: 'protected' }],
  DrainAgent: [{ kind: 'drained' }],
  VerifyRecovery: [{ kind: 'recovered' }],
  CloseIncident: [closed],
};
const order = Object.keys(well);
const upTo = (task: string): Script =>
  Object.fromEntries(Object.entries(well).slice(0, order.indexOf(task)));
const first = (answer: Answer): Script => ({ OpenIncident: [opened], AssessDrain: [answer] });
/** What happens on the way to each task, and from it to the end. */
const wayTo = (task: string): Script =>
  ({
    UndoProtection: first({ kind: 'cancelled' }),
    HoldIncident: first(held),
    TurnIncident: first({ kind: 'failover' }),
  })[task] ?? upTo(task);
const wayFrom = (task: string): Script => {
  const others: Readonly<Record<string, Script>> = {
    UndoProtection: { UndoProtection: [{ kind: 'undone' }], CloseIncident: [closedCancelled] },
    HoldIncident: { HoldIncident: [ended] },
    TurnIncident: { TurnIncident: [turned] },
  };
  return (
    others[task] ?? Object.fromEntries(Object.entries(well).slice(Math.max(0, order.indexOf(task))))
  );
};
const plus = (...parts: readonly Script[]): Script => Object.assign({}, ...parts);

const covered = new Set<string>();
const entered = new Set<string>();
const play = async (script: Script, input: unknown = byHand): Promise<Run> => {
  const run = await drive(machine, input, script);
  for (const way of run.taken) covered.add(way);
  for (const name of run.path) entered.add(name);
  return run;
};

describe('a planned move', () => {
  it('asked for by a person drains, and looks whether the apps are back; nothing is fenced', async () => {
    const run = await play(well);
    expect(run.calls.map(({ task }) => task)).toEqual(order);
    expect(run.output).toEqual({
      incidentId,
      instanceId,
      status: 'recovered',
      summary: closed.summary,
    });
  });

  it('started with an incident and a token does not open it again', async () => {
    const { OpenIncident: _none, ...rest } = well;
    expect((await play(rest, byIntake)).output).toMatchObject({ status: 'recovered' });
  });

  it('says to OpenIncident which machine it is, and refuses an input that means the other', async () => {
    const { calls } = await play(well);
    expect(calls[0]?.input).toMatchObject({ mode: 'drain', executionName: 'fo-scripted' });
    const run = await play({ OpenIncident: [opened] }, { ...byHand, mode: 'failover' });
    expect(run).toMatchObject({ status: 'FAILED', error: 'ParseError' });
  });

  it.each(['AssessDrain', 'DrainAgent'])(
    'becomes a failover when %s sees that it must',
    async (task) => {
      const run = await play(
        plus(upTo(task), { [task]: [{ kind: 'failover' }], TurnIncident: [turned] }),
      );
      expect(run.status).toBe('SUCCEEDED');
      expect(run.path.slice(-2)).toEqual(['TurnIncident', 'TurnedIncident']);
      expect(run.calls.at(-1)?.input).toEqual({ ...keys, from: 'drain' });
    },
  );

  it.each(['AssessDrain', 'ProtectData'])('is given up when %s says so', async (task) => {
    const run = await play(
      plus(upTo(task), { [task]: [{ kind: 'cancelled' }] }, wayFrom('UndoProtection')),
    );
    expect(run.path.slice(-3)).toEqual(['CloseIncident', 'RouteEnd', 'ReportEnd']);
    expect(run.output).toMatchObject({ status: 'cancelled' });
  });
});

describe('a request', () => {
  it('that joins an incident, or is refused, says so', async () => {
    const joined = { kind: 'joined', incidentId, instanceId, execution: 'arn:x', says: 'added' };
    expect(await play({ OpenIncident: [joined] })).toMatchObject({ output: joined });
    const says = `incident ${incidentId} is a failover; resume that one`;
    const run = await play({ OpenIncident: [{ kind: 'refused', instanceId, says }] });
    expect(run).toMatchObject({ status: 'FAILED', error: 'SignalRefusedError', cause: says });
  });
});

describe('waiting', () => {
  it.each([
    {
      task: 'AssessDrain',
      through: 'WaitForEvidence',
      look: { kind: 'watch', waitSeconds: 7 },
    },
    { task: 'DrainAgent', through: 'WaitForDrain', look },
    { task: 'VerifyRecovery', through: 'WaitForRecovery', look },
  ])('$through takes as long as $task says, and looks again', async (one) => {
    const { task, through } = one;
    const run = await play(plus(well, { [task]: [one.look, ...(well[task] ?? [])] }));
    expect(run.path[run.path.indexOf(through) + 1]).toBe(task);
    expect(run.tookMs).toBeGreaterThanOrEqual(7_000);
  });
});

describe('a dry run', () => {
  const isPlanned = { kind: 'planned', summary: 'nothing was done', plan: { calls: [] } };

  it('ends with the plan', async () => {
    const run = await play(plus(well, { CloseIncident: [isPlanned] }));
    expect(run.output).toMatchObject({ status: 'planned', plan: { calls: [] } });
  });

  it('that would be held ends with the plan so far', async () => {
    const script = plus(upTo('DrainAgent'), { DrainAgent: [held], HoldIncident: [isPlanned] });
    expect((await play(script)).output).toMatchObject({ status: 'planned' });
  });
});

describe('a hold', () => {
  it.each(['AssessDrain', 'ProtectData', 'DrainAgent', 'VerifyRecovery'])(
    'of %s leaves the incident held',
    async (task) => {
      const run = await play(plus(upTo(task), { [task]: [held], HoldIncident: [ended] }));
      expect(run).toMatchObject({ status: 'SUCCEEDED', output: { status: 'held' } });
    },
  );

  it('is looked at again from the beginning', async () => {
    const run = await play(
      plus(well, {
        AssessDrain: [held, { kind: 'proceed' }],
        HoldIncident: [{ kind: 'retry', waitSeconds: 40 }],
      }),
    );
    const at = run.path.indexOf('ResumeFromHold');
    expect(run.path[at + 1]).toBe('AssessDrain');
    expect(run.output).toMatchObject({ status: 'recovered' });
  });
});

const failureOf = (error: string): Answer => {
  if (error === 'Lambda.Unknown') return { crashes: true };
  if (error === 'States.Timeout') return { hangs: true };
  return { throws: error };
};
const tasks = tasksOf(machine).map(({ name }) => name);

describe.each(tasks)('%s', (task) => {
  const passing = failoverErrorNames.filter((name) => treatmentOf[name] === 'retry');

  it.each([...passing, ...platformErrors])('goes on after one %s', async (error) => {
    const answers = wayFrom(task)[task] ?? [];
    const script = plus(wayTo(task), wayFrom(task), { [task]: [failureOf(error), ...answers] });
    expect((await play(script)).status).toBe('SUCCEEDED');
  });

  it.each(['NotAuthorizedError', 'TypeError'])('does not repeat itself after %s', async (error) => {
    const end = heldBy(task);
    const aftermath: Script = end === 'HoldIncident' ? { HoldIncident: [ended] } : {};
    const run = await play(plus(wayTo(task), { [task]: [failureOf(error)] }, aftermath));
    expect(run.path).toContain(end);
  });

  const yielding = failoverErrorNames.filter((name) => treatmentOf[name] === 'yield');

  it.each(yielding)('leaves the incident to whoever holds it after %s', async (error) => {
    const run = await play(plus(wayTo(task), { [task]: [failureOf(error)] }));
    expect(run.path).toContain(yieldsTo(task));
  });
});

describe('the paths above', () => {
  it('answer every decision of every step', () => {
    expect(Object.keys(contracts['drain.asl.json']).sort()).toEqual([...tasks].sort());
  });

  it('enter every state and take every way', () => {
    const all = placedStates(machine).map(({ name }) => name);
    expect(all.filter((name) => !entered.has(name))).toEqual([]);
    expect(waysOf(machine).filter((way) => !covered.has(way))).toEqual([]);
  });
});
