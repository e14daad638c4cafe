import { afterEach, describe, expect, it } from 'vitest';
import { Ec2Refusal } from '../../emulator/core/machines.ts';
import { setStage } from '../../emulator/scenes/stage.ts';
import { type Cloud, closeClouds, openCloud } from './cloud.ts';
import { incidentOf, order, start, states } from './person.ts';

afterEach(closeClouds);

const instanceId = 'i-0a1b2c3d4e5f60718';
/** Two sweeps: the first adopts the volumes, the second knows the inventory. */
const SWEEPS_MS = 130_000;

const staged = async (group = false, parameters: Readonly<Record<string, string>> = {}) => {
  const cloud = await openCloud(1, { tables: {}, parameters });
  const stage = setStage(cloud, { group, alarms: false, instanceId });
  await cloud.pass(SWEEPS_MS);
  return { cloud, volumeId: stage.app.volumeIds[0] ?? '' };
};

/** What an execution says in the end, as far as it is looked at here. */
interface Output {
  readonly status: string;
  readonly summary: string;
  readonly plan: {
    readonly calls: readonly { readonly call: string; readonly allowed: string }[];
    readonly candidates: Readonly<Record<string, readonly string[]>>;
    readonly holds: readonly object[];
  };
}

interface Described {
  readonly status: string;
  readonly error?: string;
  readonly cause?: string;
  readonly output: Output;
}

const described = async (cloud: Cloud, executionArn: string): Promise<Described> => {
  const ended = () =>
    cloud.states.executions().find(({ arn }) => arn === executionArn)?.status !== 'RUNNING';
  await cloud.until(ended);
  const answer = await states(cloud, 'DescribeExecution', { executionArn });
  return { ...(answer as unknown as Described), output: JSON.parse(String(answer.output ?? '{}')) };
};

const asked = { instanceId, reason: 'what if', requestedBy: 'ana' };
const run = async (cloud: Cloud, machine: string, input: unknown) =>
  described(cloud, await start(cloud, machine, input));
const rehearse = (cloud: Cloud, input: object = {}) =>
  run(cloud, 'FailoverStateMachine', { ...asked, dryRun: true, ...input });

/** What was really changed: a dry run of EC2's is in the log of calls, too. */
const done = (cloud: Cloud): string[] =>
  cloud.ec2
    .calls()
    .filter(({ api, outcome }) => !api.startsWith('Describe') && outcome === 'ok')
    .map(({ api }) => api);
/** What was sent to the cluster and its groups, by a step. */
const sent = (cloud: Cloud): string[] =>
  cloud.network
    .calls()
    .filter(({ service }) => ['mesos', 'marathon', 'autoscaling'].includes(service))
    .filter(({ functionName }) => functionName !== undefined)
    .map(({ operation }) => operation)
    .filter((operation) => !/^(?:GET|Describe)/.test(operation));

const callsOf = (output: Output): string[] =>
  output.plan.calls.map(({ allowed, call }) => `${call} ${allowed}`);

describe('a dry run of a failover', () => {
  it('goes through the same states, changes nothing, and ends with the plan', async () => {
    const { cloud, volumeId } = await staged(true);
    const before = [done(cloud), sent(cloud)];
    const { output, status } = await rehearse(cloud);
    expect(status).toBe('SUCCEEDED');
    expect(output).toMatchObject({
      status: 'planned',
      instanceId,
      summary: expect.stringMatching(/^dry run of a failover of i-\w+, nothing was done: 6 calls/),
      plan: {
        agent: { instanceId, launchTime: expect.any(String), state: 'running' },
        verdict: { kind: 'Ordered', why: ['ana asked for a failover: what if'] },
        volumes: [{ volumeId, name: 'mysql', appIds: ['/mysql'] }],
        apps: ['/mysql'],
        holds: [],
        predictedSeconds: { usual: expect.any(Number), most: expect.any(Number) },
      },
    });
    expect(output.plan.candidates['/mysql']).toHaveLength(3);
    expect(callsOf(output)).toEqual([
      'DEACTIVATE_AGENT not-asked',
      'EnterStandby not-asked',
      'StopInstances yes',
      'DetachVolume yes',
      'MARK_AGENT_GONE not-asked',
      'DELETE /v2/queue/delay not-asked',
    ]);
    expect([done(cloud), sent(cloud)]).toEqual(before);
    expect(cloud.ec2.status(instanceId).state).toBe('running');
    const [execution] = cloud.states.executions();
    const path = execution?.history.flatMap((event) =>
      event.type === 'StateEntered' ? [event.state.name] : [],
    );
    expect(path).toEqual(
      expect.arrayContaining([
        'ProtectData',
        'FenceAgent',
        'ReleaseVolume',
        'HandOff',
        'ReportPlan',
      ]),
    );
  });

  it('is joined by nobody, resumed by no sweep, and told to nobody', async () => {
    const { cloud } = await staged();
    await rehearse(cloud);
    await cloud.pass(200_000);
    expect(cloud.states.executions()).toHaveLength(1);
    expect(cloud.slack.messages()).toEqual([]);
    cloud.ec2.stop(instanceId, { skipOsShutdown: true });
    await cloud.until(() => cloud.states.executions().length === 2);
    expect(cloud.states.executions()[1]?.name).toBe(`fo-${instanceId}-1-1`);
  });

  it('takes no token from an execution that is at work', async () => {
    const { cloud } = await staged();
    cloud.ec2.faults.stuckStop = () => 60_000;
    cloud.ec2.hang(instanceId);
    await start(cloud, 'FailoverStateMachine', asked);
    await cloud.pass(10_000);
    const { output } = await rehearse(cloud);
    expect(output.status).toBe('planned');
    await cloud.until(() =>
      cloud.states.executions().some(({ output: said = '' }) => said.includes('"recovered"')),
    );
    expect(await incidentOf(cloud, instanceId)).toMatchObject({ token: 1 });
  });

  it('says which call would fail for want of a right', async () => {
    const { cloud } = await staged();
    cloud.ec2.faults.onCall = ({ api }) => {
      if (api === 'DetachVolume') throw new Ec2Refusal('UnauthorizedOperation', 'not you');
    };
    const { output } = await rehearse(cloud);
    expect(callsOf(output)).toContain('DetachVolume no');
    expect(output.summary).toContain('DetachVolume');
    expect(output.status).toBe('planned');
  });

  it('looks past a pause, and says that it would hold', async () => {
    const { cloud } = await staged();
    await order(cloud, { action: 'pause' });
    const { output } = await rehearse(cloud);
    expect(output.plan.holds).toMatchObject([{ reason: 'paused' }]);
    expect(output.summary).toContain('it would be held: paused: ana paused the cluster');
    expect(callsOf(output)).toContain('StopInstances yes');
  });

  it('looks past an approval, asks nobody, and says that a person would be', async () => {
    const { cloud } = await staged(false, { ApprovalVerdicts: 'Ordered' });
    const { output } = await rehearse(cloud);
    expect(output.plan.holds).toEqual([
      { reason: 'approval', says: expect.stringContaining('a person would be asked to fence it') },
    ]);
    expect(callsOf(output)).toContain('DetachVolume yes');
    expect(cloud.slack.messages()).toEqual([]);
  });

  it('ends where it would be held for anything else', async () => {
    const { cloud } = await staged();
    cloud.dcos.faults.router.mesos = 'down' as never;
    const { output } = await rehearse(cloud);
    expect(output.plan.holds).toMatchObject([{ reason: 'blind' }]);
    expect(callsOf(output)).toEqual([]);
  });

  it('shows the fence that was asked for', async () => {
    const { cloud } = await staged();
    const { output } = await rehearse(cloud, { fence: 'terminate' });
    expect(callsOf(output)).toContain('TerminateInstances yes');
    expect(callsOf(output)).not.toContain('StopInstances yes');
    expect(cloud.ec2.status(instanceId).state).toBe('running');
  });

  it('is about a machine of this cluster, or refused', async () => {
    const { cloud } = await staged();
    const stranger = cloud.ec2.seedInstance({ availabilityZone: 'eu-central-1a', tags: {} });
    const { status, error } = await rehearse(cloud, { instanceId: stranger });
    expect([status, error]).toEqual(['FAILED', 'SignalRefusedError']);
  });
});

describe('a dry run of a move', () => {
  const move = (cloud: Cloud, input: object = {}) =>
    run(cloud, 'DrainStateMachine', { ...asked, dryRun: true, ...input });

  it('shows what would be asked of DC/OS, and asks nothing', async () => {
    const { cloud } = await staged();
    const before = [done(cloud), sent(cloud)];
    const { output } = await move(cloud);
    expect(output).toMatchObject({ status: 'planned', plan: { mode: 'drain' } });
    expect(callsOf(output)).toEqual(['DEACTIVATE_AGENT not-asked', 'DRAIN_AGENT not-asked']);
    expect(output.plan.candidates['/mysql']).toHaveLength(3);
    expect([done(cloud), sent(cloud)]).toEqual(before);
  });

  it('of some volumes shows that only their tasks would be ended', async () => {
    const { cloud, volumeId } = await staged();
    const { output } = await move(cloud, { volumes: [volumeId] });
    expect(callsOf(output)).toContain('DELETE /v2/apps/tasks not-asked');
    expect(callsOf(output)).not.toContain('DRAIN_AGENT not-asked');
  });

  it('says that what has failed would be failed over', async () => {
    const { cloud } = await staged();
    await order(cloud, { action: 'pause' });
    cloud.ec2.stop(instanceId, { skipOsShutdown: true });
    await cloud.pass(40_000);
    const { output } = await move(cloud);
    expect(output.summary).toContain('it would be failed over');
    expect(output.status).toBe('planned');
  });
});

describe('an execution that a person starts', () => {
  it.each([
    [{}, 'must be an EC2 instance id'],
    [{ instanceId, dry_run: true }, 'did you mean dryRun?'],
    [{ instanceId, dryRun: 'true' }, 'must be true or false'],
    [{ instanceId, mode: 'drain' }, 'mode names the other state machine'],
    [{ instanceId, volumes: ['mysql'] }, 'must be an EBS volume id'],
    ['i-0a1b2c3d4e5f60718', 'expected record'],
  ])('with %j fails at once, and says why', async (input, why) => {
    const { cloud } = await staged();
    const { cause, error, status } = await run(cloud, 'FailoverStateMachine', input);
    expect([status, error]).toEqual(['FAILED', 'ParseError']);
    expect(cause).toContain(why);
  });

  it('for volumes that a fence would not take all of is held, and says so', async () => {
    const { cloud } = await staged();
    const others = { volumes: ['vol-0a1b2c3d4e5f60718'] };
    const { output } = await rehearse(cloud, others);
    expect(output.plan.holds).toMatchObject([
      { reason: 'ambiguous-scope', says: expect.stringContaining('not on this machine') },
    ]);
  });

  it('with fence terminate cuts power so, and deletes no data', async () => {
    const { cloud, volumeId } = await staged();
    const { output } = await run(cloud, 'FailoverStateMachine', { ...asked, fence: 'terminate' });
    expect(output).toMatchObject({ status: 'recovered' });
    expect(done(cloud)).toContain('TerminateInstances');
    expect(done(cloud)).not.toContain('StopInstances');
    const truth = cloud.ec2.truth();
    expect(truth.volumes.find((volume) => volume.volumeId === volumeId)).toBeDefined();
    expect(cloud.dcos.guests.foreignRows()).toBe(0);
  });
});
