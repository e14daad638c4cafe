import type { EpochMs, LaunchTime } from './ids.ts';
import type { Approval, Facts, Incident, Verdict, VerdictKind } from './incident.ts';

/** Verdicts that a person may be asked about before anything is done. */
export const approvableVerdicts = [
  'Down',
  'Impaired',
  'Partitioned',
  'Ordered',
  'Returned',
] as const satisfies readonly VerdictKind[];

export interface ApprovalPolicy {
  /** None: nobody is asked. */
  readonly verdicts: readonly VerdictKind[];
  /** A person has so long; after that it is held until one answers. */
  readonly waitMs: number;
}

/**
 * What a person says yes to: this start of the machine, these volumes, these apps. Equal plans are
 * equal texts.
 */
const planText = ({ apps, launchTime, volumes }: Facts): string =>
  [
    launchTime,
    ...volumes.map(({ volumeId }) => volumeId).toSorted(),
    ...apps.map(({ id }) => id).toSorted(),
  ].join(' ');

/** The next one's id: it is only ever about this incident. */
const nextId = ({ approval }: Pick<Incident, 'approval'>): string =>
  `a${Number(approval?.id.slice(1) ?? 0) + 1}`;

export type ApprovalStep =
  /** Nobody is asked, or a person has said yes to exactly this. */
  | { readonly kind: 'go' }
  /** This is to be asked now, and answered within `waitMs`. */
  | { readonly kind: 'ask'; readonly approval: Approval; readonly waitMs: number }
  /** It has been asked, and there is time left. */
  | { readonly kind: 'wait'; readonly approval: Approval; readonly waitMs: number }
  /** Nobody has answered, or somebody has said no: nothing is done. */
  | { readonly kind: 'stop'; readonly says: string };

/** The yes, if one is needed, is to this very start of the machine. */
export const isApproved = (
  { verdicts }: ApprovalPolicy,
  { approval, verdict }: Pick<Incident, 'approval' | 'verdict'>,
  launchTime: LaunchTime,
): boolean =>
  verdict === undefined ||
  !verdicts.includes(verdict.kind) ||
  (approval?.status === 'approved' && approval.launchTime === launchTime);

/** What is to be done, in one sentence. */
const sayWish = ({ facts, verdict }: Pick<Incident, 'facts' | 'verdict'>): string => {
  const volumes = facts?.volumes.map(({ name }) => name).join(', ') ?? '';
  const why = verdict?.why.join('; ') ?? 'no evidence';
  return `fence it and move ${volumes || 'nothing'} (${verdict?.kind ?? 'not assessed'}: ${why})`;
};

/**
 * Must a person be asked, and what has been answered? A changed plan or another start of the machine
 * voids whatever was said before. Silence is no yes. Pure.
 */
export const approvalStep = (
  policy: ApprovalPolicy,
  incident: Pick<Incident, 'approval'>,
  verdict: Verdict,
  facts: Facts,
  now: EpochMs,
): ApprovalStep => {
  if (!policy.verdicts.includes(verdict.kind)) return { kind: 'go' };
  const plan = planText(facts);
  const { approval } = incident;
  if (approval === undefined || approval.plan !== plan || approval.status === 'withdrawn') {
    const until = (now + policy.waitMs) as EpochMs;
    const { launchTime } = facts;
    const fresh = { id: nextId(incident), status: 'pending', plan, launchTime } as const;
    const asked = { ...fresh, askedAt: now, until, says: sayWish({ facts, verdict }) };
    return { kind: 'ask', approval: asked, waitMs: policy.waitMs };
  }
  const { by = 'somebody', id, reason = 'no reason', status, until } = approval;
  if (status === 'approved') return { kind: 'go' };
  if (status === 'denied') {
    return {
      kind: 'stop',
      says: `${by} has denied ${id}: ${reason}. Nothing is done; resume it to be asked again.`,
    };
  }
  return now < until
    ? { kind: 'wait', approval, waitMs: until - now }
    : {
        kind: 'stop',
        says: `nobody has answered ${id} in time: nothing is done. Approve it to go on.`,
      };
};
