import type { Instance, Volume } from './machine.ts';
import type { Ownership } from './ownership.ts';
import { dataOn, type Quarantine } from './quarantine.ts';
import { type Scope, whyNotOurs } from './scope.ts';
import type { MesosAgent } from './service.ts';

export interface UnfenceView {
  readonly quarantine: Quarantine;
  readonly instance: Instance | undefined;
  /** What EC2 says is attached to it. */
  readonly volumes: readonly Volume[];
  /** All that the leading master lists. */
  readonly agents: readonly MesosAgent[];
  /** The ledger's word on each volume it had, in the order of `quarantine.volumes`. */
  readonly records: readonly (Ownership | undefined)[];
  readonly scope: Scope;
}

const whyNotMachine = ({ instance, quarantine, scope }: UnfenceView): string[] => {
  const { instanceId, launchTime } = quarantine;
  if (instance === undefined) return [`EC2 does not know ${instanceId}`];
  const { state } = instance;
  if (state !== 'running' && state !== 'stopped') {
    return [`${instanceId} is ${state}: wait until it is running or stopped`];
  }
  // Running since before its proof: a read that is behind, or a proof that was none.
  if (state === 'running' && instance.launchTime <= launchTime) {
    return [`EC2 shows ${instanceId} running since before it was fenced: ask again`];
  }
  const stranger = whyNotOurs(instance.tags, scope);
  return stranger === undefined ? [] : [`${instanceId} ${stranger}`];
};

const whyNotAgents = ({ agents, quarantine }: UnfenceView): string[] =>
  agents
    .filter(({ agentId }) => quarantine.agentIds.includes(agentId))
    .map(
      ({ agentId }) =>
        `Mesos lists its fenced agent ${agentId} again: wipe the agent's work directory on it, so ` +
        'that it registers under a new id',
    );

const whyNotVolume = (
  { quarantine: { instanceId, volumes } }: UnfenceView,
  record: Ownership | undefined,
  index: number,
): string[] => {
  const { volumeId, epoch } = volumes[index] ?? { volumeId: 'unknown', epoch: 0 };
  if (record === undefined) return [`the ledger knows nothing of ${volumeId}, which it had`];
  if (record.epoch < epoch) {
    return [
      `${volumeId} has epoch ${record.epoch} and was taken from it under ${epoch}: restored?`,
    ];
  }
  if (record.state !== 'owned' || record.owner === undefined) {
    return [`${volumeId} (${record.name}) is ${record.state}, and nobody owns it yet`];
  }
  return record.owner === instanceId
    ? [`${volumeId} (${record.name}) is on record as its own`]
    : [];
};

/**
 * Everything that speaks against letting a fenced host work again, in sentences; empty: nothing.
 * Pure.
 */
export const whyStillFenced = (view: UnfenceView): readonly string[] => {
  const { instance, records, scope, volumes } = view;
  const data = instance === undefined ? [] : dataOn(instance, volumes, scope.cluster);
  return [
    ...whyNotMachine(view),
    ...whyNotAgents(view),
    ...data.map(({ volumeId }) => `${volumeId} is attached to it`),
    ...view.quarantine.volumes.flatMap((_, index) => whyNotVolume(view, records[index], index)),
  ];
};
