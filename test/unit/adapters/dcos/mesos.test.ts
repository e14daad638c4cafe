import { describe, expect, it } from 'vitest';
import { createOrchestrator } from '../../../../src/adapters/dcos/orchestrator.ts';
import type { AgentId } from '../../../../src/domain/ids.ts';
import { BASE, html, json, ok, type Step, scripted, text } from './scripted-send.ts';

const AGENT = '5c6438b2-1f63-4c23-b62a-ad0a7d354a91-S3' as AgentId;

const against = (...steps: Step[]) => {
  const server = scripted(...steps);
  return { ...server, orchestrator: createOrchestrator({ send: server.send, baseUrl: BASE }) };
};

const scalar = (name: string, value: number, more: object = {}) => ({
  name,
  type: 'SCALAR',
  scalar: { value },
  role: '*',
  ...more,
});
const agentInfo = {
  hostname: '10.0.0.160',
  port: 5051,
  id: { value: AGENT },
  attributes: [],
  resources: [],
};
const registered = { agent_info: agentInfo, active: true, version: '1.9.0' };
const agentsAnswer = (agents: unknown[], recovered?: unknown[]) =>
  ok({ type: 'GET_AGENTS', get_agents: { agents, recovered_agents: recovered } });

describe('GET_AGENTS', () => {
  it('asks the leading master through Admin Router', async () => {
    const { orchestrator, requests } = against(agentsAnswer([]));
    await orchestrator.agents();
    expect(requests).toMatchObject([
      {
        method: 'POST',
        url: 'https://dcos.internal/mesos/api/v1',
        headers: { accept: 'application/json', 'content-type': 'application/json' },
        body: '{"type":"GET_AGENTS"}',
      },
    ]);
  });

  it('tells agents apart by state, attributes and zone', async () => {
    const attributes = [
      { name: 'public_ip', type: 'TEXT', text: { value: 'true' } },
      { name: 'rack', type: 'SCALAR', scalar: { value: 7 } },
      { name: 'disks', type: 'SET', set: { item: ['a'] } },
    ];
    const domain = {
      fault_domain: { region: { name: 'aws/us-west-2' }, zone: { name: 'aws/us-west-2a' } },
    };
    const { orchestrator } = against(
      agentsAnswer([
        {
          ...registered,
          agent_info: { ...agentInfo, attributes, domain },
          active: false,
          deactivated: true,
          total_resources: [],
          // 64-bit numbers lose digits in JavaScript; nothing here may depend on them.
          registered_time: { nanoseconds: 1500993262264135000 },
        },
      ]),
    );
    expect(await orchestrator.agents()).toEqual([
      {
        agentId: AGENT,
        hostname: '10.0.0.160',
        active: false,
        deactivated: true,
        recovered: false,
        free: { cpus: 0, mem: 0 },
        reservedRoles: [],
        attributes: { public_ip: 'true', rack: '7' },
        faultDomainZone: 'aws/us-west-2a',
      },
    ]);
  });

  it('counts as free what is unreserved, lasting and not allocated', async () => {
    const { orchestrator } = against(
      agentsAnswer([
        {
          ...registered,
          total_resources: [
            scalar('cpus', 3.3),
            scalar('mem', 14_018),
            scalar('cpus', 8, { revocable: {} }),
            scalar('mem', 512, { role: 'slave_public' }),
            scalar('mem', 256, { reservations: [{ role: 'eng' }, { role: 'eng/db' }] }),
            { name: 'ports', type: 'RANGES', ranges: { range: [] }, role: '*' },
          ],
          allocated_resources: [
            scalar('cpus', 1.1),
            scalar('mem', 1_024, { allocation_info: { role: 'slave_public' } }),
            scalar('mem', 256, { reservations: [{ role: 'eng' }, { role: 'eng/db' }] }),
          ],
        },
      ]),
    );
    const [agent] = await orchestrator.agents();
    expect(agent?.free).toEqual({ cpus: 2.2, mem: 12_994 });
    expect(agent?.reservedRoles).toEqual(['slave_public', 'eng/db']);
  });

  it('takes what the agent announced where the master gives no totals', async () => {
    const resources = [scalar('cpus', 4), scalar('mem', 100)];
    const { orchestrator } = against(
      agentsAnswer([{ ...registered, agent_info: { ...agentInfo, resources } }]),
    );
    expect((await orchestrator.agents())[0]?.free).toEqual({ cpus: 4, mem: 100 });
  });

  it('never counts more as used than there is', async () => {
    const total_resources = [scalar('cpus', 1), scalar('mem', 1)];
    const allocated_resources = [scalar('cpus', 2), scalar('mem', 2)];
    const { orchestrator } = against(
      agentsAnswer([{ ...registered, total_resources, allocated_resources }]),
    );
    expect((await orchestrator.agents())[0]?.free).toEqual({ cpus: 0, mem: 0 });
  });

  it('lists an agent that only the registry remembers as recovered, with nothing free', async () => {
    const resources = [scalar('cpus', 4)];
    const { orchestrator } = against(
      agentsAnswer([], [{ hostname: '10.0.0.161', id: { value: AGENT }, port: 5051, resources }]),
    );
    expect(await orchestrator.agents()).toEqual([
      {
        agentId: AGENT,
        hostname: '10.0.0.161',
        active: false,
        deactivated: false,
        recovered: true,
        free: { cpus: 0, mem: 0 },
        reservedRoles: [],
        attributes: {},
      },
    ]);
  });

  it('reads the lists that protobuf leaves out as empty', async () => {
    const { orchestrator } = against(ok({ type: 'GET_AGENTS', get_agents: {} }));
    expect(await orchestrator.agents()).toEqual([]);
  });

  it.each([
    ['another answer', ok({ type: 'GET_STATE' }), 'get_agents'],
    ['an agent without id', agentsAnswer([{ ...registered, agent_info: { hostname: 'x' } }]), 'id'],
    ['an agent without state', agentsAnswer([{ agent_info: agentInfo }]), 'active'],
    ['a number as text', agentsAnswer([{ ...registered, active: 'true' }]), 'active'],
    ['a page instead of JSON', { ...html(200) }, 'the whole of it'],
    ['nothing', text(200), 'the whole of it'],
  ])('does not take %s for an empty cluster', async (_, answer, where) => {
    const { orchestrator } = against(answer);
    const asked = orchestrator.agents();
    await expect(asked).rejects.toMatchObject({ name: 'OrchestratorUnavailableError' });
    await expect(asked).rejects.toThrow(`malformed answer: `);
    await expect(asked).rejects.toThrow(where);
  });
});

const UNREADABLE = text(400, 'Failed to convert JSON into Call protobuf: Failed to find enum');
const INVALID = text(400, "Failed to validate master::Call: Expecting 'type' to be present");

describe('MARK_AGENT_GONE', () => {
  it('names the agent by its full id', async () => {
    const { orchestrator, requests } = against(text(200));
    await orchestrator.markGone(AGENT);
    expect(requests[0]?.body).toBe(
      `{"type":"MARK_AGENT_GONE","mark_agent_gone":{"agent_id":{"value":"${AGENT}"}}}`,
    );
  });

  it.each([
    ['accepted', text(200)],
    ['in-transition', text(503, `Agent '${AGENT}' is already being transitioned to gone`)],
    ['in-transition', text(503, `Agent '${AGENT}' is being transitioned to removed`)],
    ['in-transition', text(503, `Agent '${AGENT}' is being transitioned to unreachable`)],
    ['unknown-agent', text(404, `Agent '${AGENT}' not found`)],
  ])('is %s on %o', async (expected, answer) => {
    expect(await against(answer).orchestrator.markGone(AGENT)).toBe(expected);
  });

  it.each([
    ['a master without a leader', text(503, 'No leader elected'), 'Unavailable'],
    ['a recovering master', text(503, 'Master has not finished recovery'), 'Unavailable'],
    ['a stale Admin Router', text(503, '503 Service Unavailable: cache is invalid'), 'Unavailable'],
    ['a dead upstream', html(502), 'Unavailable'],
    ['an upstream that hangs', html(504), 'Unavailable'],
    ['a missing right', text(403), 'Refused'],
    ['a missing route', html(404), 'Refused'],
    ['the id of another agent', text(404, "Agent 'S9' not found"), 'Refused'],
    ['a Mesos before 1.5', UNREADABLE, 'Refused'],
    ['an unknown call', text(501), 'Refused'],
  ])('takes %s for no word on the agent', async (_, answer, kind) => {
    const marked = against(answer).orchestrator.markGone(AGENT);
    await expect(marked).rejects.toMatchObject({ name: `Orchestrator${kind}Error` });
  });
});

describe('DEACTIVATE_AGENT and REACTIVATE_AGENT', () => {
  it.each(['deactivate', 'reactivate'] as const)('%s names the agent', async (method) => {
    const { orchestrator, requests } = against(text(200));
    expect(await orchestrator[method](AGENT)).toBe(true);
    const type = `${method}_agent`;
    expect(JSON.parse(`${requests[0]?.body}`)).toEqual({
      type: type.toUpperCase(),
      [type]: { agent_id: { value: AGENT } },
    });
  });

  it.each(['deactivate', 'reactivate'] as const)(
    '%s says false where DC/OS or the agent knows no such thing',
    async (method) => {
      for (const answer of [UNREADABLE, INVALID, text(501), text(400, 'Unknown agent')]) {
        expect(await against(answer).orchestrator[method](AGENT)).toBe(false);
      }
    },
  );

  it('is content with an agent that was not deactivated', async () => {
    const { orchestrator } = against(text(400, 'Agent is not deactivated'));
    expect(await orchestrator.reactivate(AGENT)).toBe(true);
  });

  it.each([
    ['deactivate', text(403), 'OrchestratorRefusedError'],
    ['deactivate', text(400, 'Expecting `Content-Type` to be present'), 'OrchestratorRefusedError'],
    ['deactivate', text(503, 'No leader elected'), 'OrchestratorUnavailableError'],
    ['reactivate', text(403), 'OrchestratorRefusedError'],
    ['reactivate', text(400, 'Agent is still in the DRAINING state'), 'OrchestratorRefusedError'],
    [
      'reactivate',
      text(409, 'Agent removed while processing the call'),
      'OrchestratorUnavailableError',
    ],
  ] as const)('%s throws on %o', async (method, answer, name) => {
    await expect(against(answer).orchestrator[method](AGENT)).rejects.toMatchObject({ name });
  });
});

describe('a master that has lost its leadership', () => {
  const elsewhere = {
    status: 307,
    headers: { location: '//10.0.5.4:5050/api/v1' },
    body: '',
  };

  it('is asked again, through Admin Router and not at the address it names', async () => {
    const { orchestrator, asked } = against(elsewhere, agentsAnswer([]));
    expect(await orchestrator.agents()).toEqual([]);
    expect(asked()).toEqual(Array(2).fill('POST https://dcos.internal/mesos/api/v1'));
  });

  it('is asked only twice', async () => {
    const { orchestrator, requests } = against(elsewhere, elsewhere);
    const name = 'OrchestratorUnavailableError';
    await expect(orchestrator.agents()).rejects.toMatchObject({ name, details: { code: '307' } });
    expect(requests).toHaveLength(2);
  });
});

it('reports a JSON error of Mesos in its own words', async () => {
  const { orchestrator } = against(json(400, { message: 'odd' }));
  await expect(orchestrator.agents()).rejects.toThrow('mesos GET_AGENTS was refused: 400: odd');
});

describe('DRAIN_AGENT', () => {
  it('names the agent and the grace in whole seconds, and marks nothing gone', async () => {
    const { orchestrator, requests } = against(text(200));
    expect(await orchestrator.drain(AGENT, 61_900)).toBe('accepted');
    expect(JSON.parse(`${requests[0]?.body}`)).toEqual({
      type: 'DRAIN_AGENT',
      drain_agent: {
        agent_id: { value: AGENT },
        max_grace_period: { seconds: 61 },
        mark_gone: false,
      },
    });
  });

  it.each([
    ['a Mesos that does not know the call', UNREADABLE, 'unsupported'],
    [
      'an agent without the capability',
      text(400, 'Agent is not capable of AGENT_DRAINING'),
      'unsupported',
    ],
    [
      'an agent whose maintenance is scheduled',
      text(400, 'Agent is part of a maintenance schedule under maintenance'),
      'unsupported',
    ],
    ['an agent nobody knows', text(400, 'Unknown agent'), 'unknown-agent'],
  ] as const)('says so of %s', async (_, answer, says) => {
    expect(await against(answer).orchestrator.drain(AGENT, 0)).toBe(says);
  });

  it.each([
    [text(403), 'OrchestratorRefusedError'],
    [text(503, 'No leader elected'), 'OrchestratorUnavailableError'],
  ] as const)('throws on %o', async (answer, name) => {
    await expect(against(answer).orchestrator.drain(AGENT, 0)).rejects.toMatchObject({ name });
  });
});
