import { describe, expect, it } from 'vitest';
import { cluster, MYSQL } from './cluster.ts';

const APPS = '/service/marathon/v2/apps';
const MINUTE = 60_000;

/** A stateless app; `more` overrides. */
const web = (more: object = {}) => ({ id: '/web', cpus: 1, mem: 128, cmd: 'serve', ...more });

type World = ReturnType<typeof cluster>;
const taskOf = (world: World): { id: string; slaveId: string; state: string } => world.tasks()[0];
const withUnreachable = (inactiveAfterSeconds: number, expungeAfterSeconds: number) => ({
  ...MYSQL,
  unreachableStrategy: { inactiveAfterSeconds, expungeAfterSeconds },
});

describe('task objects', () => {
  it('carry everything by which a client tells tasks apart', () => {
    const { tasks, agentA, time } = cluster();
    time.pass(1000);
    const [task] = tasks();
    expect(task.id).toMatch(/^mysql\.instance-[0-9a-f]{8}-[0-9a-f-]{27}\._app\.1$/);
    expect(task).toMatchObject({
      appId: '/mysql',
      host: '10.0.0.10',
      slaveId: agentA,
      state: 'TASK_RUNNING',
      startedAt: '2026-11-22T21:00:00.000Z',
      region: 'aws/us-west-2',
      zone: 'aws/us-west-2a',
      role: '*',
      localVolumes: [],
      healthCheckResults: [{ alive: true, consecutiveFailures: 0, lastFailure: null }],
    });
    expect(task.ports).toHaveLength(1);
  });

  it.each([
    ['1.10', /^mysql\.[0-9a-f-]{36}$/, []],
    ['1.13', /\._app\.1$/, ['region', 'zone']],
  ])('look as those of DC/OS %s', (version, id, present) => {
    const [task] = cluster({ version }).tasks();
    expect(task.id).toMatch(id);
    expect(['region', 'zone', 'role'].filter((key) => key in task)).toEqual(present);
  });

  it('have no health result without health checks, whatever happens', () => {
    const { time, dcos, tasks } = cluster({ placed: false });
    dcos.createApp(web());
    time.pass(MINUTE);
    expect(tasks()[0]).not.toHaveProperty('healthCheckResults');
    expect(dcos.truth().tasks).toMatchObject([{ healthy: undefined, state: 'TASK_RUNNING' }]);
  });

  it('turn unhealthy when their agent has been silent past the checks', () => {
    const { time, machines, tasks, read } = cluster();
    machines.hang('i-a');
    time.pass(150_000);
    expect(tasks()[0].healthCheckResults).toMatchObject([{ alive: false, consecutiveFailures: 3 }]);
    expect(read(`${APPS}/mysql`).app).toMatchObject({ tasksHealthy: 0, tasksUnhealthy: 1 });
  });
});

describe('reading', () => {
  it('embeds tasks in lists only when asked, in a single app always', () => {
    const { read } = cluster();
    expect(read(APPS).apps).toMatchObject([{ id: '/mysql', tasksRunning: 1, deployments: [] }]);
    expect(read(APPS).apps[0]).not.toHaveProperty('tasks');
    expect(read(`${APPS}?embed=apps.tasks&embed=apps.counts`).apps[0].tasks).toHaveLength(1);
    expect(read(`${APPS}//mysql`).app.tasks).toHaveLength(1);
    expect(read(`${APPS}/mysql/tasks`).tasks).toHaveLength(1);
  });

  it('finds apps by id and label', () => {
    const { read, dcos } = cluster();
    dcos.createApp(web({ labels: { tier: 'front' } }));
    const ids = (query: string) => read(`${APPS}?${query}`).apps.map((a: { id: string }) => a.id);
    expect(ids('id=sql')).toEqual(['/mysql']);
    expect(ids('label=tier')).toEqual(['/web']);
    expect(ids('label=tier==back')).toEqual([]);
  });

  it('tells running from staging tasks', () => {
    const { read, dcos, time } = cluster();
    dcos.createApp(web());
    time.pass(2000);
    const apps = (status: string) =>
      read(`/marathon/v2/tasks?status=${status}`).tasks.map((t: { appId: string }) => t.appId);
    expect(apps('running')).toEqual(['/mysql']);
    expect(apps('staging')).toEqual(['/web']);
  });

  it('answers who it is', () => {
    const { read, call } = cluster();
    expect(read('/service/marathon/v2/info')).toMatchObject({ version: '1.10.34', elected: true });
    expect(read('/service/marathon/v2/leader')).toEqual({ leader: '10.0.1.1:8080' });
    expect(call('GET', '/service/marathon/ping')).toMatchObject({ status: 200, body: 'pong' });
  });
});

describe('errors', () => {
  it.each([
    ['GET', '/v2/apps/nope', undefined, 404, { message: "App '/nope' does not exist" }],
    ['GET', '/v2/nope', undefined, 500, { message: 'URI not found' }],
    ['POST', '/v2/apps', { id: 5 }, 400, { message: 'Invalid JSON', details: [{ path: '/id' }] }],
    ['POST', '/v2/apps', MYSQL, 409, { message: 'An app with id [/mysql] already exists.' }],
    [
      'POST',
      '/v2/apps',
      web({ constraints: [['rack', 'NEAR', 'x']] }),
      422,
      {
        details: [{ path: '/constraints(0)' }],
      },
    ],
    [
      'POST',
      '/v2/apps',
      web({ constraints: [['rack', 'LIKE', '(']] }),
      422,
      {
        details: [{ path: '/constraints(0)' }],
      },
    ],
    ['POST', '/v2/apps', web({ id: 'A b' }), 422, { details: [{ path: '/id' }] }],
    ['DELETE', '/v2/apps/mysql/tasks/x', undefined, 404, { message: "Task 'x' does not exist" }],
    [
      'DELETE',
      '/v2/apps/mysql/tasks?scale=true&wipe=true',
      undefined,
      400,
      {
        message: 'You cannot use scale and wipe at the same time.',
      },
    ],
    [
      'POST',
      '/v2/tasks/delete',
      { ids: ['?'] },
      400,
      {
        message: expect.stringMatching(/^Invalid task id '\?'/),
      },
    ],
    [
      'DELETE',
      '/v2/queue//mysql/delay',
      undefined,
      404,
      {
        message: 'Application /mysql not found in tasks queue.',
      },
    ],
    ['DELETE', '/v2/deployments/x', undefined, 404, {}],
  ])('%s %s %j is a %d', (method, path, body, status, expected) => {
    const answered = cluster().call(method, `/service/marathon${path}`, body);
    expect(answered.status).toBe(status);
    expect(JSON.parse(answered.body)).toMatchObject(expected);
  });

  it('name the parser of bad syntax, and hold back during an election', () => {
    const { dcos, call } = cluster();
    const request = {
      method: 'POST',
      url: `https://dcos.example.com${APPS}`,
      headers: {},
      body: '{',
    };
    expect(dcos.handle(request, { accessKeyId: '' })).toMatchObject({ status: 400 });
    dcos.faults.marathonElecting(true);
    expect(call('GET', APPS)).toMatchObject({
      status: 502,
      body: expect.stringContaining('Could not determine the current leader'),
    });
  });
});

describe('external volumes', () => {
  const volume = (external: object, more: object = {}) => ({
    containerPath: '/data',
    mode: 'RW',
    external: { name: 'data', provider: 'dvdi', options: { 'dvdi/driver': 'rexray' }, ...external },
    ...more,
  });
  const app = (volumes: object[], more: object = {}) =>
    web({ id: '/db', container: { type: 'MESOS', volumes }, ...more });

  it.each([
    ['two instances', app([volume({})], { instances: 2 }), '/instances'],
    ['one name twice', app([volume({}), volume({})]), '/container/volumes'],
    ['a name of another app', app([volume({ name: 'mysql' })]), '/container/volumes'],
    ['no name', app([volume({ name: undefined })]), '/container/volumes(0)/external/name'],
    ['no driver', app([volume({ options: {} })]), '/container/volumes(0)/external/options'],
    ['read-only', app([volume({}, { mode: 'RO' })]), '/container/volumes(0)/mode'],
    [
      'a size with DOCKER',
      web({ container: { type: 'DOCKER', volumes: [volume({ size: 5 })] } }),
      '/container/volumes(0)/external/size',
    ],
    [
      'over-capacity in an upgrade',
      app([volume({})], { upgradeStrategy: { maximumOverCapacity: 1 } }),
      '/upgradeStrategy/maximumOverCapacity',
    ],
    [
      'expunging before it is inactive',
      app([], { unreachableStrategy: { inactiveAfterSeconds: 9, expungeAfterSeconds: 1 } }),
      '/unreachableStrategy',
    ],
  ])('are refused with %s', (_, definition, path) => {
    const { status, body } = cluster().call('POST', APPS, definition);
    expect(status).toBe(422);
    expect(JSON.parse(body).details).toContainEqual(expect.objectContaining({ path }));
  });

  it('are accepted in the 1.5 shape, several of them, with a size', () => {
    const { call, time, machines, dcos } = cluster();
    const definition = app([volume({ size: 40 }), volume({ name: 'log' })], {
      networks: [{ mode: 'container/bridge' }],
    });
    expect(call('POST', APPS, definition).status).toBe(201);
    time.pass(30_000);
    expect(machines.calls).toContain('create data us-west-2a 40');
    expect(dcos.truth().tasks[1]).toMatchObject({ state: 'TASK_RUNNING', volumeIds: [{}, {}] });
  });

  it('cannot be changed after creation', () => {
    const { call } = cluster();
    const changed = { container: { type: 'DOCKER', volumes: [volume({})] } };
    expect(call('PUT', `${APPS}/mysql`, changed).status).toBe(422);
  });
});

describe('a definition as Marathon 1.4 exports it', () => {
  it('is read with its nulls, and without what was only shown', () => {
    const { call, time, tasks } = cluster({ placed: false, version: '1.9' });
    const exported = {
      ...MYSQL,
      id: '/mysql',
      cmd: null,
      args: null,
      acceptedResourceRoles: null,
      residency: null,
      constraints: [],
      container: { ...MYSQL.container, docker: { ...MYSQL.container.docker, parameters: null } },
      healthChecks: [{ ...MYSQL.healthChecks[0], path: null }],
      tasksRunning: 1,
      tasks: [{ id: 'mysql.old' }],
    };
    expect(call('POST', APPS, exported).status).toBe(201);
    expect(call('GET', APPS).body).not.toContain('mysql.old');
    time.pass(20_000);
    expect(tasks()).toMatchObject([{ state: 'TASK_RUNNING' }]);
  });
});

describe('placement', () => {
  const placedOn = (more: object, options: Parameters<typeof cluster>[0] = {}) => {
    const world = cluster({ placed: false, ...options });
    world.machines.addMachine('i-c', '10.0.0.12', 'us-west-2c');
    const attributes = { rack: 'r7' };
    world.dcos.addAgent({ instanceId: 'i-c', cpus: 1, attributes, role: 'slave_public' });
    world.dcos.createApp(web(more));
    world.time.pass(10_000);
    return world.tasks().map((t: { host: string }) => t.host);
  };

  it.each([
    [{ constraints: [['hostname', 'CLUSTER', '10.0.0.11']] }, ['10.0.0.11']],
    [{ constraints: [['hostname', 'UNLIKE', '10.0.0.10']] }, ['10.0.0.11']],
    [{ constraints: [['@zone', 'IS', 'aws/us-west-2b']] }, ['10.0.0.11']],
    [
      { constraints: [['rack', 'LIKE', 'r.']], acceptedResourceRoles: ['slave_public'] },
      ['10.0.0.12'],
    ],
    [{ constraints: [['rack', 'LIKE', 'r.']] }, []],
    [{ cpus: 2, acceptedResourceRoles: ['slave_public'] }, []],
    [{ mem: 20_000 }, []],
  ])('of %j is on %j', (more, hosts) => {
    expect(placedOn(more, { zoneOfB: 'us-west-2b' })).toEqual(hosts);
  });

  it('spreads with UNIQUE and GROUP_BY, and never beyond', () => {
    const unique = placedOn({ instances: 3, constraints: [['hostname', 'UNIQUE']] });
    expect(unique.toSorted()).toEqual(['10.0.0.10', '10.0.0.11']);
    const grouped = placedOn({ instances: 2, constraints: [['hostname', 'GROUP_BY']] });
    expect(grouped.toSorted()).toEqual(['10.0.0.10', '10.0.0.11']);
    const few = placedOn({ instances: 9, constraints: [['hostname', 'MAX_PER', '2']] });
    expect(few).toHaveLength(4);
  });

  it('does not know in which zone a volume is', () => {
    const { time, machines, markGone, agentA, tasks } = cluster({ zoneOfB: 'us-west-2b' });
    machines.powerOff('i-a');
    machines.tearOff('vol-1');
    markGone(agentA);
    time.pass(20_000);
    expect(tasks()).toMatchObject([{ host: '10.0.0.11', zone: 'aws/us-west-2b' }]);
  });

  it('gives no two tasks of an agent one port', () => {
    const { dcos, time, tasks } = cluster({ placed: false });
    const ports = [{ port: 0 }, { port: 0 }, { port: 0 }];
    dcos.createApp(
      web({
        instances: 3,
        portDefinitions: ports,
        constraints: [['hostname', 'CLUSTER', '10.0.0.11']],
      }),
    );
    time.pass(10_000);
    const given = tasks().flatMap((t: { ports: number[] }) => t.ports);
    expect(new Set(given).size).toBe(9);
  });
});

describe('the queue', () => {
  it('shows an app that waits for offers as overdue, with what is wrong with them', () => {
    const { dcos, time, read } = cluster();
    dcos.createApp(web({ mem: 99_999 }));
    time.pass(5000);
    expect(read('/service/marathon/v2/queue').queue).toMatchObject([
      {
        app: { id: '/web' },
        count: 1,
        delay: { timeLeftSeconds: 0, overdue: true },
        processedOffersSummary: {
          unusedOffersCount: 2,
          rejectSummaryLastOffers: [{ reason: 'InsufficientMemory', declined: 2, processed: 2 }],
        },
      },
    ]);
  });

  it('takes up what waits as soon as an agent registers', () => {
    const { dcos, time, machines, tasks } = cluster({ placed: false });
    dcos.createApp(web({ constraints: [['hostname', 'CLUSTER', '10.0.0.12']] }));
    time.pass(MINUTE);
    machines.addMachine('i-c', '10.0.0.12');
    dcos.addAgent({ instanceId: 'i-c', bootMs: 10_000 });
    time.pass(16_000);
    expect(tasks()).toMatchObject([{ host: '10.0.0.12', state: 'TASK_RUNNING' }]);
  });

  const failing = (version: string) => {
    const world = cluster({ version });
    world.machines.hang('i-a');
    return world;
  };

  it.each([
    ['1.12', 3600],
    ['1.13', 300],
  ])('on DC/OS %s delays launches that keep failing by up to %d s', (version, capSeconds) => {
    const { time, dcos } = failing(version);
    const longest = () => {
      const [waiting] = dcos.truth().queue;
      return waiting === undefined ? 0 : (waiting.notBefore - waiting.since) / 1000;
    };
    let seenSeconds = 0;
    for (let n = 0; n < 24 * 60; n++) {
      time.pass(MINUTE);
      seenSeconds = Math.max(seenSeconds, longest());
    }
    expect(seenSeconds).toBe(capSeconds);
  });

  it('loses its delay when cleared: the next launch comes at the next offer', () => {
    const { time, machines, call, read, tasks } = failing('2.1');
    time.pass(20 * MINUTE);
    const [{ delay }] = read('/service/marathon/v2/queue').queue;
    expect(delay).toMatchObject({ overdue: false });
    expect(delay.timeLeftSeconds).toBeGreaterThan(5);
    machines.powerOff('i-a');
    machines.tearOff('vol-1');
    expect(call('DELETE', '/service/marathon/v2/queue/mysql/delay')).toMatchObject({ status: 204 });
    time.pass(5000);
    expect(tasks()).toMatchObject([{ state: 'TASK_RUNNING' }]);
  });

  it('forgets the delay of an app that ran longer than it', () => {
    const world = failing('2.1');
    world.time.pass(20 * MINUTE);
    world.machines.powerOff('i-a');
    world.machines.tearOff('vol-1');
    world.time.pass(30 * MINUTE);
    expect(taskOf(world).state).toBe('TASK_RUNNING');
    world.markGone(world.agentB);
    expect(world.read('/service/marathon/v2/queue').queue[0].delay.timeLeftSeconds).toBe(1);
  });
});

describe('a task on an unreachable agent', () => {
  it('is replaced about 3 s later by default', () => {
    const world = cluster();
    const before = taskOf(world).id;
    world.machines.hang('i-a');
    world.time.pass(5 * MINUTE + 15_000 + 100 + 2900);
    expect(world.tasks()).toEqual([]);
    world.time.pass(200);
    expect(taskOf(world).id).not.toBe(before);
    expect(taskOf(world).state).toBe('TASK_STAGING');
  });

  it('stays listed while its strategy waits, and is adopted when its agent returns', () => {
    const world = cluster({ placed: false });
    world.machines.addVolume('vol-1', 'mysql', 'i-a');
    world.dcos.placeApp(withUnreachable(600, 1200), 'i-a');
    const before = taskOf(world);
    world.machines.hang('i-a');
    world.time.pass(6 * MINUTE);
    expect(world.tasks()).toMatchObject([{ id: before.id, state: 'TASK_UNREACHABLE' }]);
    world.machines.thaw('i-a');
    world.time.pass(1000);
    expect(world.tasks()).toMatchObject([{ id: before.id, state: 'TASK_RUNNING' }]);
  });

  it('becomes inactive and gets a second at a reconciliation, then is expunged at another', () => {
    const world = cluster({ placed: false });
    world.machines.addVolume('vol-1', 'mysql', 'i-a');
    world.dcos.placeApp(withUnreachable(60, 600), 'i-a');
    world.machines.hang('i-a');
    world.time.pass(10 * MINUTE + 15_000 + 3100);
    expect(world.tasks()).toMatchObject([
      { state: 'TASK_UNREACHABLE', ports: [] },
      { state: 'TASK_STAGING' },
    ]);
    expect(world.tasks()[0]).not.toHaveProperty('startedAt');
    world.time.pass(10 * MINUTE);
    const unreachable = world
      .tasks()
      .filter((t: { state: string }) => t.state === 'TASK_UNREACHABLE');
    expect(unreachable).toEqual([]);
  });

  it('does not wait anew each time reconciliation calls it unreachable', () => {
    const world = cluster({ placed: false });
    world.machines.addVolume('vol-1', 'mysql', 'i-a');
    world.dcos.placeApp(withUnreachable(60, 900), 'i-a');
    world.machines.hang('i-a');
    world.time.pass(12 * MINUTE);
    const { id } = taskOf(world);
    for (let n = 0; n < 3; n++) {
      world.dcos.faults.masterFailover();
      world.time.pass(10 * MINUTE);
    }
    expect(world.tasks().map((task: { id: string }) => task.id)).not.toContain(id);
  });

  it('is never replaced while the strategy is disabled', () => {
    const world = cluster({ placed: false });
    world.machines.addVolume('vol-1', 'mysql', 'i-a');
    world.dcos.placeApp({ ...MYSQL, unreachableStrategy: 'disabled' }, 'i-a');
    world.machines.hang('i-a');
    world.time.pass(60 * MINUTE);
    expect(world.tasks()).toMatchObject([{ state: 'TASK_UNREACHABLE' }]);
  });
});

describe('kills', () => {
  it('of a task on a dead but registered agent leave it Killing, without a replacement', () => {
    const world = cluster();
    const { id } = taskOf(world);
    world.machines.hang('i-a');
    expect(world.call('DELETE', `${APPS}/mysql/tasks/${id}`).status).toBe(200);
    world.time.pass(20 * MINUTE);
    expect(world.tasks()).toMatchObject([{ id, state: 'TASK_KILLING' }]);
    world.markGone(world.agentA);
    expect(world.tasks()).toEqual([]);
  });

  it('of an unreachable task expunge and replace it at once, under another instance', () => {
    const world = cluster({ placed: false });
    world.machines.addVolume('vol-1', 'mysql', 'i-a');
    world.dcos.placeApp(withUnreachable(3600, 3600), 'i-a');
    const { id } = taskOf(world);
    world.machines.hang('i-a');
    world.time.pass(6 * MINUTE);
    const answered = world.call('DELETE', `${APPS}/mysql/tasks/${id}`);
    expect(JSON.parse(answered.body)).toMatchObject({ task: { id, state: 'TASK_UNREACHABLE' } });
    world.time.pass(1500);
    expect(taskOf(world).id.split('.')[1]).not.toBe(id.split('.')[1]);
  });

  it('of an unreachable task with a reservation do nothing, unless wiped', () => {
    const world = cluster({ placed: false });
    const volumes = [{ containerPath: 'var', persistent: { size: 256 }, mode: 'RW' }];
    world.dcos.placeApp(web({ container: { type: 'MESOS', volumes } }), 'i-a');
    const { id } = taskOf(world);
    world.machines.hang('i-a');
    world.time.pass(6 * MINUTE);
    world.call('DELETE', `${APPS}/web/tasks/${id}`);
    expect(world.tasks()).toMatchObject([{ id, state: 'TASK_UNREACHABLE' }]);
    world.call('DELETE', `${APPS}/web/tasks/${id}?wipe=true`);
    expect(world.tasks()).toEqual([]);
  });

  it('by a late id of an earlier incarnation hit the task that replaced it', () => {
    const world = cluster();
    const { id } = taskOf(world);
    world.machines.powerOff('i-a');
    world.machines.tearOff('vol-1');
    world.markGone(world.agentA);
    world.time.pass(20_000);
    expect(taskOf(world).id).toBe(id.replace(/1$/, '2'));
    expect(world.call('DELETE', `${APPS}/mysql/tasks/${id}`).status).toBe(200);
    expect(world.tasks()).toMatchObject([{ id: id.replace(/1$/, '2'), state: 'TASK_KILLING' }]);
  });

  it('by a list ignore ids that fit nothing, and go on with the rest', () => {
    const world = cluster();
    const { id } = taskOf(world);
    const other = 'x.instance-00000000-0000-0000-0000-000000000000._app.1';
    const answered = world.call('POST', '/service/marathon/v2/tasks/delete', { ids: [other, id] });
    expect(JSON.parse(answered.body).tasks).toMatchObject([{ id }]);
  });

  it('of a host take its tasks only, of no host all', () => {
    const world = cluster({ placed: false });
    world.dcos.createApp(web({ instances: 4, constraints: [['hostname', 'MAX_PER', '2']] }));
    world.time.pass(10_000);
    const killed = (query: string) =>
      JSON.parse(world.call('DELETE', `${APPS}/web/tasks${query}`).body).tasks.length;
    expect(killed('?host=10.0.0.11')).toBe(2);
    world.time.pass(20_000);
    expect(killed('')).toBe(4);
  });

  it('with scale leave fewer instances behind', () => {
    const world = cluster({ placed: false });
    world.dcos.createApp(web({ instances: 2 }));
    world.time.pass(20_000);
    const { id } = taskOf(world);
    const answered = world.call('DELETE', `${APPS}/web/tasks/${id}?scale=true`);
    expect(JSON.parse(answered.body)).toHaveProperty('deploymentId');
    world.time.pass(MINUTE);
    expect(world.tasks()).toHaveLength(1);
    expect(world.read(`${APPS}/web`).app.instances).toBe(1);
  });
});

describe('local persistent volumes', () => {
  const volumes = [{ containerPath: 'var', persistent: { size: 256 }, mode: 'RW' }];
  const local = web({ container: { type: 'MESOS', volumes } });

  it('show in the task and pin a failed task to its agent', () => {
    const world = cluster({ placed: false });
    world.dcos.placeApp(local, 'i-a');
    expect(world.tasks()[0].localVolumes).toMatchObject([{ containerPath: 'var' }]);
    world.machines.powerOff('i-a');
    world.machines.powerOn('i-a');
    world.time.pass(40_000);
    expect(world.tasks()).toMatchObject([{ slaveId: world.agentA, state: 'TASK_RUNNING' }]);
  });

  it('are abandoned when the agent is marked gone', () => {
    const world = cluster({ placed: false });
    world.dcos.placeApp(local, 'i-a');
    world.machines.powerOff('i-a');
    world.markGone(world.agentA);
    world.time.pass(20_000);
    expect(world.tasks()).toMatchObject([{ slaveId: world.agentB, state: 'TASK_RUNNING' }]);
  });
});

describe('deployments', () => {
  it('lock an app until it runs and is healthy, but not against plain kills', () => {
    const world = cluster({ placed: false });
    const created = world.call('POST', APPS, MYSQL);
    const id = created.headers['marathon-deployment-id'];
    expect(created.status).toBe(201);
    const locked = world.call('POST', `${APPS}/mysql/restart`);
    expect(locked.status).toBe(409);
    expect(JSON.parse(locked.body)).toMatchObject({
      message: expect.stringContaining(`View details at '/v2/deployments/${id}'.`),
      deployments: [{ id }],
    });
    expect(world.call('DELETE', `${APPS}/mysql/tasks`).status).toBe(200);
    expect(world.read('/service/marathon/v2/deployments')).toMatchObject([
      { id, affectedApps: ['/mysql'], currentActions: [{ action: 'StartApplication' }] },
    ]);
    expect(world.call('POST', APPS, MYSQL).status).toBe(409);
    world.time.pass(MINUTE);
    expect(world.read('/service/marathon/v2/deployments')).toEqual([]);
    expect(world.call('POST', `${APPS}/mysql/restart`).status).toBe(200);
  });

  it('can be given up by force, which unlocks', () => {
    const { call } = cluster({ placed: false });
    const id = call('POST', APPS, web({ mem: 99_999 })).headers['marathon-deployment-id'];
    expect(call('DELETE', `/service/marathon/v2/deployments/${id}?force=true`).status).toBe(202);
    expect(call('POST', `${APPS}/web/restart`).status).toBe(200);
  });

  it('restart into the new version, once the old task has ended and let go of its volume', () => {
    const world = cluster();
    const before = world.read(`${APPS}/mysql`).app.version;
    world.time.pass(1000);
    expect(world.call('PUT', `${APPS}/mysql`, { mem: 2048 }).status).toBe(200);
    world.time.pass(MINUTE);
    const { app } = world.read(`${APPS}/mysql`);
    expect(app).toMatchObject({ mem: 2048, tasksRunning: 1, deployments: [] });
    expect(app.version).not.toBe(before);
    expect(world.guest()).toMatchObject({ lostRows: 0, foreignWrites: 0 });
  });

  it('scale without restarting what runs', () => {
    const world = cluster({ placed: false });
    world.dcos.createApp(web());
    world.time.pass(10_000);
    const { id } = taskOf(world);
    world.call('PUT', `${APPS}/web`, { instances: 2 });
    world.time.pass(10_000);
    expect(world.tasks()).toMatchObject([{ id }, { state: 'TASK_RUNNING' }]);
    expect(world.call('PUT', `${APPS}/other`, web()).status).toBe(201);
  });

  it('remove an app whose tasks nobody can reach', () => {
    const world = cluster();
    world.machines.hang('i-a');
    world.call('DELETE', `${APPS}/mysql`);
    world.time.pass(6 * MINUTE);
    expect(world.call('GET', `${APPS}/mysql`).status).toBe(404);
    world.machines.thaw('i-a');
    world.time.pass(5000);
    expect(world.guest()?.writers.at(-1)?.lastAt).toBeLessThan(world.time.now() - 1000);
  });

  it('remove an app with its last task', () => {
    const world = cluster();
    expect(world.call('DELETE', `${APPS}/mysql`).status).toBe(200);
    expect(world.call('GET', `${APPS}/mysql`).status).toBe(200);
    world.time.pass(3000);
    expect(world.call('GET', `${APPS}/mysql`).status).toBe(404);
    expect(world.read(APPS)).toEqual({ apps: [] });
  });
});

describe('the last failure', () => {
  it('is shown with the app: who, where and why', () => {
    const world = cluster();
    const { id } = taskOf(world);
    world.markGone(world.agentA);
    expect(world.read(`${APPS}/mysql`).app.lastTaskFailure).toMatchObject({
      appId: '/mysql',
      host: '10.0.0.10',
      message: 'Agent has been marked gone',
      state: 'TASK_GONE_BY_OPERATOR',
      taskId: id,
      slaveId: world.agentA,
      timestamp: '2026-11-22T21:00:00.000Z',
    });
  });
});
