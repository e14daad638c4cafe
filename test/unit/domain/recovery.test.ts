import { describe, expect, it } from 'vitest';
import { type AppView, appRecovery } from '../../../src/domain/recovery.ts';
import {
  attachmentOf,
  freeVolume,
  ids,
  newTask,
  spareInstance,
  t,
  taskOf,
  volumeOf,
} from '../../support/build.ts';

const there = attachmentOf({ instanceId: ids.spare });
const viewOf = (change: Partial<AppView> = {}): AppView => ({
  appId: '/mysql',
  hasHealthChecks: true,
  failedAgentIds: [ids.agent],
  volumeIds: [ids.data],
  tasks: [newTask()],
  volumes: [volumeOf({ attachments: [there] })],
  instances: [spareInstance()],
  ...change,
});
const recovery = (change: Partial<AppView> = {}, at = 65) =>
  appRecovery(viewOf(change), '10.0.0.7', t(at));

describe('appRecovery', () => {
  it('has seen it when the app runs elsewhere, healthy, beside its volume', () => {
    expect(recovery()).toEqual({
      kind: 'recovered',
      app: {
        id: '/mysql',
        fromHost: '10.0.0.7',
        toHost: '10.0.0.8',
        toInstanceId: ids.spare,
        taskId: 'mysql.2',
        healthy: true,
      },
    });
  });

  // Each row takes one thing away: what is not seen is not reported as done.
  it.each<[string, Partial<AppView>, string]>([
    ['there is no new task', { tasks: [] }, 'no new task yet'],
    ['the only task is the old one', { tasks: [taskOf()] }, 'no new task yet'],
    ['the task is another app’s', { tasks: [newTask({ appId: '/other' })] }, 'no new task yet'],
    ['the new task is still staging', { tasks: [newTask({ state: 'TASK_STAGING' })] }, 'STAGING'],
    ['EC2 shows no instance there', { instances: [] }, 'no running instance at 10.0.0.8'],
    [
      'the instance there does not run',
      { instances: [spareInstance({ state: 'stopping' })] },
      'no running instance',
    ],
    ['the volume is not attached', { volumes: [freeVolume()] }, 'not attached to'],
    ['the volume is not known', { volumes: [] }, 'not attached to'],
    [
      'the volume is still being attached',
      { volumes: [volumeOf({ attachments: [{ ...there, state: 'attaching' }] })] },
      'not attached to',
    ],
    [
      'the volume is with another instance',
      { volumes: [volumeOf({ attachments: [attachmentOf({ instanceId: ids.other })] })] },
      'not attached to',
    ],
    [
      'a second instance holds the volume as well',
      { volumes: [volumeOf({ attachments: [there, attachmentOf()] })] },
      'alone',
    ],
    ['its health check fails', { tasks: [newTask({ alive: false })] }, 'not healthy yet'],
  ])('does not report it while %s', (_, change, says) => {
    expect(recovery(change)).toMatchObject({
      kind: 'missing',
      says: expect.stringContaining(says),
    });
  });

  it('does not believe a health check that has not answered yet', () => {
    const { alive: _, ...unchecked } = newTask();
    expect(recovery({ tasks: [unchecked] }, 900).kind).toBe('missing');
  });

  it('believes an app without health checks after ten seconds of running', () => {
    const { alive: _, ...task } = newTask();
    const view = { hasHealthChecks: false, tasks: [task] };
    expect(recovery(view, 69).kind).toBe('missing');
    expect(recovery(view, 70).kind).toBe('recovered');
  });

  it('does not guess how long a task has run', () => {
    const { alive: _, startedAt: __, ...task } = newTask();
    expect(recovery({ hasHealthChecks: false, tasks: [task] }, 900).kind).toBe('missing');
  });
});
