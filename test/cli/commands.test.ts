import { CommanderError } from 'commander';
import { describe, expect, it } from 'vitest';
import { Problem } from '../../cli/problem.ts';
import {
  agent,
  at,
  executionArn,
  explanationOf,
  incidentId,
  incidentOf,
  lineOf,
  statusOf,
  volume,
} from './documents.ts';
import { fakeCloud, problemIn, run } from './fake.ts';

const caller = { arn: 'arn:aws:iam::123456789012:user/ana', account: '123456789012' };
const running = { arn: executionArn, status: 'RUNNING' };
const endedAs = (output: object) => ({ arn: executionArn, status: 'SUCCEEDED', output });
const recovered = endedAs({ incidentId, instanceId: agent, status: 'recovered', summary: 'moved' });
const noneYet = new Problem(`the ledger knows no incident of ${agent}`, { is: 'unknown' });

describe('the deployment', () => {
  it('is main unless the environment or an option names another, before or after the command', async () => {
    const look = { look: [statusOf()] };
    const env = { EBS_FAILOVER_CLUSTER: 'blue' };
    const names = await Promise.all([
      run(['status'], fakeCloud(look)),
      run(['status'], fakeCloud(look), { env }),
      run(['status', '--cluster', 'green'], fakeCloud(look), { env }),
      run(['--cluster', 'green', 'status'], fakeCloud(look), { env }),
    ]);
    expect(names.map(({ settings }) => settings[0]?.deployment)).toEqual([
      'main',
      'blue',
      'green',
      'green',
    ]);
  });

  it('is looked for where the usual variables say, or the options', async () => {
    const env = { AWS_DEFAULT_REGION: 'eu-west-1', AWS_ENDPOINT_URL: 'http://127.0.0.1:1' };
    const fake = fakeCloud({ look: [statusOf()] });
    const { settings } = await run(['status', '--profile', 'ops'], fake, { env });
    expect(settings[0]).toMatchObject({
      region: 'eu-west-1',
      profile: 'ops',
      endpoint: 'http://127.0.0.1:1',
    });
    const again = await run(['status', '--region', 'us-east-2'], fake, { env });
    expect(again.settings.at(-1)?.region).toBe('us-east-2');
  });

  it('has no name that no stage can have', async () => {
    const env = { EBS_FAILOVER_CLUSTER: 'Not A Name' };
    const { failure } = await run(['status'], fakeCloud(), { env });
    expect(problemIn(failure)).toMatch(/^2 EBS_FAILOVER_CLUSTER is no deployment/);
  });
});

describe('a command that was written wrongly', () => {
  it.each([
    [['show'], 'missing required argument'],
    [['show', 'x'], "is invalid for argument 'incident'"],
    [['history', 'vol-x'], 'It is vol- and 8 or 17 hex digits.'],
    [['explain', 'i-x'], 'It is i- and 8 or 17 hex digits.'],
    [['status', 'x'], 'too many arguments'],
    [['fly'], 'unknown command'],
    [['failover', agent], "required option '--reason <text>' not specified"],
    [['failover', agent, '--reason', 'x', '--fence', 'axe'], 'Allowed choices are stop, terminate'],
    [['drain', agent, '--reason', 'x', '--volume', 'vol-x'], 'It is vol- and 8 or 17 hex digits.'],
    [['pause', '--reason', 'x', '--for', '2 weeks'], 'such as 90s or 2h'],
    [['pause', '--reason', 'x', '--until', 'tomorrow'], 'such as 2026-11-30T18:00Z'],
    [['watch', '--interval', '0'], 'It is a whole number from 1.'],
    [['ack', incidentId, '--hold', 'fear'], 'such as flapping'],
    [['completion', 'tcsh'], 'Allowed choices are bash, zsh, fish'],
  ])('%j asks nobody anything', async (argv, words) => {
    const { failure, inputs } = await run(argv);
    expect(failure).toBeInstanceOf(CommanderError);
    expect(String(failure)).toContain(words);
    expect(inputs).toEqual([]);
  });

  it.each([
    [
      ['pause', '--reason', 'x', '--for', '2h', '--until', '2026-11-30T18:00Z'],
      /^2 --for and --until/,
    ],
    [['maintenance', 'begin', agent, '--reason', 'x'], /^2 say how long: --for 2h/],
    [['ack', 'storm', '--yes'], /^2 say how long: --for 2h/],
    [['report', incidentId], /^2 say where: --html FILE/],
    [['report', incidentId, '--html', '-', '--json'], /^2 --html - and --json both want/],
  ])('%j changes nothing', async (argv, words) => {
    const { failure, inputs } = await run(argv);
    expect(problemIn(failure)).toMatch(words);
    expect(inputs).toEqual([]);
  });
});

describe('what cannot be taken back', () => {
  const script = { look: [explanationOf()] };

  it.each([
    [['failover', agent, '--reason', 'x'], { look: [explanationOf()] }],
    [['drain', agent, '--reason', 'x'], { look: [explanationOf()] }],
    [['resume', incidentId], { look: [incidentOf()] }],
    [['approve', incidentId, '--approval', 'a1'], { look: [incidentOf()] }],
    [['ack', incidentId], { look: [incidentOf()] }],
    [['ack', 'storm', '--for', '5m'], {}],
    [['unfence', agent, '--reason', 'x'], {}],
  ])('%j is refused without --yes where nobody can be asked', async (argv, answers) => {
    const { failure, inputs } = await run(argv, fakeCloud(answers));
    expect(problemIn(failure)).toMatch(/^2 .*\? .*repeat it with --yes\.$/s);
    expect(inputs.filter(([name]) => name !== 'look')).toEqual([]);
  });

  it('says what it is about to do, and to which cluster', async () => {
    const { failure } = await run(['failover', agent, '--reason', 'x'], fakeCloud(script));
    expect(problemIn(failure)).toContain(
      `Cut the power of ${agent} of cluster demo, which has mysql of /mysql?`,
    );
  });

  it('is not asked about where there is nothing of that name', async () => {
    const refused = { kind: 'refused', says: `neither EC2 nor the ledger knows ${agent}` };
    const argv = ['failover', agent, '--reason', 'x', '--yes'];
    const { failure, inputs } = await run(argv, fakeCloud({ look: [refused] }));
    expect(problemIn(failure)).toBe(`3 ${refused.says}`);
    expect(inputs).toHaveLength(1);
  });
});

describe('an execution by hand', () => {
  const argv = (mode: string, ...more: string[]) => [
    mode,
    agent,
    '--reason',
    'drill',
    '--yes',
    ...more,
  ];
  const scriptOf = (mode: string, executions: readonly unknown[], looks: readonly unknown[]) => ({
    caller: [caller],
    look: [explanationOf(), ...looks],
    [`start ebs-failover-demo${mode === 'drain' ? '_drain' : ''}`]: [executionArn],
    execution: executions,
  });

  it.each(['failover', 'drain'])(
    'of a %s is started in the name of who asks, and followed',
    async (mode) => {
      const looks = [noneYet, incidentOf(), incidentOf({ status: 'recovered' })];
      const fake = fakeCloud(scriptOf(mode, [running, running, recovered], looks));
      const { failure, inputs, printed, told } = await run(argv(mode), fake);
      expect(failure).toBeUndefined();
      expect(inputs.find(([name]) => name.startsWith('start'))?.[1]).toEqual({
        instanceId: agent,
        reason: 'drill',
        requestedBy: caller.arn,
        mode,
      });
      expect(told.filter((line) => line.includes('StopInstances'))).toHaveLength(1);
      expect(printed).toEqual(['moved']);
    },
  );

  it('takes a name with --as, and asks STS for none', async () => {
    const looks = [incidentOf()];
    const { inputs } = await run(
      argv('failover', '--as', 'ben', '--no-wait'),
      fakeCloud(scriptOf('failover', [recovered], looks)),
    );
    expect(inputs.map(([name]) => name)).toEqual(['look', 'start ebs-failover-demo']);
    expect(inputs[1]?.[1]).toMatchObject({ requestedBy: 'ben' });
  });

  it.each([
    [['failover'], ['--fence', 'terminate', '--force'], { fence: 'terminate', force: true }],
    [
      ['drain'],
      ['--volume', volume, '--volume', 'vol-00000001'],
      { volumes: [volume, 'vol-00000001'] },
    ],
  ])('of a %j is done as %j says', async ([mode = ''], more, wish) => {
    const fake = fakeCloud(scriptOf(mode, [], []));
    const { inputs } = await run(argv(mode, '--no-wait', ...more), fake);
    expect(inputs.find(([name]) => name.startsWith('start'))?.[1]).toEqual({
      instanceId: agent,
      reason: 'drill',
      requestedBy: caller.arn,
      mode,
      ...wish,
    });
  });

  it('is not waited for with --no-wait', async () => {
    const fake = fakeCloud(scriptOf('failover', [], []));
    const { printed } = await run(argv('failover', '--no-wait', '--json'), fake);
    expect(JSON.parse(printed[0] ?? '')).toEqual({ kind: 'started', executionArn });
  });

  it.each(['cancelled', 'held'])('that ends %s was not what was asked for', async (how) => {
    const ended = endedAs({ incidentId, status: how, summary: 'nothing to do' });
    const fake = fakeCloud(scriptOf('failover', [ended], [incidentOf()]));
    const { failure, printed } = await run(argv('failover'), fake);
    expect(problemIn(failure)).toBe(`1 it ended ${how}`);
    expect(printed).toEqual(['nothing to do']);
  });

  it('that joins an incident at work is followed there', async () => {
    const joined = endedAs({ kind: 'joined', incidentId, execution: 'another', says: 'joined' });
    const theirs = { name: 'fo', arn: `${executionArn}2`, token: 1 };
    const looks = [
      incidentOf({ execution: theirs }),
      incidentOf({ execution: theirs, status: 'recovered', summary: 'all is well' }),
    ];
    const fake = fakeCloud(scriptOf('failover', [joined], looks));
    const { failure, printed } = await run(argv('failover', '--json'), fake);
    expect(failure).toBeUndefined();
    expect(JSON.parse(printed[0] ?? '')).toMatchObject({
      kind: 'ended',
      status: 'recovered',
      says: 'all is well',
      incident: { id: incidentId },
    });
  });

  it('does not tell the story of an earlier incident as its own', async () => {
    const earlier = incidentOf({ execution: { name: 'fo', arn: 'earlier', token: 1 } });
    const fake = fakeCloud(scriptOf('failover', [running, recovered], [earlier, incidentOf()]));
    const { told } = await run(argv('failover'), fake);
    expect(told.filter((line) => line.includes('StopInstances'))).toHaveLength(1);
  });

  it('tells a call when its outcome is known', async () => {
    const says = 'FenceAgent: StopInstances: no outcome is on record';
    const open = incidentOf({
      timeline: [{ at, afterMs: 1, kind: 'call', says }],
    });
    const fake = fakeCloud(scriptOf('failover', [running, recovered], [open, incidentOf()]));
    const { told } = await run(argv('failover'), fake);
    expect(told.join('\n')).not.toContain('no outcome');
    expect(told.join('\n')).toContain('accepted');
  });

  it.each([
    ['SignalRefusedError', 'it is another cluster', /^1 refused: it is another cluster$/],
    ['ParseError', '{"errorMessage":"input.mode: wrong"}', /^2 input\.mode: wrong$/],
    ['States.Runtime', 'no such path', /^5 the execution failed: States\.Runtime: no such path$/],
  ])('that fails with %s says why', async (error, cause, words) => {
    const failed = { arn: executionArn, status: 'FAILED', error, cause };
    const { failure } = await run(
      argv('failover'),
      fakeCloud(scriptOf('failover', [failed], [noneYet])),
    );
    expect(problemIn(failure)).toMatch(words);
  });
});

describe('a plan', () => {
  const plan = {
    mode: 'failover',
    agent: { instanceId: agent, agentIds: [] },
    verdict: { kind: 'Impaired', why: ['it hangs'], whyNot: ['it is young'] },
    volumes: [{ volumeId: volume, name: 'mysql', appIds: ['/mysql'] }],
    leftAlone: [{ volumeId: 'vol-00000001', why: 'root device' }],
    candidates: { '/mysql': ['10.0.0.8', '10.0.0.9'] },
    calls: [
      {
        by: 'FenceAgent',
        call: 'StopInstances',
        target: agent,
        parameters: { method: 'skip' },
        allowed: 'yes',
      },
      {
        by: 'ReleaseVolume',
        call: 'DetachVolume',
        target: volume,
        parameters: { force: false },
        allowed: 'no',
        says: 'UnauthorizedOperation',
      },
    ],
    holds: [{ reason: 'no-placement', says: 'add an agent' }],
    predictedSeconds: { usual: 31, most: 51 },
  };
  const planned = endedAs({ incidentId, status: 'planned', summary: 'nothing was done', plan });
  const scriptOf = (ended: object, mode = '') => ({
    caller: [caller],
    look: [explanationOf()],
    [`start ebs-failover-demo${mode}`]: [executionArn],
    execution: [running, ended],
  });

  it('is that of a dry run, and shows every call and what would stop it', async () => {
    const { failure, inputs, printed } = await run(['plan', agent], fakeCloud(scriptOf(planned)));
    expect(failure).toBeUndefined();
    expect(inputs.find(([name]) => name.startsWith('start'))?.[1]).toMatchObject({
      instanceId: agent,
      mode: 'failover',
      dryRun: true,
    });
    const [shown = ''] = printed;
    expect(shown.split('\n').filter((line) => line.length > 80)).toEqual([]);
    const words = shown.replace(/\s+/g, ' ');
    for (const said of [
      'nothing was done',
      'verdict Impaired for it hangs against it is young',
      'would hold no-placement: add an agent',
      `would move mysql (${volume}) of /mysql`,
      'could run /mysql: 10.0.0.8, 10.0.0.9',
      'left alone vol-00000001: root device',
      'takes 31 s as a rule, 51 s at most',
      `FenceAgent allowed StopInstances ${agent} method=skip`,
      `ReleaseVolume refused DetachVolume ${volume} force=false (UnauthorizedOperation)`,
    ]) {
      expect(words).toContain(said);
    }
  });

  it('of a drain asks the other machine, and programs get all of it', async () => {
    const argv = ['plan', agent, '--mode', 'drain', '--json'];
    const { printed } = await run(argv, fakeCloud(scriptOf(planned, '_drain')));
    expect(JSON.parse(printed[0] ?? '')).toMatchObject({ status: 'planned', plan });
  });

  it.each([
    [endedAs({ status: 'recovered', summary: 'moved' }), /^5 the dry run ended without a plan$/],
    [
      { arn: executionArn, status: 'FAILED', error: 'ParseError', cause: 'dryRun: no' },
      /^2 dryRun: no$/,
    ],
  ])('that is none is told: %j', async (ended, words) => {
    const { failure } = await run(['plan', agent], fakeCloud(scriptOf(ended)));
    expect(problemIn(failure)).toMatch(words);
  });

  it('that never comes is given up', async () => {
    const { failure } = await run(['plan', agent], fakeCloud(scriptOf(running)));
    expect(problemIn(failure)).toBe(`5 the dry run does not end: ${executionArn}`);
  });
});

describe('orders', () => {
  const done = { kind: 'done', says: 'so be it' };
  const given = async (argv: readonly string[], answer: unknown = done) => {
    const fake = fakeCloud({
      caller: [caller],
      operate: [answer],
      unfence: [answer],
      look: [argv.includes('maintenance') ? explanationOf() : incidentOf()],
    });
    const ran = await run(argv, fake);
    const [name, input] = ran.inputs.at(-1) ?? [];
    return { ...ran, name, input };
  };

  it.each([
    [['hold', incidentId, '--reason', 'wait'], { action: 'hold', incidentId, reason: 'wait' }],
    [['resume', incidentId, '--yes'], { action: 'resume', incidentId }],
    [
      ['approve', incidentId, '--approval', 'a1', '--yes'],
      { action: 'approve', incidentId, approvalId: 'a1' },
    ],
    [['deny', agent, '--approval', 'a1'], { action: 'deny', incidentId, approvalId: 'a1' }],
    [['ack', incidentId, '--yes'], { action: 'acknowledge', incidentId }],
    [
      ['ack', incidentId, '--hold', 'flapping', '--yes'],
      { action: 'acknowledge', incidentId, hold: 'flapping' },
    ],
    [
      ['ack', 'storm', '--until', '2026-11-30T18:00Z', '--yes'],
      { action: 'acknowledge-storm', until: '2026-11-30T18:00:00.000Z' },
    ],
    [['pause', '--reason', 'game day'], { action: 'pause', reason: 'game day' }],
    [
      ['pause', '--reason', 'x', '--until', '2026-11-30T18:00:00+01:00'],
      { action: 'pause', until: '2026-11-30T17:00:00.000Z' },
    ],
    [['unpause'], { action: 'unpause' }],
    [
      ['maintenance', 'begin', agent, '--reason', 'fan', '--until', '2026-11-30T18:00Z'],
      { action: 'begin-maintenance', instanceId: agent, until: '2026-11-30T18:00:00.000Z' },
    ],
    [['maintenance', 'end', agent], { action: 'end-maintenance', instanceId: agent }],
  ])('%j are given in the name of who asks', async (argv, order) => {
    const { failure, input, name, printed } = await given(argv);
    expect(failure).toBeUndefined();
    expect(name).toBe('operate');
    expect(input).toEqual({ by: caller.arn, reason: expect.stringMatching(/./), ...order });
    expect(printed).toEqual(['so be it']);
  });

  it('of a span end so long from now', async () => {
    const before = Date.now();
    const { input } = await given(['pause', '--reason', 'x', '--for', '2h']);
    const until = Date.parse(String(Object(input).until));
    expect(until - before).toBeGreaterThanOrEqual(7_200_000);
    expect(until - before).toBeLessThan(7_260_000);
  });

  it('that change nothing are fine, and say so', async () => {
    const unchanged = { kind: 'unchanged', says: 'it is not paused' };
    const { failure, printed } = await given(['unpause', '--json'], unchanged);
    expect(failure).toBeUndefined();
    expect(JSON.parse(printed[0] ?? '')).toEqual(unchanged);
  });

  it('that are refused end with why, and programs get the document too', async () => {
    const refused = { kind: 'refused', says: 'it is over' };
    const human = await given(['hold', incidentId], refused);
    expect(problemIn(human.failure)).toBe('1 it is over');
    expect(human.printed).toEqual([]);
    const { failure, printed } = await given(['hold', incidentId, '--json'], refused);
    expect(problemIn(failure)).toBe('1 it is over');
    expect(JSON.parse(printed[0] ?? '')).toEqual(refused);
  });

  it('for a plan need one that is asked for', async () => {
    const { failure } = await given(['approve', incidentId, '--yes']);
    expect(problemIn(failure)).toBe(`1 ${incidentId} asks for no approval`);
  });

  it('to un-fence go to the function that checks it', async () => {
    const answer = { kind: 'unfenced', instanceId: agent, agentIds: [], says: 'it is back' };
    const { input, name, printed } = await given(
      ['unfence', agent, '--reason', 'x', '--yes'],
      answer,
    );
    expect(name).toBe('unfence');
    expect(input).toEqual({ instanceId: agent, requestedBy: caller.arn, reason: 'x' });
    expect(printed).toEqual(['it is back']);
  });

  it('to un-fence are refused with all that speaks against it', async () => {
    const answer = { kind: 'refused', instanceId: agent, why: ['data is on it', 'it is paused'] };
    const { failure } = await given(['unfence', agent, '--reason', 'x', '--yes'], answer);
    expect(problemIn(failure)).toBe('1 data is on it; it is paused');
  });
});

describe('watch', () => {
  const looks = [
    statusOf(),
    statusOf({ incidents: [lineOf()] }),
    new Problem('AWS is busy', { is: 'unavailable' }),
    statusOf({ at: at + 9_000 }),
  ];
  const argv = ['watch', '--interval', '1', '--looks', '4'];

  it('prints a page, then what changes; a look that fails does not end it', async () => {
    const { failure, printed, told } = await run(argv, fakeCloud({ look: looks }));
    expect(failure).toBeUndefined();
    expect(printed[0]).toContain('Cluster demo');
    expect(printed.slice(1)).toEqual([
      expect.stringMatching(/^21:00:00 {2}incident demo#.* is open: /),
      expect.stringMatching(/^21:00:09 {2}incident demo#.* is over$/),
    ]);
    expect(told).toEqual(['AWS is busy']);
  });

  it('draws the picture anew where somebody watches, with the last changes below', async () => {
    const { printed } = await run(argv, fakeCloud({ look: looks }), {
      terminal: { isWatched: true },
    });
    expect(printed).toHaveLength(3);
    for (const picture of printed) expect(picture.startsWith('\u001b[H')).toBe(true);
    expect(printed[2]).toMatch(/No open incident[\s\S]*is open[\s\S]*is over$/);
  });

  it('gives programs one document for each change', async () => {
    const quiet = [statusOf(), statusOf({ at: at + 1 }), statusOf({ agents: [] })];
    const fake = fakeCloud({ look: quiet });
    const { printed } = await run(['watch', '--json', '--looks', '3'], fake);
    expect(printed).toHaveLength(1);
    const changed = fakeCloud({ look: [statusOf(), statusOf({ incidents: [lineOf()] })] });
    expect((await run(['watch', '--json', '--looks', '2'], changed)).printed).toHaveLength(2);
  });

  it('ends at once where the first look fails', async () => {
    const fake = fakeCloud({ look: [new Problem('no such function', { is: 'unavailable' })] });
    expect(problemIn((await run(argv, fake)).failure)).toBe('5 no such function');
  });
});
