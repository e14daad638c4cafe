import type { Master } from './master.ts';
import type { Offer } from './matching.ts';

/** An agent of DC/OS's default instance type, less what the system itself needs. */
const DEFAULT_CPUS = 4;
const DEFAULT_MEM_MIB = 14_018;

/** What every agent that makes offers has left. */
export const offersOf = (master: Master): Offer[] =>
  master.agents
    .filter(
      ({ state, connected, deactivated }) => state === 'registered' && connected && !deactivated,
    )
    .map(({ agentId, hostname, availabilityZone, node }) => {
      const { cpus = DEFAULT_CPUS, mem = DEFAULT_MEM_MIB, role = '*', attributes = {} } = node.spec;
      const used = master.tasks.on(agentId).map(({ launch }) => launch);
      return {
        agentId,
        hostname,
        role,
        cpus: cpus - used.reduce((sum, launch) => sum + launch.cpus, 0),
        mem: mem - used.reduce((sum, launch) => sum + launch.mem, 0),
        usedPorts: new Set(used.flatMap(({ ports }) => ports)),
        attributes,
        ...faultDomain(master, availabilityZone),
        unavailable: master.maintenance.windowOf(hostname) !== undefined,
      };
    });

/** Region and zone as an agent announces them. */
export const faultDomain = (
  master: Master,
  availabilityZone: string,
): { region: string | undefined; zone: string | undefined } =>
  master.release.faultDomains
    ? { region: `aws/${availabilityZone.replace(/[a-z]$/, '')}`, zone: `aws/${availabilityZone}` }
    : { region: undefined, zone: undefined };
