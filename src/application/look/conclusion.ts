import { actOn } from '../../domain/act-on.ts';
import { isCommitted } from '../../domain/fence.ts';
import type { EpochMs } from '../../domain/ids.ts';
import type { HoldReason, Incident, Verdict } from '../../domain/incident.ts';
import { stageOf } from '../../domain/message.ts';
import { sayHeld } from '../../domain/verdict.ts';

/** What speaks against acting. */
export interface Objection {
  readonly reason: HoldReason;
  readonly says: string;
}

type Action = 'act' | 'watch' | 'cancel' | 'hold' | 'plan' | 'none';

/** What the conclusion is drawn from. */
interface Conclusion {
  readonly verdict: Verdict;
  readonly objections: readonly Objection[];
  readonly incident: Incident;
  readonly isOpen: boolean;
  readonly hasVolumes: boolean;
  readonly stranger: string | undefined;
  readonly partitioned: boolean;
  readonly now: EpochMs;
}

type Concluded = { readonly action: Action; readonly says: string };

/** What people say, whatever the evidence is. */
const switches: readonly HoldReason[] = ['operator-hold', 'paused', 'maintenance'];

const holdFor = ({ reason, says }: Objection): Concluded => ({
  action: 'hold',
  says: `held (${reason}): ${says}`,
});

/** What the verdict leads to where no operator's switch is in the way. */
const concludeFreely = (view: Conclusion): Concluded => {
  const { hasVolumes, incident, isOpen, objections, verdict } = view;
  const why = `${verdict.kind}: ${verdict.why.join('; ')}`;
  const decided = actOn(verdict, view.now - incident.openedAt, view.partitioned);
  switch (decided.kind) {
    case 'hold':
      return holdFor({ reason: decided.reason, says: sayHeld(verdict) });
    case 'act': {
      const [first] = objections;
      if (first !== undefined) return holdFor(first);
      return hasVolumes || verdict.kind === 'Returned'
        ? { action: 'act', says: `to be acted upon: ${why}` }
        : { action: 'cancel', says: `nothing of the cluster is on it to move: ${why}` };
    }
    case 'watch':
      return { action: 'watch', says: `to be looked at again: ${why}` };
    case 'cancel':
      return { action: isOpen ? 'cancel' : 'none', says: `nothing to do: ${why}` };
    case 'plan':
      return { action: 'plan', says: `to be emptied while it works: ${why}` };
  }
};

/** What it comes to, and that in one sentence. Pure. */
export const concludeOn = (view: Conclusion): Concluded => {
  const { incident, isOpen, objections, stranger } = view;
  if (!isOpen && stranger !== undefined) {
    return { action: 'none', says: `it is none of the cluster's agents: it ${stranger}` };
  }
  const isFenced = isCommitted(incident.fence) || incident.fence?.proof !== undefined;
  const free: Concluded =
    isOpen && isFenced
      ? {
          action: 'act',
          says: `its fence has begun, and there is no way back: ${stageOf(incident)}`,
        }
      : concludeFreely(view);
  const switched = objections.find(({ reason }) => switches.includes(reason));
  // A switch holds what is open, and what would be opened; it is no reason to open anything.
  return switched !== undefined && (isOpen || free.action !== 'none') ? holdFor(switched) : free;
};
