import type { AgentRecord } from './agent-record.ts';
import type { Master } from './master.ts';
import type { StatusUpdate } from './model.ts';
import { faultDomain } from './offers.ts';
import type { TaskRecord } from './task-book.ts';

/** Nanoseconds as Mesos writes them: a JSON number beyond 2^53, exact only to the microsecond. */
const time = (epochMs: number) => ({ nanoseconds: epochMs * 1_000_000 });

const scalar = (name: string, value: number, role: string) => ({
  name,
  type: 'SCALAR',
  scalar: { value },
  role,
});

const capabilitiesOf = (master: Master): string[] => [
  'MULTI_ROLE',
  ...(master.release.faultDomains ? ['HIERARCHICAL_ROLE', 'RESERVATION_REFINEMENT'] : []),
  ...(master.release.drain ? ['AGENT_DRAINING'] : []),
];

const totals = ({ node }: AgentRecord) => ({
  cpus: node.spec.cpus ?? 4,
  mem: node.spec.mem ?? 14_018,
  role: node.spec.role ?? '*',
});

const usedOn = (master: Master, { agentId }: AgentRecord) => {
  const launches = master.tasks.on(agentId).map(({ launch }) => launch);
  return {
    cpus: launches.reduce((sum, launch) => sum + launch.cpus, 0),
    mem: launches.reduce((sum, launch) => sum + launch.mem, 0),
  };
};

const domainOf = (master: Master, { availabilityZone }: AgentRecord) => {
  const { region, zone } = faultDomain(master, availabilityZone);
  return region === undefined || zone === undefined
    ? {}
    : { domain: { fault_domain: { region: { name: region }, zone: { name: zone } } } };
};

const agentView = (master: Master, agent: AgentRecord) => {
  const { cpus, mem, role } = totals(agent);
  const { drain } = agent;
  const range = [{ begin: 1025, end: 32000 }];
  const resources = [
    scalar('cpus', cpus, role),
    scalar('mem', mem, role),
    { name: 'ports', type: 'RANGES', ranges: { range }, role },
  ];
  const used = usedOn(master, agent);
  const config = drain && {
    mark_gone: drain.markGone,
    max_grace_period: { nanoseconds: drain.graceMs * 1_000_000 },
  };
  return {
    agent_info: {
      hostname: agent.hostname,
      port: 5051,
      id: { value: agent.agentId },
      attributes: Object.entries(agent.node.spec.attributes ?? {}).map(([name, value]) => ({
        name,
        type: 'TEXT',
        text: { value },
      })),
      resources,
      ...domainOf(master, agent),
    },
    active: agent.connected && !agent.deactivated,
    ...(master.release.drain ? { deactivated: agent.deactivated } : {}),
    ...(drain === undefined ? {} : { drain_info: { state: drain.state, config } }),
    version: master.release.mesos,
    pid: `slave(1)@${agent.hostname}:5051`,
    registered_time: time(agent.registeredAt),
    ...(agent.reregisteredAt === undefined
      ? {}
      : { reregistered_time: time(agent.reregisteredAt) }),
    capabilities: capabilitiesOf(master).map((type) => ({ type })),
    total_resources: resources,
    allocated_resources: [scalar('cpus', used.cpus, role), scalar('mem', used.mem, role)],
  };
};

/** GET_AGENTS: unreachable and gone agents are not listed at all. */
export const agentsView = (master: Master) => ({
  agents: master.agents
    .filter(({ state }) => state === 'registered')
    .map((a) => agentView(master, a)),
  recovered_agents: master.agents
    .filter(({ state }) => state === 'recovered')
    .map(({ agentId, hostname }) => ({ hostname, id: { value: agentId }, port: 5051 })),
});

const statusView = (status: StatusUpdate) => ({
  task_id: { value: status.taskId },
  agent_id: { value: status.agentId },
  state: status.state,
  source: status.source,
  ...(status.reason === undefined ? {} : { reason: status.reason }),
  message: status.message,
  timestamp: status.at / 1000,
});

export const frameworkIdOf = (master: Master): string => `${master.id}-0000`;

const taskView = (master: Master, { launch, agentId, state, statuses }: TaskRecord) => ({
  name: launch.appId.slice(1).replaceAll('/', '.').split('.').toReversed().join('.'),
  task_id: { value: launch.taskId },
  framework_id: { value: frameworkIdOf(master) },
  executor_id: { value: '' },
  agent_id: { value: agentId },
  state,
  statuses: statuses.map(statusView),
  resources: [scalar('cpus', launch.cpus, '*'), scalar('mem', launch.mem, '*')],
});

export const tasksView = (master: Master) => {
  const listed = (list: TaskRecord['list']) =>
    master.tasks.all.filter((task) => task.list === list).map((task) => taskView(master, task));
  return {
    tasks: listed('tasks'),
    unreachable_tasks: listed('unreachable'),
    completed_tasks: listed('completed'),
  };
};

export const frameworksView = (master: Master) => ({
  frameworks: [
    {
      active: true,
      connected: !master.dropsUpdates,
      framework_info: {
        id: { value: frameworkIdOf(master) },
        name: 'marathon',
        principal: 'dcos_marathon',
        role: 'slave_public',
        user: 'root',
        checkpoint: true,
        capabilities: master.release.partitionAware ? [{ type: 'PARTITION_AWARE' }] : [],
      },
    },
  ],
});

export const stateView = (master: Master) => ({
  get_tasks: tasksView(master),
  get_executors: { executors: [] },
  get_frameworks: frameworksView(master),
  get_agents: agentsView(master),
});

/** GET /slaves, the legacy form. */
export const slavesView = (master: Master, onlyId: string | null) => ({
  slaves: master.agents
    .filter(({ state, agentId }) => state === 'registered' && (onlyId ?? agentId) === agentId)
    .map((agent) => {
      const { cpus, mem } = totals(agent);
      return {
        id: agent.agentId,
        hostname: agent.hostname,
        port: 5051,
        pid: `slave(1)@${agent.hostname}:5051`,
        attributes: agent.node.spec.attributes ?? {},
        ...domainOf(master, agent),
        registered_time: agent.registeredAt / 1000,
        ...(agent.reregisteredAt === undefined
          ? {}
          : { reregistered_time: agent.reregisteredAt / 1000 }),
        resources: { cpus, mem, ports: '[1025-32000]' },
        used_resources: usedOn(master, agent),
        active: agent.connected && !agent.deactivated,
        ...(master.release.drain ? { deactivated: agent.deactivated } : {}),
        version: master.release.mesos,
        capabilities: capabilitiesOf(master),
      };
    }),
  recovered_slaves: master.agents
    .filter(({ state, agentId }) => state === 'recovered' && (onlyId ?? agentId) === agentId)
    .map(({ agentId, hostname, node }) => ({
      id: agentId,
      hostname,
      port: 5051,
      attributes: node.spec.attributes ?? {},
    })),
});

const legacyTask = (master: Master, { launch, agentId, state, statuses }: TaskRecord) => ({
  id: launch.taskId,
  name: launch.appId.slice(1),
  framework_id: frameworkIdOf(master),
  executor_id: '',
  slave_id: agentId,
  state,
  resources: { cpus: launch.cpus, mem: launch.mem },
  statuses: statuses.map(({ state: s, at }) => ({ state: s, timestamp: at / 1000 })),
});

/** GET /tasks, the legacy form: unreachable and completed ones included, newest first. */
export const legacyTasksView = (master: Master) => ({
  tasks: master.tasks.all
    .filter(({ list }) => list !== 'forgotten')
    .map((task) => legacyTask(master, task))
    .toReversed(),
});

/** The part of GET /state that says where things are. */
export const legacyStateView = (master: Master) => {
  const listed = (list: TaskRecord['list']) =>
    master.tasks.all.filter((task) => task.list === list).map((task) => legacyTask(master, task));
  const agents = master.agents;
  const registered = agents.filter(({ state }) => state === 'registered');
  const active = registered.filter(({ connected, deactivated }) => connected && !deactivated);
  return {
    version: master.release.mesos,
    id: master.id,
    activated_slaves: active.length,
    deactivated_slaves: registered.length - active.length,
    unreachable_slaves: agents.filter(({ state }) => state === 'unreachable').length,
    ...slavesView(master, null),
    frameworks: [
      {
        id: frameworkIdOf(master),
        name: 'marathon',
        tasks: listed('tasks'),
        unreachable_tasks: listed('unreachable'),
        completed_tasks: listed('completed'),
      },
    ],
  };
};
