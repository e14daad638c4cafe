import { modeOf } from '../domain/announced.ts';
import { whyFlapping } from '../domain/flap.ts';
import type { Facts, HoldReason, Incident } from '../domain/incident.ts';
import type { Instance } from '../domain/machine.ts';
import type { Policy } from '../domain/policy.ts';
import { type Scope, type ScopedVolumes, whyNotMovable, whyNotOurs } from '../domain/scope.ts';
import { isForced, whyNotThese, wishIn } from '../domain/wish.ts';
import type { Clock } from '../ports/system.ts';
import type { Picture } from './picture.ts';

/** A reason not to act although the verdict says so, for people. */
interface Objection {
  readonly reason: HoldReason;
  readonly says: string;
}

/** Reasons not to act although the verdict says so; a person can wave some of them through. */
export const guards = (
  incident: Pick<Incident, 'acknowledged' | 'mode' | 'signals'>,
  instance: Instance,
  facts: Pick<Facts, 'apps'>,
  scoped: ScopedVolumes,
  { lost }: Pick<Picture, 'lost'>,
  deps: { readonly scope: Scope },
): readonly Objection[] => {
  const found: Objection[] = [];
  const acknowledged = incident.acknowledged ?? [];
  const stranger = whyNotOurs(instance.tags, deps.scope);
  if (stranger !== undefined && instance.state !== 'terminated') {
    found.push({ reason: 'ambiguous-scope', says: `${instance.instanceId} ${stranger}` });
  }
  const unmovable = whyNotMovable(scoped);
  if (unmovable !== undefined) found.push(unmovable);
  const { volumes } = wishIn(incident.signals);
  const others = volumes && whyNotThese(volumes, scoped.inScope, modeOf(incident));
  if (others !== undefined) found.push({ reason: 'ambiguous-scope', says: others });
  if (lost.length > 0) {
    const names = lost.map(({ volumeId, name }) => `${volumeId} (${name})`).join(', ');
    found.push({ reason: 'volume-lost', says: `${names}: gone; restore the latest snapshot` });
  }
  const local = facts.apps.filter((app) => app.hasLocalVolumes);
  if (local.length > 0 && !acknowledged.includes('local-persistent-volumes')) {
    const says =
      `${local.map((app) => app.id).join(', ')} keep local persistent volumes on this agent, which ` +
      'marking it gone destroys. Acknowledge to go on.';
    found.push({ reason: 'local-persistent-volumes', says });
  }
  return found;
};

/** The first of them. */
export const guard = (...of: Parameters<typeof guards>): Objection | undefined => guards(...of)[0];

/** A second failover of the same agent or app within the block period, and nobody has said yes. */
export const flaps = (
  { clock, policy }: { readonly clock: Clock; readonly policy: Pick<Policy, 'blockPeriodMs'> },
  incident: Incident,
  { past }: Picture,
): Objection | undefined => {
  if (incident.acknowledged?.includes('flapping') || isForced(incident.signals)) return undefined;
  const { earlier, records } = past;
  const { blockPeriodMs } = policy;
  const says = whyFlapping({ now: clock.now(), blockPeriodMs, incident, earlier, records });
  return says === undefined ? undefined : { reason: 'flapping', says };
};
