import { describe, expect, it } from 'vitest';
import { createOrchestrator } from '../../../../src/adapters/dcos/orchestrator.ts';
import type { AgentId } from '../../../../src/domain/ids.ts';
import { BASE, html, json, ok, type Step, scripted, text } from './scripted-send.ts';

const AGENT = '5c6438b2-1f63-4c23-b62a-ad0a7d354a91-S3' as AgentId;
const API = `${BASE}/service/marathon/v2`;

const against = (...steps: Step[]) => {
  const server = scripted(...steps);
  return { ...server, orchestrator: createOrchestrator({ send: server.send, baseUrl: BASE }) };
};

const external = (name: string, driver = 'rexray', provider = 'dvdi') => ({
  containerPath: '/data',
  mode: 'RW',
  external: { name, provider, options: { 'dvdi/driver': driver } },
});
const app = (more: object = {}) => ({ id: '/mysql', cpus: 0.5, mem: 1024, instances: 1, ...more });
const readApp = async (definition: object) =>
  (await against(ok({ apps: [definition] })).orchestrator.apps())[0];

describe('apps', () => {
  it('are asked for in JSON', async () => {
    const { orchestrator, asked, requests } = against(ok({ apps: [] }));
    expect(await orchestrator.apps()).toEqual([]);
    expect(asked()).toEqual([`GET ${API}/apps`]);
    expect(requests[0]?.headers).toEqual({ accept: 'application/json' });
    expect(requests[0]).not.toHaveProperty('body');
  });

  it('reads the MySQL of the catalog as Marathon 1.4 writes it', async () => {
    const definition = app({
      container: {
        type: 'DOCKER',
        volumes: [external('mysql')],
        docker: { image: 'mysql:5.7.12', network: 'BRIDGE', portMappings: [] },
      },
      healthChecks: [{ protocol: 'TCP' }],
      constraints: [],
      acceptedResourceRoles: null,
      residency: null,
    });
    expect(await readApp(definition)).toEqual({
      id: '/mysql',
      externalVolumes: [{ name: 'mysql' }],
      hasLocalVolumes: false,
      hasHealthChecks: true,
      cpus: 0.5,
      mem: 1024,
      constraints: [],
      acceptedRoles: ['*'],
    });
  });

  it.each([
    ['10', 10],
    ['-3', -3],
    ['high', undefined],
    ['1.5', undefined],
    ['', undefined],
    [7, undefined],
  ])('takes the label %j for the priority %s', async (label, priority) => {
    const read = await readApp(app({ labels: { EBS_FAILOVER_PRIORITY: label } }));
    expect(read?.priority).toBe(priority);
  });

  it('has no priority without the label, nor without labels', async () => {
    expect(await readApp(app({ labels: { owner: 'db' } }))).not.toHaveProperty('priority');
    expect(await readApp(app({ labels: null }))).not.toHaveProperty('priority');
  });

  it('reads a container of the Mesos runtime as later Marathons write it', async () => {
    const definition = app({
      id: '/shop/db',
      container: { type: 'MESOS', volumes: [external('db-1', 'rexray/ebs'), external('db-2')] },
      networks: [{ mode: 'container/bridge' }],
      constraints: [
        ['@zone', 'IS', 'aws/us-west-2a'],
        ['hostname', 'UNIQUE'],
      ],
      acceptedResourceRoles: ['slave_public', '*'],
    });
    expect(await readApp(definition)).toEqual({
      id: '/shop/db',
      externalVolumes: [{ name: 'db-1' }, { name: 'db-2' }],
      hasLocalVolumes: false,
      hasHealthChecks: false,
      cpus: 0.5,
      mem: 1024,
      constraints: [
        ['@zone', 'IS', 'aws/us-west-2a'],
        ['hostname', 'UNIQUE'],
      ],
      acceptedRoles: ['slave_public', '*'],
    });
  });

  it.each([
    ['a rexray driver for another cloud', external('v', 'rexray/gcepd')],
    ['another driver', external('v', 'pxd')],
    ['another provider', external('v', 'rexray', 'csi')],
    ['a driver whose name only starts alike', external('v', 'rexrayish')],
    ['a csi volume', { external: { name: 'v', provider: 'csi', options: { capability: {} } } }],
    ['an external volume without options', { external: { name: 'v', provider: 'dvdi' } }],
    ['a directory of the host', { containerPath: '/data', hostPath: '/srv', mode: 'RW' }],
  ])('does not count %s as a volume of REX-Ray', async (_, volume) => {
    const read = await readApp(app({ container: { type: 'MESOS', volumes: [volume] } }));
    expect(read?.externalVolumes).toEqual([]);
  });

  it.each([
    ['a persistent volume', { container: { volumes: [{ persistent: { size: 256 } }] } }],
    ['a residency', { residency: { taskLostBehavior: 'WAIT_FOREVER' } }],
  ])('says of %s that it is local', async (_, more) => {
    expect((await readApp(app(more)))?.hasLocalVolumes).toBe(true);
  });

  it.each([
    ['without a container', {}],
    ['with a null container', { container: null }],
    ['with a container without volumes', { container: { type: 'DOCKER' } }],
  ])('reads an app %s', async (_, more) => {
    expect(await readApp(app(more))).toMatchObject({ externalVolumes: [], hasLocalVolumes: false });
  });

  it.each([
    ['no list', ok({}), 'apps'],
    ['a list of something else', ok({ apps: [{ id: '/x' }] }), 'apps.0.cpus'],
    ['an app id without its slash', ok({ apps: [app({ id: 'x' })] }), 'apps.0.id'],
    ['half of the text', { ...ok(null), body: '{"apps":[' }, 'the whole of it'],
    ['a log-in page', html(200), 'the whole of it'],
    [
      'a rexray volume without a name',
      ok({
        apps: [
          app({
            container: {
              volumes: [
                {
                  ...external(''),
                  external: {
                    provider: 'dvdi',
                    options: { 'dvdi/driver': 'rexray' },
                  },
                },
              ],
            },
          }),
        ],
      }),
      'without a name',
    ],
  ])('does not take %s for a cluster without apps', async (_, answer, where) => {
    const asked = against(answer).orchestrator.apps();
    await expect(asked).rejects.toMatchObject({ name: 'OrchestratorUnavailableError' });
    await expect(asked).rejects.toThrow(where);
  });
});

const TASK_ID = 'mysql.instance-564bd685-4c30-11e5-98c1-be5b2935a987._app.1';
const task = (more: object = {}) => ({
  id: TASK_ID,
  appId: '/mysql',
  host: '10.0.0.160',
  slaveId: AGENT,
  state: 'TASK_RUNNING',
  ...more,
});

describe('tasks', () => {
  it('are all read at once', async () => {
    const startedAt = '2018-08-26T20:23:44.678Z';
    const stagedAt = '2018-08-26T20:23:40.000Z';
    const { orchestrator, asked } = against(
      ok({ tasks: [task({ startedAt, stagedAt, region: 'aws/us-west-2', ports: [31756] })] }),
    );
    expect(await orchestrator.tasks()).toEqual([
      {
        id: TASK_ID,
        appId: '/mysql',
        host: '10.0.0.160',
        agentId: AGENT,
        state: 'TASK_RUNNING',
        startedAt: Date.parse(startedAt),
        stagedAt: Date.parse(stagedAt),
      },
    ]);
    expect(asked()).toEqual([`GET ${API}/tasks`]);
  });

  it('of an app keep the slashes of its id', async () => {
    const { orchestrator, asked } = against(ok({ tasks: [] }));
    expect(await orchestrator.tasksOf('/shop/eu/db')).toEqual([]);
    expect(asked()).toEqual([`GET ${API}/apps/shop/eu/db/tasks`]);
  });

  it('that are no longer active have neither agent nor start', async () => {
    const gone = { id: 'x', appId: '/mysql', host: '10.0.0.160', state: 'TASK_UNREACHABLE' };
    const { orchestrator } = against(ok({ tasks: [{ ...gone, slaveId: null, startedAt: null }] }));
    expect(await orchestrator.tasks()).toEqual([gone]);
  });

  const check = (alive: boolean) => ({ alive, consecutiveFailures: 0, lastFailure: null });
  it.each([
    ['is unknown without checks', undefined, undefined],
    ['is unknown before a check has answered', [], undefined],
    ['is unknown while one check has not answered', [check(true), null], undefined],
    ['is good when the only check is', [check(true)], true],
    ['is good when all checks are', [check(true), check(true)], true],
    ['is bad when one check is', [check(true), check(false)], false],
    ['is bad when one check is and the other has not answered', [null, check(false)], false],
  ])('health %s', async (_, healthCheckResults, alive) => {
    const { orchestrator } = against(ok({ tasks: [task({ healthCheckResults })] }));
    expect((await orchestrator.tasks())[0]?.alive).toBe(alive);
  });

  it.each([
    ['no list', ok({ tasks: null })],
    ['a task without state', ok({ tasks: [task({ state: undefined })] })],
    ['a task that started at no time', ok({ tasks: [task({ startedAt: 'soon' })] })],
    ['a task that was staged at no time', ok({ tasks: [task({ stagedAt: 'once' })] })],
    ['the plain text of old versions', text(200, '/mysql\t10.0.0.160:31756')],
  ])('are not none because of %s', async (_, answer) => {
    for (const read of ['tasks', 'tasksOf'] as const) {
      const asked = against(answer).orchestrator[read]('/mysql');
      await expect(asked).rejects.toMatchObject({ name: 'OrchestratorUnavailableError' });
    }
  });

  it('of an app that no longer exists are none', async () => {
    const { orchestrator } = against(json(404, { message: "App '/mysql' does not exist" }));
    expect(await orchestrator.tasksOf('/mysql')).toEqual([]);
  });

  it('are not none because Admin Router knows no Marathon', async () => {
    const asked = against(html(404)).orchestrator.tasksOf('/mysql');
    await expect(asked).rejects.toMatchObject({ name: 'OrchestratorRefusedError' });
  });
});

describe('the launch queue', () => {
  it('tells backing off from waiting for offers, and leaves pods out', async () => {
    const { orchestrator, asked } = against(
      ok({
        queue: [
          { app: { id: '/a' }, count: 1, delay: { timeLeftSeconds: 12, overdue: false } },
          { app: { id: '/b' }, count: 1, delay: { timeLeftSeconds: 12, overdue: true } },
          { pod: { id: '/p' }, count: 1, delay: { timeLeftSeconds: 1, overdue: false } },
        ],
      }),
    );
    expect(await orchestrator.queue()).toEqual([
      { appId: '/a', delayMs: 12_000 },
      { appId: '/b', delayMs: 0 },
    ]);
    expect(asked()).toEqual([`GET ${API}/queue`]);
  });

  it('without delays is no answer', async () => {
    const asked = against(ok({ queue: [{ app: { id: '/a' } }] })).orchestrator.queue();
    await expect(asked).rejects.toThrow('malformed answer: queue.0.delay');
  });

  it.each([
    ['204', text(204)],
    ['200', text(200)],
    ['404', json(404, { message: 'Application /shop/db not found in tasks queue.' })],
  ])('lets a delay be cleared, on %s', async (_, answer) => {
    const { orchestrator, asked } = against(answer);
    await orchestrator.clearLaunchDelay('/shop/db');
    expect(asked()).toEqual([`DELETE ${API}/queue/shop/db/delay`]);
  });

  it('does not take a missing route for an empty queue', async () => {
    const cleared = against(html(404)).orchestrator.clearLaunchDelay('/mysql');
    await expect(cleared).rejects.toMatchObject({ name: 'OrchestratorRefusedError' });
  });
});
