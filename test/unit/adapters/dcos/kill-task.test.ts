import { describe, expect, it } from 'vitest';
import { createOrchestrator } from '../../../../src/adapters/dcos/orchestrator.ts';
import type { AgentId } from '../../../../src/domain/ids.ts';
import type { Task } from '../../../../src/domain/service.ts';
import { BASE, json, ok, type Step, scripted } from './scripted-send.ts';

const AGENT = '5c6438b2-1f63-4c23-b62a-ad0a7d354a91-S3' as AgentId;
const TASK_ID = 'mysql.instance-564bd685-4c30-11e5-98c1-be5b2935a987._app.1';
const running: Task = {
  id: TASK_ID,
  appId: '/mysql',
  host: '10.0.0.160',
  agentId: AGENT,
  state: 'TASK_RUNNING',
};
const shown = (more: object = {}) => ({ ...running, agentId: undefined, slaveId: AGENT, ...more });
const seen = (...tasks: object[]): Step => ok({ tasks });

const against = (...steps: Step[]) => {
  const server = scripted(...steps);
  return { ...server, orchestrator: createOrchestrator({ send: server.send, baseUrl: BASE }) };
};

describe('ending a task', () => {
  it('reads it again, then deletes it without wipe or scale', async () => {
    const { orchestrator, asked } = against(seen(shown()), ok({ task: {} }));
    expect(await orchestrator.killTask(running)).toBe(true);
    expect(asked()).toEqual([
      `GET ${BASE}/service/marathon/v2/apps/mysql/tasks`,
      `DELETE ${BASE}/service/marathon/v2/apps/mysql/tasks/${encodeURIComponent(TASK_ID)}`,
    ]);
  });

  it.each([
    ['is not there any more', seen()],
    ['was replaced under its instance', seen(shown({ id: TASK_ID.replace(/1$/, '2') }))],
    ['runs on another agent by now', seen(shown({ slaveId: 'S4' }))],
    ['shares its instance with another', seen(shown(), shown({ id: TASK_ID.replace(/1$/, '2') }))],
    ['is lost to Mesos', seen(shown({ state: 'TASK_UNREACHABLE' }))],
    ['belongs to no app', json(404, { message: "App '/mysql' does not exist" })],
  ])('deletes nothing of one that %s', async (_, answer) => {
    const { orchestrator, asked } = against(answer);
    expect(await orchestrator.killTask(running)).toBe(false);
    expect(asked()).toHaveLength(1);
  });
});
