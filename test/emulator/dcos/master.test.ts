import { describe, expect, it } from 'vitest';
import { cluster, MYSQL } from './cluster.ts';

const MINUTE = 60_000;

const taskStates = ({ mesos }: ReturnType<typeof cluster>) => {
  const { tasks, unreachable_tasks, completed_tasks } = JSON.parse(
    mesos('GET_TASKS').body,
  ).get_tasks;
  const states = (list: { state: string }[]) => list.map(({ state }) => state);
  return [states(tasks), states(unreachable_tasks), states(completed_tasks)];
};

const about = (agentId: string) => ({ agent_id: { value: agentId } });

describe('the life of an agent', () => {
  it('is listed with what it announces and what is used of it', () => {
    const { agents, agentA } = cluster();
    expect(agents().agents[0]).toMatchObject({
      agent_info: {
        hostname: '10.0.0.10',
        id: { value: agentA },
        domain: { fault_domain: { zone: { name: 'aws/us-west-2a' } } },
      },
      active: true,
      deactivated: false,
      pid: 'slave(1)@10.0.0.10:5051',
      allocated_resources: [
        { name: 'cpus', scalar: { value: 0.5 } },
        { name: 'mem', scalar: { value: 1024 } },
      ],
    });
  });

  it('stays active while its kernel hangs, until twenty pings went unanswered', () => {
    const world = cluster();
    world.machines.hang('i-a');
    world.time.pass(5 * MINUTE - 1);
    expect(world.agents().agents[0]).toMatchObject({ active: true });
    expect(taskStates(world)).toEqual([['TASK_RUNNING'], [], []]);
    world.time.pass(15_000 + 200);
    expect(world.agents().agents).toHaveLength(1);
    expect(taskStates(world)).toEqual([[], ['TASK_UNREACHABLE'], []]);
  });

  it('is inactive soon after power is lost, and unreachable when nobody answers its pings', () => {
    const { time, machines, agents, dcos } = cluster();
    machines.powerOff('i-a');
    time.pass(5000);
    expect(agents().agents[0]).toMatchObject({ active: false });
    time.pass(5 * MINUTE + 15_000);
    expect(dcos.truth().agents[0]).toMatchObject({ state: 'unreachable', active: false });
  });

  it('is inactive at once when its machine shuts down in order', () => {
    const { time, machines, agents } = cluster();
    machines.shutDown('i-a');
    time.pass(3000);
    expect(agents().agents[0]).toMatchObject({ active: false });
  });

  it('recovers under its own id when its machine restarts, its executors dead', () => {
    const world = cluster();
    world.machines.powerOff('i-a');
    world.time.pass(MINUTE);
    world.machines.powerOn('i-a');
    world.time.pass(31_000);
    expect(world.agents().agents[0]).toMatchObject({
      agent_info: { id: { value: world.agentA } },
      active: true,
    });
    const gone = world.changes.find((c) => c.kind === 'task' && c.state === 'TASK_GONE');
    expect(gone).toMatchObject({ message: 'Abnormal executor termination' });
  });

  it('comes back under a new id on a Mesos before 1.4', () => {
    const { time, machines, agents, agentA } = cluster({ version: '1.9' });
    machines.powerOff('i-a');
    time.pass(MINUTE);
    machines.powerOn('i-a');
    time.pass(31_000);
    const ids = agents().agents.map((agent: { agent_info: { id: { value: string } } }) => {
      return agent.agent_info.id.value;
    });
    expect(ids).toHaveLength(2);
    expect(ids).not.toContain(agentA);
  });

  it('waits for 20 minutes per further lost agent until DC/OS 1.11', () => {
    const lost = (version: string) => {
      const { time, machines, agents } = cluster({ version });
      machines.hang('i-a');
      machines.hang('i-b');
      time.pass(6 * MINUTE);
      const early = agents().agents?.length;
      time.pass(20 * MINUTE);
      return [early, agents().agents?.length];
    };
    expect(lost('1.11')).toEqual([1, 0]);
    expect(lost('1.12')).toEqual([0, 0]);
  });

  it('is re-admitted when it thaws while unreachable, and the given-up task is killed', () => {
    const world = cluster();
    world.machines.hang('i-a');
    world.time.pass(6 * MINUTE);
    world.machines.thaw('i-a');
    world.time.pass(1000);
    expect(world.agents().agents).toHaveLength(2);
    expect(world.changes).toContainEqual(
      expect.objectContaining({
        state: 'TASK_RUNNING',
        message: 'Unreachable agent re-reregistered',
      }),
    );
    world.time.pass(1500);
    expect(taskStates(world)[2]).toContain('TASK_KILLED');
  });

  it('is refused and told to shut down when it thaws after it was marked gone', () => {
    const { time, machines, markGone, agentA, agents, guest, call } = cluster();
    machines.hang('i-a');
    time.pass(10_000);
    markGone(agentA);
    machines.thaw('i-a');
    time.pass(3000);
    const rows = guest()?.rowsOnVolume;
    time.pass(1000);
    expect(agents().agents).toHaveLength(1);
    expect(guest()?.rowsOnVolume).toBe(rows);
    expect(call('GET', `/agent/${agentA}/health`).status).toBe(404);
  });

  it('is a stranger with offers again once its work directory is wiped', () => {
    const { time, machines, markGone, agentA, dcos, agents } = cluster();
    machines.hang('i-a');
    markGone(agentA);
    machines.thaw('i-a');
    time.pass(5000);
    const stranger = dcos.faults.reinstallAgent('i-a');
    expect(stranger).not.toBe(agentA);
    expect(agents().agents).toContainEqual(
      expect.objectContaining({ agent_info: expect.objectContaining({ id: { value: stranger } }) }),
    );
  });

  it('is accepted under its old id once the master has forgotten that it is gone', () => {
    const { time, machines, markGone, agentA, dcos, agents } = cluster();
    machines.powerOff('i-a');
    markGone(agentA);
    dcos.faults.pruneGone(agentA);
    machines.powerOn('i-a');
    time.pass(31_000);
    expect(agents().agents).toHaveLength(2);
  });

  it('is removed, its tasks lost and replaced, where Marathon knows no partitions', () => {
    const world = cluster({ version: '1.8' });
    world.machines.powerOff('i-a');
    world.machines.tearOff('vol-1');
    world.time.pass(6 * MINUTE);
    expect(world.dcos.truth().agents[0]).toMatchObject({ state: 'removed' });
    expect(taskStates(world)[2]).toEqual(['TASK_LOST']);
    expect(world.tasks()).toMatchObject([{ host: '10.0.0.11', state: 'TASK_RUNNING' }]);
  });

  it('starts a task it was sent while its kernel hung only after the thaw', () => {
    const { time, machines, dcos, tasks } = cluster({ placed: false });
    machines.hang('i-b');
    dcos.createApp({ ...MYSQL, constraints: [['hostname', 'CLUSTER', '10.0.0.11']] });
    time.pass(MINUTE);
    expect(tasks()).toMatchObject([{ host: '10.0.0.11', state: 'TASK_STAGING' }]);
    expect(machines.calls).toEqual([]);
    machines.thaw('i-b');
    time.pass(10_000);
    expect(tasks()).toMatchObject([{ state: 'TASK_RUNNING' }]);
  });

  it('is unheard of in a partition while its tasks work on', () => {
    const { time, dcos, agents, guest } = cluster();
    dcos.faults.partition('i-a', true);
    time.pass(6 * MINUTE);
    expect(agents().agents).toHaveLength(1);
    expect(guest()?.rowsAcknowledged).toBe(100 + 6 * 60 * 5);
    dcos.faults.partition('i-a', false);
    time.pass(1000);
    expect(agents().agents).toHaveLength(2);
  });
});

describe('an agent whose security groups let nothing through', () => {
  it('is unheard of while its tasks work on, and back with its network', () => {
    const { time, machines, agents, guest } = cluster();
    machines.cutOff('i-a', true);
    time.pass(6 * MINUTE);
    expect(agents().agents).toHaveLength(1);
    expect(guest()?.rowsAcknowledged).toBe(100 + 6 * 60 * 5);
    machines.cutOff('i-a', false);
    time.pass(1000);
    expect(agents().agents).toHaveLength(2);
  });

  it('does not register after a restart before it has a network', () => {
    const { time, machines, agents } = cluster();
    machines.cutOff('i-a', true);
    machines.powerOff('i-a');
    machines.powerOn('i-a');
    time.pass(10 * MINUTE);
    expect(agents().agents).toHaveLength(1);
    machines.cutOff('i-a', false);
    time.pass(1000);
    expect(agents().agents).toHaveLength(2);
  });
});

describe('MARK_AGENT_GONE', () => {
  it('tells the framework of each task, and says yes again when repeated', () => {
    const world = cluster();
    expect(world.markGone(world.agentA)).toMatchObject({ status: 200, body: '' });
    expect(taskStates(world)).toEqual([[], [], ['TASK_GONE_BY_OPERATOR']]);
    expect(world.markGone(world.agentA)).toMatchObject({ status: 200, body: '' });
    expect(world.mesos('GET_AGENTS').body).not.toContain(world.agentA);
  });

  it('does not know an agent nobody has seen', () => {
    expect(cluster().markGone('x-S9')).toMatchObject({
      status: 404,
      body: "Agent 'x-S9' not found",
    });
  });

  it('asks to wait while the agent is being marked unreachable', () => {
    const world = cluster();
    world.machines.hang('i-a');
    world.time.pass(5 * MINUTE + 15_000 + 50);
    expect(world.markGone(world.agentA)).toMatchObject({
      status: 503,
      body: `Agent '${world.agentA}' is being transitioned to unreachable`,
    });
  });

  it('wedges an unreachable agent for ever on builds with MESOS-9545', () => {
    const world = cluster({ version: '1.12.4' });
    world.machines.hang('i-a');
    world.time.pass(6 * MINUTE);
    expect(world.markGone(world.agentA).status).toBe(200);
    expect(taskStates(world)[1]).toEqual(['TASK_UNREACHABLE']);
    expect(world.markGone(world.agentA)).toMatchObject({
      status: 503,
      body: `Agent '${world.agentA}' is already being transitioned to gone`,
    });
    world.machines.thaw('i-a');
    world.time.pass(MINUTE);
    expect(world.agents().agents).toHaveLength(1);
    world.dcos.faults.masterFailover();
    expect(world.markGone(world.agentA).status).toBe(200);
  });

  it('also ends the tasks of an unreachable agent on builds without it', () => {
    const world = cluster({ version: '1.12.5' });
    world.machines.hang('i-a');
    world.time.pass(6 * MINUTE);
    world.markGone(world.agentA);
    expect(taskStates(world)[1]).toEqual([]);
  });

  it('sends nothing for an agent not seen since a failover; reconciliation finds it', () => {
    const world = cluster();
    world.machines.hang('i-a');
    world.dcos.faults.masterFailover();
    expect(world.agents().recovered_agents).toMatchObject([
      { id: { value: world.agentA } },
      { id: { value: world.agentB } },
    ]);
    expect(world.markGone(world.agentA).status).toBe(200);
    world.time.pass(10_000);
    expect(world.agents().agents).toHaveLength(1);
    expect(world.tasks()).toMatchObject([{ slaveId: world.agentA, state: 'TASK_RUNNING' }]);
    world.time.pass(10_000);
    expect(world.tasks()).toMatchObject([]);
  });

  it('does not exist before DC/OS 1.11', () => {
    const { markGone, agentA } = cluster({ version: '1.10' });
    const { status, body } = markGone(agentA);
    expect(status).toBe(400);
    expect(body).toMatch(/^Failed to convert JSON into Call protobuf/);
  });

  it('may be missed by a Marathon that is not connected', () => {
    const { time, dcos, markGone, agentA, tasks } = cluster();
    time.pass(MINUTE);
    dcos.faults.dropUpdates(true);
    markGone(agentA);
    dcos.faults.dropUpdates(false);
    time.pass(MINUTE);
    expect(tasks()).toMatchObject([{ slaveId: agentA, state: 'TASK_RUNNING' }]);
    time.pass(10 * MINUTE);
    expect(tasks()[0]?.slaveId).not.toBe(agentA);
  });
});

describe('DEACTIVATE, REACTIVATE and DRAIN', () => {
  it('stops offers, survives, and is undone', () => {
    const { time, mesos, agents, agentB, dcos, tasks } = cluster({ placed: false });
    const deactivated = mesos('DEACTIVATE_AGENT', { deactivate_agent: about(agentB) });
    expect(deactivated).toMatchObject({ status: 200, body: '' });
    expect(agents().agents[1]).toMatchObject({ active: false, deactivated: true });
    dcos.createApp({ ...MYSQL, constraints: [['hostname', 'CLUSTER', '10.0.0.11']] });
    time.pass(30_000);
    expect(tasks()).toEqual([]);
    expect(mesos('REACTIVATE_AGENT', { reactivate_agent: about(agentB) }).status).toBe(200);
    time.pass(10_000);
    expect(tasks()).toMatchObject([{ slaveId: agentB }]);
  });

  it('refuses what makes no sense, in words of its own', () => {
    const { mesos, agentA, agentB } = cluster();
    const refused = (type: string, key: string, agentId: string) => {
      const { status, body } = mesos(type, { [key]: about(agentId) });
      return `${status} ${body}`;
    };
    expect(refused('DEACTIVATE_AGENT', 'deactivate_agent', 'x')).toBe('400 Unknown agent');
    expect(refused('DRAIN_AGENT', 'drain_agent', 'x')).toBe('400 Unknown agent');
    expect(refused('REACTIVATE_AGENT', 'reactivate_agent', agentB)).toBe(
      '400 Agent is not deactivated',
    );
    expect(refused('DRAIN_AGENT', 'drain_agent', agentA)).toBe('200 ');
    expect(refused('REACTIVATE_AGENT', 'reactivate_agent', agentA)).toBe(
      '400 Agent is still in the DRAINING state',
    );
  });

  it('drains a working agent: tasks killed, relaunched elsewhere, no backoff', () => {
    const { time, mesos, agents, agentA, tasks, guest } = cluster();
    mesos('DRAIN_AGENT', { drain_agent: { ...about(agentA), max_grace_period: { seconds: 60 } } });
    expect(agents().agents[0]).toMatchObject({ drain_info: { state: 'DRAINING' } });
    time.pass(2000);
    expect(agents().agents[0]).toMatchObject({ drain_info: { state: 'DRAINED' } });
    time.pass(20_000);
    expect(tasks()).toMatchObject([{ host: '10.0.0.11', state: 'TASK_RUNNING' }]);
    expect(guest()).toMatchObject({ lostRows: 0, foreignWrites: 0 });
  });

  it('does nothing for a task on a hung agent until that returns', () => {
    const { time, mesos, machines, agentA, tasks } = cluster();
    machines.hang('i-a');
    mesos('DRAIN_AGENT', { drain_agent: about(agentA) });
    time.pass(MINUTE);
    expect(tasks()).toMatchObject([{ slaveId: agentA }]);
    machines.thaw('i-a');
    time.pass(10_000);
    expect(tasks()).toMatchObject([{ host: '10.0.0.11' }]);
  });

  it('does not exist before DC/OS 2.0', () => {
    const { mesos, agentA, agents } = cluster({ version: '1.13' });
    expect(mesos('DEACTIVATE_AGENT', { deactivate_agent: about(agentA) }).status).toBe(400);
    expect(agents().agents[0]).not.toHaveProperty('deactivated');
  });
});

describe('maintenance', () => {
  const machine = { hostname: '10.0.0.10', ip: '10.0.0.10' };
  const unavailability = { start: { nanoseconds: 0 } };
  const windows = (...machines: object[]) => ({
    update_maintenance_schedule: {
      schedule: { windows: [{ machine_ids: machines, unavailability }] },
    },
  });

  it('takes a scheduled machine down: tasks lost and replaced, its agent refused until UP', () => {
    const { time, mesos, machines, agents, tasks } = cluster({ version: '1.10' });
    const start = () => mesos('START_MAINTENANCE', { start_maintenance: { machines: [machine] } });
    expect(start().status).toBe(400);
    expect(mesos('UPDATE_MAINTENANCE_SCHEDULE', windows(machine)).status).toBe(200);
    machines.powerOff('i-a');
    machines.tearOff('vol-1');
    expect(start().status).toBe(200);
    time.pass(20_000);
    expect(tasks()).toMatchObject([{ host: '10.0.0.11', state: 'TASK_RUNNING' }]);
    machines.powerOn('i-a');
    time.pass(40_000);
    expect(agents().agents).toHaveLength(1);
    const status = JSON.parse(mesos('GET_MAINTENANCE_STATUS').body).get_maintenance_status.status;
    expect(status).toEqual({ draining_machines: [], down_machines: [machine] });
    expect(mesos('STOP_MAINTENANCE', { stop_maintenance: { machines: [machine] } }).status).toBe(
      200,
    );
  });

  it('conflicts with a drain, and replaces the whole schedule at once', () => {
    const { mesos, agentA } = cluster();
    mesos('UPDATE_MAINTENANCE_SCHEDULE', windows(machine));
    expect(mesos('DRAIN_AGENT', { drain_agent: about(agentA) }).status).toBe(400);
    mesos('UPDATE_MAINTENANCE_SCHEDULE', windows({ hostname: 'other', ip: '10.0.0.99' }));
    expect(mesos('GET_MAINTENANCE_SCHEDULE').body).not.toContain('10.0.0.10');
    expect(mesos('DRAIN_AGENT', { drain_agent: about(agentA) }).status).toBe(200);
  });
});

describe('transport rules', () => {
  const api = (world: ReturnType<typeof cluster>, changes: object = {}) => {
    const request = {
      method: 'POST',
      url: 'https://dcos.example.com/mesos/api/v1',
      headers: { 'content-type': 'application/json' },
      body: '{"type":"GET_HEALTH"}',
      ...changes,
    };
    return world.dcos.handle(request, { accessKeyId: '' });
  };

  it.each([
    [405, { method: 'GET', headers: {} }, /^Expecting one of/],
    [400, { headers: {} }, /^Expecting 'Content-Type' to be present/],
    [415, { headers: { 'content-type': 'text/plain' } }, /Content-Type/],
    [400, { body: '{' }, /^Failed to parse body into JSON/],
    [400, { body: '{"type":"NO_SUCH"}' }, /^Failed to convert JSON into Call protobuf/],
    [400, { body: '{"type":"MARK_AGENT_GONE"}' }, /^Failed to validate master::Call/],
    [400, { body: '{}' }, /^Failed to validate master::Call/],
    [406, { headers: { 'content-type': 'application/json', accept: 'text/html' } }, /Accept/],
    [200, {}, /"healthy":true/],
  ])('answers %d to %j', (status, changes, body) => {
    expect(api(cluster(), changes)).toMatchObject({ status, body: expect.stringMatching(body) });
  });

  it('redirects, or has no answer, while it does not lead', () => {
    const world = cluster();
    world.dcos.faults.masterLeadership({ kind: 'following', leader: '10.0.1.2:5050' });
    expect(api(world)).toMatchObject({
      status: 307,
      headers: { location: '//10.0.1.2:5050/api/v1' },
    });
    world.dcos.faults.masterLeadership({ kind: 'no-leader' });
    expect(api(world)).toMatchObject({ status: 503, body: 'No leader elected' });
    world.dcos.faults.masterLeadership({ kind: 'recovering' });
    expect(api(world, { method: 'GET' })).toMatchObject({
      status: 503,
      body: 'Master has not finished recovery',
    });
  });

  it('serves the other reads, v1 and legacy', () => {
    const { mesos, read, agentA } = cluster();
    expect(JSON.parse(mesos('GET_VERSION').body).get_version.version_info.version).toBe('1.10.1');
    expect(JSON.parse(mesos('GET_MASTER').body).get_master.master_info.port).toBe(5050);
    expect(mesos('GET_FLAGS').body).toContain('max_agent_ping_timeouts');
    expect(JSON.parse(mesos('GET_STATE').body).get_state.get_tasks.tasks).toHaveLength(1);
    expect(read(`/mesos/slaves?slave_id=${agentA}`).slaves).toMatchObject([
      { id: agentA, active: true, used_resources: { cpus: 0.5, mem: 1024 } },
    ]);
    expect(read('/mesos/master/tasks').tasks).toMatchObject([{ slave_id: agentA }]);
    expect(read('/mesos/state')).toMatchObject({ activated_slaves: 2, unreachable_slaves: 0 });
  });
});
