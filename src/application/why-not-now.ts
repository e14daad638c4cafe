import { type ApprovalPolicy, isApproved } from '../domain/approval.ts';
import { isRehearsal } from '../domain/ids.ts';
import type { Facts, Incident, Rung } from '../domain/incident.ts';
import type { Instance } from '../domain/machine.ts';
import { type Scope, whyNotOurs } from '../domain/scope.ts';
import type { Stopped } from './switches.ts';

export interface CommandDeps {
  readonly scope: Scope;
  readonly approvals: ApprovalPolicy;
}

/** S7: a termination deletes every volume whose flag reads true, by the read just made. */
const wouldDelete = (instance: Instance, facts: Facts): string | undefined =>
  facts.volumes.find((volume) =>
    instance.devices.some((d) => d.volumeId === volume.volumeId && d.deleteOnTermination),
  )?.volumeId;

/**
 * Policy asks about this verdict, and nobody has said yes to this start of the machine. A dry run has
 * asked nobody: its plan says that somebody would be.
 */
export const whyNotApproved = (
  { approvals }: Pick<CommandDeps, 'approvals'>,
  incident: Pick<Incident, 'approval' | 'id' | 'verdict'>,
  { instanceId, launchTime }: Instance,
): Stopped | undefined => {
  if (isRehearsal(incident.id) || isApproved(approvals, incident, launchTime)) return undefined;
  const says = `${instanceId} was started at ${launchTime}, and nobody has approved to fence that start`;
  return { reason: 'unknown-incarnation', says };
};

/** What forbids a command on the machine as it was just read; undefined: nothing. */
export const whyNotNow = (
  { approvals, scope }: CommandDeps,
  incident: Incident,
  instance: Instance,
  facts: Facts,
  method: Rung['method'],
): Stopped | undefined => {
  const { instanceId } = instance;
  const unapproved = whyNotApproved({ approvals }, incident, instance);
  if (unapproved !== undefined) return unapproved;
  const stranger = whyNotOurs(instance.tags, scope);
  if (stranger !== undefined) {
    return { reason: 'ambiguous-scope', says: `${instanceId} ${stranger}` };
  }
  if (method !== 'terminate' && method !== 'terminate-force') return undefined;
  const doomed = wouldDelete(instance, facts);
  return doomed === undefined
    ? undefined
    : {
        reason: 'terminate-would-delete-data',
        says: `terminating would delete ${doomed}: it reads DeleteOnTermination=true`,
      };
};
