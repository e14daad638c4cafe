import { inspect } from 'node:util';
import { describe, expect, it, vi } from 'vitest';
import { createOrchestrator } from '../../../../src/adapters/dcos/orchestrator.ts';
import type { AgentId } from '../../../../src/domain/ids.ts';
import type { Orchestrator } from '../../../../src/ports/orchestrator.ts';
import {
  BASE,
  html,
  json,
  networkError,
  ok,
  type Step,
  scripted,
  silent,
  TOKEN,
  text,
} from './scripted-send.ts';

const AGENT = '5c6438b2-1f63-4c23-b62a-ad0a7d354a91-S3' as AgentId;
const apps = ok({ apps: [] });

const against = (options: { token?: (refused?: string) => Promise<string> }, ...steps: Step[]) => {
  const server = scripted(...steps);
  const orchestrator = createOrchestrator({ send: server.send, baseUrl: `${BASE}/`, ...options });
  return { ...server, orchestrator };
};

describe('the token', () => {
  it('goes with a call as DC/OS wants it', async () => {
    const { orchestrator, requests } = against({ token: async () => TOKEN }, apps);
    await orchestrator.apps();
    expect(requests[0]?.headers.authorization).toBe(`token=${TOKEN}`);
  });

  it('is not sent where there is none', async () => {
    const { orchestrator, requests } = against({}, apps);
    await orchestrator.apps();
    expect(requests[0]?.headers).not.toHaveProperty('authorization');
  });

  it('is not needed to learn the version', async () => {
    const token = vi.fn(async () => TOKEN);
    const { orchestrator, requests } = against({ token }, ok({ version: '2.1.0' }));
    await orchestrator.capabilities();
    expect(token).not.toHaveBeenCalled();
    expect(requests[0]?.headers).not.toHaveProperty('authorization');
  });

  it('is renewed once when DC/OS no longer takes it', async () => {
    const token = vi.fn(async (refused?: string) => (refused === 'old' ? 'new' : 'old'));
    const { orchestrator, requests } = against({ token }, html(401), apps);
    expect(await orchestrator.apps()).toEqual([]);
    const sent = requests.map(({ headers }) => headers.authorization);
    expect(sent).toEqual(['token=old', 'token=new']);
  });

  it('is not tried again while its source knows no other', async () => {
    const { orchestrator, requests } = against({ token: async () => TOKEN }, html(401), apps);
    await expect(orchestrator.apps()).rejects.toThrow('the token is missing or not valid');
    expect(requests).toHaveLength(1);
  });

  it('that cannot be had makes DC/OS unavailable', async () => {
    const token = async () => {
      throw networkError('KMSInvalidStateException');
    };
    const { orchestrator, requests } = against({ token }, apps);
    await expect(orchestrator.apps()).rejects.toMatchObject({
      name: 'OrchestratorUnavailableError',
      details: { code: 'no token: KMSInvalidStateException' },
    });
    expect(requests).toHaveLength(0);
  });
});

const CALLS: readonly [string, (orchestrator: Orchestrator) => Promise<unknown>][] = [
  ['capabilities', (o) => o.capabilities()],
  ['agents', (o) => o.agents()],
  ['apps', (o) => o.apps()],
  ['tasks', (o) => o.tasks()],
  ['tasksOf', (o) => o.tasksOf('/mysql')],
  ['queue', (o) => o.queue()],
  ['deactivate', (o) => o.deactivate(AGENT)],
  ['reactivate', (o) => o.reactivate(AGENT)],
  ['markGone', (o) => o.markGone(AGENT)],
  ['clearLaunchDelay', (o) => o.clearLaunchDelay('/mysql')],
  [
    'replaceUnreachableTask',
    (o) => o.replaceUnreachableTask({ id: 'x', appId: '/mysql', host: 'h', state: 'TASK_LOST' }),
  ],
];

/** Everything a log could show of an error, its causes included. */
const caught = async (promise: Promise<unknown>): Promise<{ name: string; shown: string }> => {
  try {
    await promise;
  } catch (error) {
    const name = error instanceof Error ? error.name : 'no error';
    return { name, shown: `${inspect(error, { depth: 20 })} ${JSON.stringify(error)}` };
  }
  throw new Error('nothing was thrown');
};

describe.each(CALLS)('%s', (_, call) => {
  it.each<[string, Step, string]>([
    ['401', html(401), 'OrchestratorRefusedError'],
    [
      '403',
      json(403, { message: 'Not Authorized to perform this action!' }),
      'OrchestratorRefusedError',
    ],
    ['404 of Admin Router', html(404), 'OrchestratorRefusedError'],
    ['409', json(409, { message: 'App is locked' }), 'OrchestratorUnavailableError'],
    ['429', text(429), 'OrchestratorUnavailableError'],
    ['500', json(500, { message: 'URI not found' }), 'OrchestratorUnavailableError'],
    ['502', html(502), 'OrchestratorUnavailableError'],
    [
      '503',
      text(503, '503 Service Unavailable: leader is unknown'),
      'OrchestratorUnavailableError',
    ],
    ['504', html(504), 'OrchestratorUnavailableError'],
    ['a reset', networkError('ECONNRESET'), 'OrchestratorUnavailableError'],
    ['an expired certificate', networkError('CERT_HAS_EXPIRED'), 'OrchestratorUnavailableError'],
  ])('turns %s into an error that says which call it was', async (__, step, name) => {
    const failed = await caught(call(against({}, step).orchestrator));
    expect(failed.name).toBe(name);
    expect(failed.shown).toMatch(/mesos [A-Z_]+|marathon [A-Z]+ \/v2|dcos-version/);
  });
});

// The version file is asked for without a token, so there is none to show.
describe.each(CALLS.filter(([name]) => name !== 'capabilities'))('%s', (_, call) => {
  it.each<[string, Step]>([
    ['an error of the network', networkError('ECONNRESET', `while sending token=${TOKEN}`)],
    ['an error without a code', new Error(`invalid header token=${TOKEN}`)],
    ['an answer that quotes the request', text(400, `bad header: token=${TOKEN}`)],
    ['a refusal that quotes the request', json(403, { message: `no right for ${TOKEN}` })],
    ['a 5xx that quotes the request', text(503, `upstream of token=${TOKEN} is dead`)],
    ['JSON of another kind', ok({ [TOKEN]: TOKEN })],
  ])('does not show the token in %s', async (__, step) => {
    const { orchestrator } = against({ token: async () => TOKEN }, step);
    const { shown } = await caught(Promise.resolve(call(orchestrator)).then(failOnSuccess));
    expect(shown).not.toContain(TOKEN);
    expect(shown).not.toContain('secret-part');
  });
});

/** Some calls have no use for a body, so that any 200 is a success: nothing to show then. */
function failOnSuccess(): never {
  throw new Error('the call succeeded');
}

describe('time', () => {
  it('is up for a call after its deadline, and the request is let go', async () => {
    vi.useFakeTimers();
    try {
      const { orchestrator, requests } = against({}, silent);
      const failed = caught(orchestrator.apps());
      await vi.advanceTimersByTimeAsync(9_999);
      expect(requests[0]?.signal?.aborted).toBe(false);
      await vi.advanceTimersByTimeAsync(1);
      expect((await failed).shown).toContain('timeout after 10000 ms');
      expect(requests[0]?.signal?.aborted).toBe(true);
    } finally {
      vi.useRealTimers();
    }
  });

  it('leaves no timer behind after an answer or an error', async () => {
    vi.useFakeTimers();
    try {
      const { orchestrator } = against({}, apps, networkError('ECONNRESET'));
      await orchestrator.apps();
      await caught(orchestrator.apps());
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });
});

describe('a probe', () => {
  it('asks the agent itself for its health', async () => {
    const { orchestrator, asked } = against({}, text(200));
    expect(await orchestrator.probe(AGENT, 1_000)).toBe(true);
    expect(asked()).toEqual([`GET https://dcos.internal/agent/${AGENT}/health`]);
  });

  it.each<[boolean, string, Step]>([
    [true, '204', text(204)],
    [true, '400', text(400)],
    [true, '405', text(405)],
    [false, 'a 404 of Admin Router, which knows no such agent', html(404)],
    [false, 'a 401 of Admin Router', html(401)],
    [false, 'a 403 of Admin Router', html(403)],
    [false, 'a redirect', text(302)],
    [false, 'a 500', text(500)],
    [false, 'a dead agent', html(502)],
    [false, 'an Admin Router without state', text(503, 'cache is invalid')],
    [false, 'an agent that hangs', html(504)],
    [false, 'a reset', networkError('ECONNRESET')],
    [false, 'a refused connection', networkError('ECONNREFUSED')],
  ])('is %s on %s', async (expected, _, step) => {
    expect(await against({}, step).orchestrator.probe(AGENT, 1_000)).toBe(expected);
  });

  it('is false without a token rather than an error', async () => {
    const token = () => Promise.reject(new Error('no store'));
    expect(await against({ token }).orchestrator.probe(AGENT, 1_000)).toBe(false);
  });

  it('waits no longer than it was told and leaves nothing behind', async () => {
    vi.useFakeTimers();
    try {
      const { orchestrator, requests } = against({}, silent);
      let answer: boolean | undefined;
      const probed = orchestrator.probe(AGENT, 1_000).then((value) => {
        answer = value;
      });
      await vi.advanceTimersByTimeAsync(999);
      expect(answer).toBeUndefined();
      await vi.advanceTimersByTimeAsync(1);
      await probed;
      expect(answer).toBe(false);
      expect(requests[0]?.signal?.aborted).toBe(true);
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });
});

describe('the version file', () => {
  it('decides what the cluster can do', async () => {
    const { orchestrator, asked } = against({}, ok({ version: '1.12.4', 'bootstrap-id': 'x' }));
    expect(await orchestrator.capabilities()).toEqual({
      version: '1.12.4',
      markAgentGone: true,
      markGoneOfUnreachableIsLost: true,
      deactivateAgent: false,
    });
    expect(asked()).toEqual(['GET https://dcos.internal/dcos-metadata/dcos-version.json']);
  });

  it('without a version is no answer', async () => {
    const asked = against({}, ok({})).orchestrator.capabilities();
    await expect(asked).rejects.toThrow('malformed answer: version');
  });
});
