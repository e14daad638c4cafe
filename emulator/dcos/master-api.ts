import type { z } from 'zod';
import type { WireRequest, WireResponse } from '../core/wire.ts';
import { json, text } from './http.ts';
import type { Master } from './master.ts';
import {
  agentsView,
  frameworksView,
  legacyStateView,
  legacyTasksView,
  slavesView,
  stateView,
  tasksView,
} from './master-views.ts';
import {
  answer,
  Bodies,
  deactivateAgent,
  drainAgent,
  maintenanceScheduleView,
  maintenanceStatusView,
  markAgentGone,
  reactivateAgent,
  startMaintenance,
  stopMaintenance,
  updateMaintenanceSchedule,
} from './operator-calls.ts';

/** What state the masters themselves are in. */
export type Leadership =
  | { kind: 'leading' }
  | { kind: 'following'; leader: string }
  | { kind: 'no-leader' }
  | { kind: 'recovering' };

const READS: Record<string, { key: string; view(master: Master): object }> = {
  GET_AGENTS: { key: 'get_agents', view: agentsView },
  GET_TASKS: { key: 'get_tasks', view: tasksView },
  GET_STATE: { key: 'get_state', view: stateView },
  GET_FRAMEWORKS: { key: 'get_frameworks', view: frameworksView },
  GET_HEALTH: { key: 'get_health', view: () => ({ healthy: true }) },
  GET_VERSION: {
    key: 'get_version',
    view: ({ release }) => ({ version_info: { version: release.mesos } }),
  },
  GET_MASTER: {
    key: 'get_master',
    view: ({ id, release }) => ({
      master_info: {
        id,
        address: { hostname: MASTER_IP, ip: MASTER_IP, port: 5050 },
        hostname: MASTER_IP,
        ip: 16842762,
        port: 5050,
        pid: `master@${MASTER_IP}:5050`,
        version: release.mesos,
      },
    }),
  },
  GET_FLAGS: {
    key: 'get_flags',
    view: ({ release }) => ({
      flags: [
        { name: 'max_agent_ping_timeouts', value: '20' },
        { name: 'agent_ping_timeout', value: '15secs' },
        { name: 'agent_reregister_timeout', value: '10mins' },
        {
          name: 'agent_removal_rate_limit',
          value: release.removalIntervalMs === 600 ? '100/1mins' : '1/20mins',
        },
      ],
    }),
  },
  GET_MAINTENANCE_SCHEDULE: { key: 'get_maintenance_schedule', view: maintenanceScheduleView },
  GET_MAINTENANCE_STATUS: { key: 'get_maintenance_status', view: maintenanceStatusView },
};

const MASTER_IP = '10.0.1.1';

type Write = (master: Master, body: unknown) => WireResponse;

const write =
  <S extends z.ZodType>(
    schema: S,
    call: (master: Master, body: z.infer<S>) => WireResponse,
  ): Write =>
  (master, body) => {
    const parsed = schema.safeParse(body);
    if (parsed.success) return call(master, parsed.data);
    const missing = parsed.error.issues.map(({ path }) => path.join('.')).join(', ');
    return text(400, `Failed to validate master::Call: Expecting '${missing}' to be present`);
  };

const WRITES: Record<string, Write> = {
  MARK_AGENT_GONE: write(Bodies.MARK_AGENT_GONE, markAgentGone),
  DRAIN_AGENT: write(Bodies.DRAIN_AGENT, drainAgent),
  DEACTIVATE_AGENT: write(Bodies.DEACTIVATE_AGENT, deactivateAgent),
  REACTIVATE_AGENT: write(Bodies.REACTIVATE_AGENT, reactivateAgent),
  UPDATE_MAINTENANCE_SCHEDULE: write(Bodies.UPDATE_MAINTENANCE_SCHEDULE, updateMaintenanceSchedule),
  START_MAINTENANCE: write(Bodies.START_MAINTENANCE, startMaintenance),
  STOP_MAINTENANCE: write(Bodies.STOP_MAINTENANCE, stopMaintenance),
};

const isMissing = (type: string, { release }: Master): boolean =>
  (type === 'MARK_AGENT_GONE' && !release.markAgentGone) ||
  (['DRAIN_AGENT', 'DEACTIVATE_AGENT', 'REACTIVATE_AGENT'].includes(type) && !release.drain);

/** The Mesos master's HTTP surface: `/api/v1` and the legacy reads. */
export class MasterApi {
  readonly #master: Master;
  leadership: Leadership = { kind: 'leading' };

  constructor(master: Master) {
    this.#master = master;
  }

  /** `path` is relative to the master, with its query. */
  handle(path: string, request: WireRequest): WireResponse {
    const url = new URL(path, 'http://master');
    const endpoint = url.pathname.replace(/^\/master\//, '/');
    const elsewhere = this.#notLeading(url.pathname);
    if (endpoint === '/health') return text(200, '');
    if (elsewhere !== undefined) return elsewhere;
    switch (endpoint) {
      case '/api/v1':
        return this.#call(request);
      case '/slaves':
        return json(200, slavesView(this.#master, url.searchParams.get('slave_id')));
      case '/tasks':
        return json(200, legacyTasksView(this.#master));
      case '/state':
      case '/state.json':
        return json(200, legacyStateView(this.#master));
      case '/version':
        return json(200, { version: this.#master.release.mesos });
      default:
        return text(404, '');
    }
  }

  #notLeading(pathname: string): WireResponse | undefined {
    switch (this.leadership.kind) {
      case 'following':
        return text(307, '', { location: `//${this.leadership.leader}${pathname}` });
      case 'no-leader':
        return text(503, 'No leader elected');
      case 'recovering':
        return text(503, 'Master has not finished recovery');
      case 'leading':
        return undefined;
    }
  }

  #call(request: WireRequest): WireResponse {
    if (request.method !== 'POST') {
      return text(405, `Expecting one of { 'POST' }, but received '${request.method}'`);
    }
    const contentType = request.headers['content-type'];
    if (contentType === undefined) return text(400, "Expecting 'Content-Type' to be present");
    if (!contentType.startsWith('application/json')) {
      return text(415, "Expecting 'Content-Type' of application/json or application/x-protobuf");
    }
    let body: unknown;
    try {
      body = JSON.parse(request.body);
    } catch (error) {
      return text(400, `Failed to parse body into JSON: ${String(error)}`);
    }
    if (typeof body !== 'object' || body === null || !('type' in body)) {
      return text(400, "Failed to validate master::Call: Expecting 'type' to be present");
    }
    const type = String(body.type);
    const read = READS[type];
    const change = WRITES[type];
    if ((read === undefined && change === undefined) || isMissing(type, this.#master)) {
      const error = `Failed to find enum for '${type}'`;
      return text(400, `Failed to convert JSON into Call protobuf: ${error}`);
    }
    const accept = request.headers.accept ?? '*/*';
    if (!/json|\*\/\*|application\/\*/.test(accept)) {
      return text(406, "Expecting 'Accept' to allow application/json or application/x-protobuf");
    }
    if (read !== undefined) return answer(type, read.key, read.view(this.#master));
    return change === undefined ? text(501, '') : change(this.#master, body);
  }
}
