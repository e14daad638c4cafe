import { type InstanceId, instanceOf } from '../domain/ids.ts';
import type { Instance, Volume } from '../domain/machine.ts';
import {
  compareVolume,
  dueVolumes,
  duplicateNames,
  type Oddity,
  stuckTasks,
} from '../domain/oddities.ts';
import type { Scope } from '../domain/scope.ts';
import type { App, MesosAgent, Task } from '../domain/service.ts';
import type { DriftLedger, IncidentLedger, OwnershipLedger } from '../ports/ledger.ts';
import type { Clock, Log, Metrics } from '../ports/system.ts';

export interface OdditiesDeps {
  readonly ledger: Pick<IncidentLedger, 'openIncidents'> &
    Pick<OwnershipLedger, 'ownership'> &
    DriftLedger;
  readonly scope: Scope;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** What one sweep saw, without the hosts in quarantine. */
export interface OddityView {
  readonly instances: readonly Instance[];
  readonly volumes: readonly Volume[];
  readonly agents: readonly MesosAgent[];
  readonly apps: readonly App[];
  readonly tasks: readonly Task[];
}

/** Running machines of the cluster whose agent Mesos gives work to. */
const healthyIn = ({ agents, instances }: OddityView): ReadonlySet<InstanceId> => {
  const working = new Set(
    agents
      .filter((agent) => agent.active && !agent.deactivated && !agent.recovered)
      .map((agent) => agent.hostname),
  );
  return new Set(
    instances
      .filter(({ privateIp, state }) => state === 'running' && working.has(privateIp ?? ''))
      .map(({ instanceId }) => instanceId),
  );
};

/** The record follows what DC/OS has done by itself, if it is still as it was read. */
const compareAll = async (deps: OdditiesDeps, view: OddityView): Promise<Oddity[]> => {
  const { clock, ledger, log, metrics, scope } = deps;
  const open = await ledger.openIncidents(scope.cluster);
  const failing = new Set(open.map(instanceOf));
  const healthy = healthyIn(view);
  const found = await Promise.all(
    dueVolumes(view.volumes, scope.cluster, clock.now()).map(async (volume) => {
      const record = await ledger.ownership(volume.volumeId);
      if (record === undefined) return [];
      const isOpen = record.incidentId !== undefined && open.includes(record.incidentId);
      const finding = compareVolume({ volume, record, healthy, failing, isOpen });
      if (finding.kind === 'odd') return [finding.oddity];
      if (finding.kind === 'fine') return [];
      const { owner, volumeId } = finding;
      if ((await ledger.follow(record, owner, clock.now())) === 'saved') {
        log.info('ownership follows', { volumeId, owner });
        metrics.count('OwnershipFollowed');
      }
      return [];
    }),
  );
  return found.flat();
};

/**
 * What is odd in what this sweep saw anyway, in sentences: each is logged and counted under its own
 * name, so that an alarm lasts as long as its cause. Nothing is changed but a record that lags behind
 * what DC/OS has done.
 */
export const reportOddities = async (deps: OdditiesDeps, view: OddityView): Promise<string[]> => {
  const { clock, log, metrics, scope } = deps;
  const { agents, apps, instances, tasks, volumes } = view;
  const oddities = [
    ...stuckTasks(tasks, agents, apps, clock.now()),
    ...duplicateNames(volumes, instances, apps, scope.cluster),
    ...(await compareAll(deps, view)),
  ];
  for (const { kind, says } of oddities) {
    log.warn('not as it should be', { kind, says });
    metrics.count(kind);
  }
  return oddities.map(({ says }) => says);
};
