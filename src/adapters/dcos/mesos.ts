import * as z from 'zod';
import type { AgentId } from '../../domain/ids.ts';
import type { MesosAgent } from '../../domain/service.ts';
import type { HttpResponse } from '../../ports/http.ts';
import type { DrainAnswer, MarkGoneAnswer } from '../../ports/orchestrator.ts';
import { type AdminRouter, expectJson, failureOf, remarkOf } from './admin-router.ts';

const Resource = z.looseObject({
  name: z.string(),
  scalar: z.looseObject({ value: z.number() }).optional(),
  role: z.string().optional(),
  reservations: z.array(z.looseObject({ role: z.string().optional() })).optional(),
  revocable: z.unknown().optional(),
});
type Resource = z.infer<typeof Resource>;

const Attribute = z.looseObject({
  name: z.string(),
  text: z.looseObject({ value: z.string() }).optional(),
  scalar: z.looseObject({ value: z.number() }).optional(),
});

const AgentInfo = z.looseObject({
  id: z.looseObject({ value: z.string().min(1) }),
  hostname: z.string().min(1),
  attributes: z.array(Attribute).default([]),
  resources: z.array(Resource).default([]),
  domain: z
    .looseObject({
      fault_domain: z.looseObject({ zone: z.looseObject({ name: z.string() }) }).optional(),
    })
    .optional(),
});
type AgentInfo = z.infer<typeof AgentInfo>;

const Agents = z.looseObject({
  get_agents: z.looseObject({
    // Protobuf leaves an empty list out: a fresh master knows no agents.
    agents: z
      .array(
        z.looseObject({
          agent_info: AgentInfo,
          active: z.boolean(),
          // Since Mesos 1.9.
          deactivated: z.boolean().default(false),
          total_resources: z.array(Resource).optional(),
          allocated_resources: z.array(Resource).default([]),
        }),
      )
      .default([]),
    recovered_agents: z.array(AgentInfo).default([]),
  }),
});

/** The role a resource is reserved for; reservations refine each other and the last one counts. */
const roleOf = ({ reservations, role }: Resource): string =>
  reservations?.at(-1)?.role ?? role ?? '*';

const sumOf = (name: string, resources: readonly Resource[]): number =>
  resources
    .filter((resource) => resource.name === name && roleOf(resource) === '*')
    .filter(({ revocable }) => revocable === undefined)
    .reduce((sum, { scalar }) => sum + (scalar?.value ?? 0), 0);

/** Mesos counts in thousandths; so the difference has no crumbs of binary fractions. */
const leftOf = (name: string, total: readonly Resource[], used: readonly Resource[]): number =>
  Math.max(0, Math.round((sumOf(name, total) - sumOf(name, used)) * 1000) / 1000);

const attributesOf = (info: AgentInfo): Record<string, string> =>
  Object.fromEntries(
    info.attributes.flatMap(({ name, text, scalar }) => {
      const value = text?.value ?? scalar?.value;
      return value === undefined ? [] : [[name, String(value)]];
    }),
  );

const toAgent = (
  info: AgentInfo,
  state: Pick<MesosAgent, 'active' | 'deactivated' | 'recovered'>,
  total: readonly Resource[],
  used: readonly Resource[],
): MesosAgent => {
  const zone = info.domain?.fault_domain?.zone.name;
  return {
    agentId: info.id.value as AgentId,
    hostname: info.hostname,
    ...state,
    free: { cpus: leftOf('cpus', total, used), mem: leftOf('mem', total, used) },
    reservedRoles: [...new Set(total.map(roleOf))].filter((role) => role !== '*'),
    attributes: attributesOf(info),
    ...(zone === undefined ? {} : { faultDomainZone: zone }),
  };
};

const toAgents = ({ get_agents: answer }: z.infer<typeof Agents>): MesosAgent[] => [
  ...answer.agents.map((agent) =>
    toAgent(
      agent.agent_info,
      { active: agent.active, deactivated: agent.deactivated, recovered: false },
      agent.total_resources ?? agent.agent_info.resources,
      agent.allocated_resources,
    ),
  ),
  // Nobody has heard of these since the masters changed, so nothing on them is free.
  ...answer.recovered_agents.map((info) =>
    toAgent(info, { active: false, deactivated: false, recovered: true }, [], []),
  ),
];

/** How a Mesos older than a call answers it: its protobuf does not know the type. */
const isUnknownCall = (response: HttpResponse): boolean =>
  response.status === 501 ||
  (response.status === 400 &&
    /^Failed to (?:convert JSON into Call|validate master::Call)/.test(remarkOf(response)));

/** An agent without the capability, or one whose maintenance is scheduled (Mesos http.cpp). */
const cannotDrain = (response: HttpResponse): boolean =>
  response.status === 400 && /AGENT_DRAINING|maintenance schedule/.test(remarkOf(response));

const isUnknownAgent = (response: HttpResponse): boolean =>
  response.status === 400 && remarkOf(response).startsWith('Unknown agent');

export interface Mesos {
  agents(): Promise<MesosAgent[]>;
  deactivate(agentId: AgentId): Promise<boolean>;
  reactivate(agentId: AgentId): Promise<boolean>;
  drain(agentId: AgentId, graceMs: number): Promise<DrainAnswer>;
  markGone(agentId: AgentId): Promise<MarkGoneAnswer>;
}

/** The v1 operator API of the leading master (apache/mesos src/master/http.cpp). */
export const createMesos = (ask: AdminRouter): Mesos => {
  const operator = (type: string, agentId?: AgentId, more: object = {}): Promise<HttpResponse> =>
    ask({
      operation: `mesos ${type}`,
      method: 'POST',
      path: '/mesos/api/v1',
      body: agentId
        ? { type, [type.toLowerCase()]: { agent_id: { value: agentId }, ...more } }
        : { type },
    });

  return {
    agents: async () =>
      toAgents(expectJson('mesos GET_AGENTS', await operator('GET_AGENTS'), Agents)),

    deactivate: async (agentId) => {
      const response = await operator('DEACTIVATE_AGENT', agentId);
      if (response.status === 200) return true;
      if (isUnknownCall(response) || isUnknownAgent(response)) return false;
      throw failureOf('mesos DEACTIVATE_AGENT', response);
    },

    reactivate: async (agentId) => {
      const response = await operator('REACTIVATE_AGENT', agentId);
      if (response.status === 200) return true;
      if (response.status === 400 && remarkOf(response) === 'Agent is not deactivated') return true;
      if (isUnknownCall(response) || isUnknownAgent(response)) return false;
      throw failureOf('mesos REACTIVATE_AGENT', response);
    },

    drain: async (agentId, graceMs) => {
      const grace = { max_grace_period: { seconds: Math.floor(graceMs / 1000) } };
      const response = await operator('DRAIN_AGENT', agentId, { ...grace, mark_gone: false });
      if (response.status === 200) return 'accepted';
      if (isUnknownAgent(response)) return 'unknown-agent';
      if (isUnknownCall(response) || cannotDrain(response)) return 'unsupported';
      throw failureOf('mesos DRAIN_AGENT', response);
    },

    markGone: async (agentId) => {
      const response = await operator('MARK_AGENT_GONE', agentId);
      const remark = remarkOf(response);
      if (response.status === 200) return 'accepted';
      // Other 503s come from a master without a leader and from Admin Router: no word on the agent.
      if (response.status === 503 && remark.includes('being transitioned to'))
        return 'in-transition';
      // Admin Router has 404s of its own.
      if (response.status === 404 && remark === `Agent '${agentId}' not found`)
        return 'unknown-agent';
      throw failureOf('mesos MARK_AGENT_GONE', response);
    },
  };
};
