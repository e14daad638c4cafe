import { describe, expect, it } from 'vitest';
import { createOrchestrator } from '../../../../src/adapters/dcos/orchestrator.ts';
import type { AgentId } from '../../../../src/domain/ids.ts';
import type { Task } from '../../../../src/domain/service.ts';
import { BASE, html, json, networkError, ok, type Step, scripted } from './scripted-send.ts';

const AGENT = '5c6438b2-1f63-4c23-b62a-ad0a7d354a91-S3' as AgentId;
const OTHER_AGENT = '5c6438b2-1f63-4c23-b62a-ad0a7d354a91-S4';
const API = `${BASE}/service/marathon/v2`;
const TASK_ID = 'mysql.instance-564bd685-4c30-11e5-98c1-be5b2935a987._app.1';
const task = (more: object = {}) => ({
  id: TASK_ID,
  appId: '/mysql',
  host: '10.0.0.160',
  slaveId: AGENT,
  state: 'TASK_RUNNING',
  ...more,
});

const against = (...steps: Step[]) => {
  const server = scripted(...steps);
  return { ...server, orchestrator: createOrchestrator({ send: server.send, baseUrl: BASE }) };
};

describe('replacing an unreachable task', () => {
  const unreachable: Task = {
    id: TASK_ID,
    appId: '/mysql',
    host: '10.0.0.160',
    agentId: AGENT,
    state: 'TASK_UNREACHABLE',
  };
  const seen = (...tasks: object[]): Step => ok({ tasks });
  const lost = task({ state: 'TASK_UNREACHABLE' });

  it.each([
    ['200', ok({ task: {} })],
    ['404', json(404, { message: `Task '${TASK_ID}' does not exist` })],
  ])('reads it again, then deletes it without wipe or scale, on %s', async (_, answer) => {
    const { orchestrator, asked } = against(seen(lost), answer);
    await orchestrator.replaceUnreachableTask(unreachable);
    expect(asked()).toEqual([
      `GET ${API}/apps/mysql/tasks`,
      `DELETE ${API}/apps/mysql/tasks/${TASK_ID}`,
    ]);
  });

  it('does not mind other instances of the app', async () => {
    const { orchestrator, requests } = against(
      seen(task({ id: 'mysql.instance-other._app.1' }), lost),
      ok({ task: {} }),
    );
    await orchestrator.replaceUnreachableTask(unreachable);
    expect(requests).toHaveLength(2);
  });

  const next = TASK_ID.replace(/1$/, '2');
  it.each([
    ['it is gone', seen()],
    ['the app is gone', json(404, { message: "App '/mysql' does not exist" })],
    ['Mesos hears the agent again', seen(task())],
    ['it is being killed', seen(task({ state: 'TASK_KILLING' }))],
    ['its replacement carries on under the instance id', seen(task({ id: next }))],
    ['the replacement is unreachable, too', seen({ ...lost, id: next })],
    ['old and new carry the same instance id', seen(lost, task({ id: next }))],
    ['it is on another agent', seen({ ...lost, slaveId: OTHER_AGENT })],
    ['Marathon no longer names its agent', seen({ ...lost, slaveId: undefined })],
  ])('deletes nothing when %s', async (_, answer) => {
    const { orchestrator, asked } = against(answer);
    await orchestrator.replaceUnreachableTask(unreachable);
    expect(asked()).toEqual([`GET ${API}/apps/mysql/tasks`]);
  });

  it('deletes nothing when nobody knows which agent it was on', async () => {
    const { agentId: _, ...nowhere } = unreachable;
    const { orchestrator, requests } = against(seen({ ...lost, slaveId: undefined }));
    await orchestrator.replaceUnreachableTask(nowhere);
    expect(requests).toHaveLength(1);
  });

  it('deletes nothing when it cannot be read again', async () => {
    const { orchestrator, requests } = against(html(502));
    const replaced = orchestrator.replaceUnreachableTask(unreachable);
    await expect(replaced).rejects.toMatchObject({ name: 'OrchestratorUnavailableError' });
    expect(requests).toHaveLength(1);
  });

  it('does not repeat a delete whose answer was lost', async () => {
    const { orchestrator, requests } = against(seen(lost), networkError('ECONNRESET'));
    const replaced = orchestrator.replaceUnreachableTask(unreachable);
    await expect(replaced).rejects.toMatchObject({ name: 'OrchestratorUnavailableError' });
    expect(requests).toHaveLength(2);
  });
});
