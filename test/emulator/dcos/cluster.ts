import type { Durations } from '../../../emulator/core/durations.ts';
import { createRng } from '../../../emulator/core/random.ts';
import type { WireResponse } from '../../../emulator/core/wire.ts';
import { createDcos, type DcosDeps } from '../../../emulator/dcos/dcos.ts';
import type { Change } from '../../../emulator/dcos/model.ts';
import { FakeMachines } from './fake-machines.ts';
import { ManualTime } from './manual-time.ts';

const DURATIONS: Durations = {
  stopMs: () => 12_000,
  detachMs: () => 2000,
  goneToOfferMs: () => 1500,
  launchToAttachedMs: () => 4000,
  attachedToHealthyMs: () => 8000,
};

/** The catalog's MySQL, as far as scheduling is concerned. */
export const MYSQL = {
  id: 'mysql',
  cpus: 0.5,
  mem: 1024,
  instances: 1,
  container: {
    type: 'DOCKER',
    volumes: [
      {
        containerPath: '/var/lib/mysql',
        external: { name: 'mysql', provider: 'dvdi', options: { 'dvdi/driver': 'rexray' } },
        mode: 'RW',
      },
    ],
    docker: {
      image: 'mysql:5.7.12',
      network: 'BRIDGE',
      portMappings: [{ containerPort: 3306, hostPort: 0, protocol: 'tcp' }],
    },
  },
  healthChecks: [{ protocol: 'TCP', portIndex: 0, intervalSeconds: 60, timeoutSeconds: 20 }],
  upgradeStrategy: { minimumHealthCapacity: 0, maximumOverCapacity: 0 },
};

/** Agents a and b in one zone, `mysql` on `vol-1` running on a; nothing has failed yet. */
export const cluster = (
  options: Partial<DcosDeps> & { zoneOfB?: string; placed?: boolean } = {},
) => {
  const { zoneOfB = 'us-west-2a', placed = true, ...deps } = options;
  const time = new ManualTime();
  const machines = new FakeMachines(time);
  machines.addMachine('i-a', '10.0.0.10');
  machines.addMachine('i-b', '10.0.0.11', zoneOfB);
  machines.addVolume('vol-1', 'mysql', placed ? 'i-a' : undefined);
  const rng = createRng(7);
  const dcos = createDcos({ time, rng, machines, durations: DURATIONS, ...deps });
  const changes: Change[] = [];
  dcos.onChange((change) => changes.push(change));
  const agentA = dcos.addAgent({ instanceId: 'i-a' });
  const agentB = dcos.addAgent({ instanceId: 'i-b' });
  if (placed) dcos.placeApp(MYSQL, 'i-a', { rows: 100 });

  const send = (method: string, path: string, body?: unknown) =>
    dcos.handle(
      {
        method,
        url: `https://dcos.example.com${path}`,
        headers: { 'content-type': 'application/json', accept: 'application/json' },
        body: body === undefined ? '' : JSON.stringify(body),
      },
      { accessKeyId: '' },
    );
  const call = (method: string, path: string, body?: unknown): WireResponse => {
    const answered = send(method, path, body);
    if (answered instanceof Promise) throw new Error(`${path} does not answer at once`);
    return answered;
  };
  const read = (path: string) => JSON.parse(call('GET', path).body);
  const mesos = (type: string, body: object = {}) =>
    call('POST', '/mesos/api/v1', { type, ...body });
  const markGone = (agentId: string) =>
    mesos('MARK_AGENT_GONE', { mark_agent_gone: { agent_id: { value: agentId } } });
  const agents = () => JSON.parse(mesos('GET_AGENTS').body).get_agents;
  const tasks = () => read('/service/marathon/v2/tasks').tasks;
  const guest = () => dcos.guests.report()[0];
  return {
    time,
    machines,
    dcos,
    changes,
    agentA,
    agentB,
    send,
    call,
    read,
    mesos,
    markGone,
    agents,
    tasks,
    guest,
  };
};
