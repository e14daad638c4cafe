import type { Guests } from './guests.ts';
import type { Instance } from './instance.ts';
import type { Marathon } from './marathon.ts';
import type { Master } from './master.ts';
import type { AgentState, TaskState } from './model.ts';

/** The state of the cluster as it is, for timelines, assertions and reports. */
export interface Truth {
  agents: {
    agentId: string;
    instanceId: string;
    hostname: string;
    availabilityZone: string;
    state: AgentState;
    connected: boolean;
    /** Connected and not deactivated: what GET_AGENTS calls active. */
    active: boolean;
  }[];
  /** Marathon's tasks, each with what Mesos last knew of it. */
  tasks: {
    appId: string;
    taskId: string;
    agentId: string;
    instanceId: string;
    host: string;
    condition: Instance['condition'];
    state: TaskState | undefined;
    /** Epoch ms; `undefined` until it runs. */
    startedAt: number | undefined;
    /** `undefined` for apps without health checks. */
    healthy: boolean | undefined;
    volumeIds: string[];
    localVolumes: string[];
  }[];
  /** Apps that wait for a launch. Times in epoch ms. */
  queue: { appId: string; notBefore: number; since: number }[];
  volumes: { volumeId: string; appId: string; rows: number; foreignWrites: number }[];
}

export const agentsOf = (master: Master): Truth['agents'] =>
  master.agents.map((agent) => ({
    agentId: agent.agentId,
    instanceId: agent.node.spec.instanceId,
    hostname: agent.hostname,
    availabilityZone: agent.availabilityZone,
    state: agent.state,
    connected: agent.connected,
    active: agent.state === 'registered' && agent.connected && !agent.deactivated,
  }));

export const truthOf = (master: Master, marathon: Marathon, guests: Guests): Truth => {
  const reports = guests.report();
  return {
    agents: agentsOf(master),
    tasks: marathon.instances.flatMap(({ app, condition, healthyAt, task }) => {
      if (task === undefined) return [];
      const node = master.agent(task.agentId)?.node;
      return [
        {
          appId: app.id,
          taskId: task.id,
          agentId: task.agentId,
          instanceId: node?.spec.instanceId ?? '',
          host: task.offer.hostname,
          condition,
          state: master.tasks.of(task.id)?.state,
          startedAt: task.startedAt,
          healthy: app.healthCheck === undefined ? undefined : healthyAt !== undefined,
          volumeIds: node?.volumeIdsOf(task.id) ?? [],
          localVolumes: app.localVolumePaths,
        },
      ];
    }),
    queue: marathon.instances
      .filter(({ condition }) => condition === 'Scheduled')
      .map(({ app, offerAt, since }) => ({
        appId: app.id,
        notBefore: Math.max(offerAt, marathon.delayedUntil(app.id)),
        since,
      })),
    volumes: reports.map(({ volumeId, appId, rowsOnVolume, foreignWrites }) => ({
      volumeId,
      appId,
      rows: rowsOnVolume,
      foreignWrites,
    })),
  };
};
