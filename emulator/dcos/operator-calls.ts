import { z } from 'zod';
import type { WireResponse } from '../core/wire.ts';
import type { AgentRecord } from './agent-record.ts';
import { json, text } from './http.ts';
import { MaintenanceError } from './maintenance.ts';
import type { Master } from './master.ts';

const Id = z.object({ value: z.string() });
const MachineId = z.object({ hostname: z.string().optional(), ip: z.string().optional() });
const Seconds = z.object({ seconds: z.number().optional(), nanoseconds: z.number().optional() });

/** The operator calls that change something, as their protobufs say. */
export const Bodies = {
  MARK_AGENT_GONE: z.object({ mark_agent_gone: z.object({ agent_id: Id }) }),
  DRAIN_AGENT: z.object({
    drain_agent: z.object({
      agent_id: Id,
      max_grace_period: Seconds.optional(),
      mark_gone: z.boolean().default(false),
    }),
  }),
  DEACTIVATE_AGENT: z.object({ deactivate_agent: z.object({ agent_id: Id }) }),
  REACTIVATE_AGENT: z.object({ reactivate_agent: z.object({ agent_id: Id }) }),
  UPDATE_MAINTENANCE_SCHEDULE: z.object({
    update_maintenance_schedule: z.object({
      schedule: z.object({
        windows: z
          .array(
            z.object({
              machine_ids: z.array(MachineId),
              unavailability: z.looseObject({ start: z.looseObject({}) }),
            }),
          )
          .default([]),
      }),
    }),
  }),
  START_MAINTENANCE: z.object({ start_maintenance: z.object({ machines: z.array(MachineId) }) }),
  STOP_MAINTENANCE: z.object({ stop_maintenance: z.object({ machines: z.array(MachineId) }) }),
};

export type CallBody<T extends keyof typeof Bodies> = z.infer<(typeof Bodies)[T]>;

const OK: WireResponse = { status: 200, headers: {}, body: '' };
const DEFAULT_GRACE_MS = 0;

const isKnown = ({ state }: AgentRecord): boolean =>
  state === 'registered' || state === 'recovered' || state === 'unreachable';

/** The checks are made, and answered, in the master's own order. */
export const markAgentGone = (
  master: Master,
  { mark_agent_gone: call }: CallBody<'MARK_AGENT_GONE'>,
): WireResponse => {
  const agentId = call.agent_id.value;
  const agent = master.agent(agentId);
  if (agent?.state === 'gone') return OK;
  if (agent?.transition === 'gone') {
    return text(503, `Agent '${agentId}' is already being transitioned to gone`);
  }
  if (agent?.transition !== undefined) {
    return text(503, `Agent '${agentId}' is being transitioned to ${agent.transition}`);
  }
  if (agent === undefined || !isKnown(agent)) return text(404, `Agent '${agentId}' not found`);
  if (agent.state === 'unreachable' && master.release.mesos9545) agent.transition = 'gone';
  else master.gone(agent);
  return OK;
};

const unknownAgent = (): WireResponse => text(400, 'Unknown agent');

const active = (master: Master, agentId: string): AgentRecord | undefined => {
  const agent = master.agent(agentId);
  return agent !== undefined && isKnown(agent) ? agent : undefined;
};

export const deactivateAgent = (
  master: Master,
  { deactivate_agent: call }: CallBody<'DEACTIVATE_AGENT'>,
): WireResponse => {
  const agent = active(master, call.agent_id.value);
  if (agent === undefined) return unknownAgent();
  agent.deactivated = true;
  master.announce(agent.agentId, 'deactivated');
  return OK;
};

export const reactivateAgent = (
  master: Master,
  { reactivate_agent: call }: CallBody<'REACTIVATE_AGENT'>,
): WireResponse => {
  const agent = active(master, call.agent_id.value);
  if (agent === undefined) return unknownAgent();
  if (!agent.deactivated) return text(400, 'Agent is not deactivated');
  if (agent.drain?.state === 'DRAINING') {
    return text(400, 'Agent is still in the DRAINING state');
  }
  agent.deactivated = false;
  agent.drain = undefined;
  master.announce(agent.agentId, 'reactivated');
  master.offersChanged();
  return OK;
};

export const drainAgent = (
  master: Master,
  { drain_agent: call }: CallBody<'DRAIN_AGENT'>,
): WireResponse => {
  const agent = active(master, call.agent_id.value);
  if (agent === undefined) return unknownAgent();
  if (agent.transition === 'gone') return text(409, 'Agent is currently being marked gone');
  if (master.maintenance.windowOf(agent.hostname) !== undefined) {
    return text(400, 'Agent is part of a maintenance schedule under maintenance');
  }
  const { seconds, nanoseconds } = call.max_grace_period ?? {};
  const graceMs = (seconds ?? (nanoseconds ?? DEFAULT_GRACE_MS) / 1e9) * 1000;
  agent.deactivated = true;
  master.drain(agent, { graceMs, markGone: call.mark_gone });
  return OK;
};

const orRefused = (change: () => void): WireResponse => {
  try {
    change();
    return OK;
  } catch (error) {
    if (error instanceof MaintenanceError) return text(400, error.message);
    throw error;
  }
};

export const updateMaintenanceSchedule = (
  master: Master,
  { update_maintenance_schedule: call }: CallBody<'UPDATE_MAINTENANCE_SCHEDULE'>,
): WireResponse =>
  orRefused(() => {
    master.maintenance.replace(call.schedule.windows);
    master.offersChanged();
  });

/** Documentation says 202; the code answers 200. */
export const startMaintenance = (
  master: Master,
  { start_maintenance: { machines } }: CallBody<'START_MAINTENANCE'>,
): WireResponse =>
  orRefused(() => {
    master.maintenance.start(machines);
    for (const agent of master.agents) {
      if (agent.state !== 'registered' || !master.maintenance.isDown(agent.hostname)) continue;
      master.remove(agent, 'unavailable machine');
      agent.node.shutdown();
    }
  });

export const stopMaintenance = (
  master: Master,
  { stop_maintenance: { machines } }: CallBody<'STOP_MAINTENANCE'>,
): WireResponse => orRefused(() => master.maintenance.stop(machines));

export const maintenanceScheduleView = (master: Master) => ({
  schedule: { windows: master.maintenance.windows },
});

export const maintenanceStatusView = (master: Master) => ({
  status: {
    draining_machines: master.maintenance.draining.map((id) => ({ id })),
    down_machines: master.maintenance.down,
  },
});

export const answer = (type: string, key: string, body: object): WireResponse =>
  json(200, { type, [key]: body });
