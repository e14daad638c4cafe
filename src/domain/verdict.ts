import type { AgentId, EpochMs } from './ids.ts';
import type { HoldReason, Signal, Verdict, VerdictKind } from './incident.ts';
import type { Instance, InstanceState, StatusChecks } from './machine.ts';
import type { Policy } from './policy.ts';

/** EC2's word on the instance, in one read. */
export type Ec2Witness =
  | { readonly kind: 'seen'; readonly instance: Instance }
  | { readonly kind: 'unknown-instance' }
  | { readonly kind: 'unreadable'; readonly why: string };

/** EC2's status checks, in one read. */
export type ChecksWitness =
  | { readonly kind: 'seen'; readonly checks: StatusChecks }
  | { readonly kind: 'none' }
  | { readonly kind: 'unreadable'; readonly why: string };

/** The orchestrator's view of the agent on this instance. */
export type MesosWitness =
  /** It answers, or the master has nothing against it and nobody asked further. */
  | { readonly kind: 'working'; readonly agentId: AgentId; readonly how: string }
  /** The master lists it inactive, or only from its registry. */
  | { readonly kind: 'inactive'; readonly agentId: AgentId }
  /** The leading master does not list any agent on this host. */
  | { readonly kind: 'not-listed' }
  /** It is listed, does not answer, and at least two others do answer the same probe. */
  | { readonly kind: 'silent'; readonly agentId: AgentId; readonly probes: number }
  /** It does not answer, but neither do enough others: the probe proves nothing. */
  | { readonly kind: 'unclear'; readonly agentId: AgentId; readonly answering: number }
  | { readonly kind: 'masters-unreachable'; readonly why: string };

/** Mesos as a whole: what it has lost that EC2 runs and finds well says something about the masters. */
export type MastersWitness =
  /** `missing` is never too low, and exact where it is too many. */
  | { readonly kind: 'counted'; readonly known: number; readonly missing: number }
  /** More are missing than may be, and whether they are well could not be read. */
  | { readonly kind: 'uncounted'; readonly known: number; readonly why: string };

export interface Evidence {
  readonly at: EpochMs;
  readonly ec2: Ec2Witness;
  readonly checks: ChecksWitness;
  readonly mesos: MesosWitness;
  /** Absent where nothing depends on it: the agent works, or nobody has counted. */
  readonly masters?: MastersWitness;
}

const downStates: readonly InstanceState[] = ['stopping', 'stopped', 'shutting-down', 'terminated'];

/** Down, or on the way there: nothing healthy can be hurt any more. */
export const isDown = (state: InstanceState): boolean => downStates.includes(state);

/** For people: what Mesos says. */
export const sayMesos = (mesos: MesosWitness): string => {
  switch (mesos.kind) {
    case 'working':
      return `Mesos sees agent ${mesos.agentId} working: ${mesos.how}`;
    case 'inactive':
      return `the Mesos master lists agent ${mesos.agentId} as inactive`;
    case 'not-listed':
      return 'the Mesos master lists no agent on this host';
    case 'silent':
      return `agent ${mesos.agentId} did not answer ${mesos.probes} probes that others answered`;
    case 'unclear':
      return `agent ${mesos.agentId} did not answer, but only ${mesos.answering} other agents did`;
    case 'masters-unreachable':
      return `the Mesos masters cannot be asked: ${mesos.why}`;
  }
};

/** The checks that EC2 says have failed, by name. */
export const failedChecks = (checks: StatusChecks): readonly string[] =>
  (['system', 'instance', 'attachedEbs'] as const).filter((name) => checks[name] === 'impaired');

const sayChecks = (checks: StatusChecks, sinceMs: number | undefined): string => {
  const failing = failedChecks(checks);
  const since = sinceMs === undefined ? '' : ` for ${Math.round(sinceMs / 1000)} s`;
  return failing.length > 0
    ? `EC2 calls it impaired${since} (status check: ${failing.join(', ')})`
    : `EC2 status checks: system ${checks.system}, instance ${checks.instance}`;
};

/** EC2 says that it does not work. */
export const isImpaired = (checks: StatusChecks): boolean => failedChecks(checks).length > 0;

const isOk = (checks: StatusChecks): boolean =>
  checks.system === 'ok' && checks.instance === 'ok' && checks.attachedEbs !== 'impaired';

/** The master has lost the agent, or it is silent while others answer. */
export const isLost = ({ kind }: MesosWitness): boolean =>
  kind === 'inactive' || kind === 'not-listed' || kind === 'silent';

/** The limits on how many may be missing, absolute and per cent; of few agents one always may. */
export const missingMax = (
  known: number,
  { blindLimit, blindLimitPercent }: Pick<Policy, 'blindLimit' | 'blindLimitPercent'>,
): number => Math.min(blindLimit, Math.max(1, Math.ceil((known * blindLimitPercent) / 100)));

/** What of the policy the verdict depends on. */
export type JudgePolicy = Pick<
  Policy,
  'impairedGraceMs' | 'partitionedGraceMs' | 'blindLimit' | 'blindLimitPercent'
>;

/** A running machine's evidence as the rules look at it. */
interface Look extends Evidence {
  readonly policy: JudgePolicy;
  /** EC2 calls it impaired for so long; 0 where it does not say since when. */
  readonly impairedMs: number;
  /** Mesos has lost it for so long, as far as this incident has seen. */
  readonly lostMs: number;
}

const sayEc2 = ({ at, checks }: Look): string => {
  if (checks.kind === 'none') return 'no status checks: EC2 reports none';
  if (checks.kind === 'unreadable') return `no status checks: ${checks.why}`;
  const since = checks.checks.impairedSince;
  return sayChecks(checks.checks, since === undefined ? undefined : at - since);
};

const sayMasters = ({ masters }: Look): string => {
  if (masters === undefined) return 'nobody has counted what else Mesos has lost';
  if (masters.kind === 'uncounted') {
    return `Mesos has lost many of ${masters.known} agents, and EC2 cannot be asked: ${masters.why}`;
  }
  const { known, missing } = masters;
  return `Mesos has lost ${missing} of ${known} agents that EC2 runs and does not call impaired`;
};

const sayGrace = (ms: number): string => `the grace of ${ms / 1000} s is not over`;

const isTooMany = ({ masters, policy }: Look): boolean =>
  masters?.kind === 'uncounted' ||
  (masters?.kind === 'counted' && masters.missing > missingMax(masters.known, policy));

const calledImpaired = ({ checks }: Look): boolean =>
  checks.kind === 'seen' && isImpaired(checks.checks);
const calledWell = ({ checks }: Look): boolean => checks.kind === 'seen' && isOk(checks.checks);
const impairedLeftMs = ({ impairedMs, policy }: Look): number =>
  policy.impairedGraceMs - impairedMs;
const lostLeftMs = ({ lostMs, policy }: Look): number => policy.partitionedGraceMs - lostMs;

/** One line of the table: when it fits, what it says. */
interface Rule {
  readonly name: string;
  readonly fits: (look: Look) => boolean;
  readonly kind: VerdictKind;
  readonly why: (look: Look) => readonly string[];
  readonly whyNot: (look: Look) => readonly string[];
  /** Suspect: how soon another look could change it. */
  readonly lookAgainMs?: (look: Look) => number;
}

const mesosSays = ({ mesos }: Look): string => sayMesos(mesos);
/** How soon another look at soft evidence could tell more. */
export const soonMs = 10_000;

/**
 * The table for a running machine, from top to bottom: the first rule that fits decides. What cannot
 * be seen comes first, so that nothing is concluded from half of the evidence. What is planned for a
 * machine (retirement, Spot, Auto Scaling) is no evidence of a failure and has no rule here.
 */
export const rules: readonly Rule[] = [
  {
    name: 'EC2 has no word on it',
    fits: ({ checks }) => checks.kind !== 'seen',
    kind: 'Blind',
    why: (look) => [sayEc2(look)],
    whyNot: (look) => [mesosSays(look)],
  },
  {
    name: 'Mesos has no word on it',
    fits: ({ mesos }) => mesos.kind === 'masters-unreachable' || mesos.kind === 'unclear',
    kind: 'Blind',
    why: (look) => [mesosSays(look)],
    whyNot: (look) => [sayEc2(look)],
  },
  {
    name: 'too many look dead at once',
    fits: (look) => isLost(look.mesos) && isTooMany(look),
    kind: 'Blind',
    why: (look) => [sayMasters(look)],
    whyNot: (look) => [sayEc2(look), mesosSays(look)],
  },
  {
    name: 'impaired, and the agent works',
    fits: (look) => calledImpaired(look) && look.mesos.kind === 'working',
    kind: 'Suspect',
    why: (look) => [sayEc2(look)],
    whyNot: (look) => [mesosSays(look)],
    lookAgainMs: () => soonMs,
  },
  {
    name: 'impaired and lost, not for long',
    fits: (look) => calledImpaired(look) && impairedLeftMs(look) > 0,
    kind: 'Suspect',
    why: (look) => [sayEc2(look), mesosSays(look)],
    whyNot: ({ policy }) => [sayGrace(policy.impairedGraceMs)],
    lookAgainMs: impairedLeftMs,
  },
  {
    name: 'impaired and lost',
    fits: calledImpaired,
    kind: 'Impaired',
    why: (look) => [sayEc2(look), mesosSays(look)],
    whyNot: () => [],
  },
  {
    name: 'well, and the agent works',
    fits: (look) => calledWell(look) && look.mesos.kind === 'working',
    kind: 'Recovered',
    why: (look) => [sayEc2(look), mesosSays(look)],
    whyNot: () => [],
  },
  {
    name: 'well and lost, long enough',
    fits: (look) => calledWell(look) && isLost(look.mesos) && lostLeftMs(look) <= 0,
    kind: 'Partitioned',
    why: (look) => [
      `${mesosSays(look)}, for ${Math.round(look.lostMs / 1000)} s`,
      sayMasters(look),
    ],
    whyNot: (look) => [sayEc2(look)],
  },
  {
    name: 'well and lost, not for long',
    fits: (look) => calledWell(look) && isLost(look.mesos),
    kind: 'Suspect',
    why: (look) => [mesosSays(look)],
    whyNot: (look) => [sayEc2(look), sayGrace(look.policy.partitionedGraceMs)],
    lookAgainMs: (look) => Math.min(soonMs, lostLeftMs(look)),
  },
  {
    name: 'EC2 is not sure',
    fits: () => true,
    kind: 'Suspect',
    why: (look) => [mesosSays(look)],
    whyNot: (look) => [sayEc2(look)],
    lookAgainMs: () => soonMs,
  },
];

/** The loss goes on from the look before, if that one saw it too. */
const lostSinceOf = (
  { at, mesos }: Evidence,
  before: Verdict | undefined,
): { readonly lostSince?: EpochMs } =>
  isLost(mesos) ? { lostSince: before?.lostSince ?? at } : {};

const judgeRunning = (
  evidence: Evidence,
  policy: JudgePolicy,
  before: Verdict | undefined,
): Verdict => {
  const { at, checks } = evidence;
  const lost = lostSinceOf(evidence, before);
  const impairedSince = checks.kind === 'seen' ? checks.checks.impairedSince : undefined;
  const look: Look = {
    ...evidence,
    policy,
    impairedMs: at - (impairedSince ?? at),
    lostMs: at - (lost.lostSince ?? at),
  };
  const rule = rules.find(({ fits }) => fits(look));
  if (rule === undefined) throw new RangeError('the last rule fits everything');
  const { kind, why, whyNot, lookAgainMs } = rule;
  const again = lookAgainMs === undefined ? {} : { lookAgainMs: lookAgainMs(look) };
  return { kind, at, why: why(look), whyNot: whyNot(look), ...again, ...lost };
};

/**
 * What a person asked for, in words, the newest; undefined: nobody did. Who asks for a planned move
 * does not order a machine down.
 */
export const orderIn = (signals: readonly Signal[]): string | undefined =>
  signals.findLast(({ notice, source }) => source === 'operator' && notice === undefined)?.says;

/** A person's word decides where the witnesses see too little, or a machine that is well. */
const withOrder = (verdict: Verdict, order: string | undefined): Verdict =>
  order !== undefined && ['Suspect', 'Recovered', 'Partitioned'].includes(verdict.kind)
    ? {
        kind: 'Ordered',
        at: verdict.at,
        why: [order],
        whyNot: [...verdict.why, ...verdict.whyNot],
        ...(verdict.lostSince === undefined ? {} : { lostSince: verdict.lostSince }),
      }
    : verdict;

/**
 * What the evidence amounts to. Pure: the same arguments always give the same verdict. Unreachable
 * is not dead and unknown is not dead: only EC2's own `stopping`, `stopped`, `shutting-down` or
 * `terminated` is Down, and only two independent witnesses make Impaired. An `order` by a person is
 * a witness of its own for a running machine, but nobody is ordered to act blind. `before` is the
 * verdict of the last look, which knows since when the agent is lost.
 */
export const judge = (
  evidence: Evidence,
  policy: JudgePolicy,
  order?: string,
  before?: Verdict,
): Verdict => {
  const { at, ec2, mesos } = evidence;
  if (ec2.kind === 'unreadable') {
    return {
      kind: 'Blind',
      at,
      why: [`EC2 cannot be read: ${ec2.why}`],
      whyNot: [sayMesos(mesos)],
    };
  }
  if (ec2.kind === 'unknown-instance') {
    const why = ['EC2 does not know this instance, which proves nothing about it'];
    return { kind: 'Blind', at, why, whyNot: [sayMesos(mesos)] };
  }
  const { instance } = ec2;
  if (isDown(instance.state)) {
    const reason = instance.stateReasonCode ? ` (${instance.stateReasonCode})` : '';
    return { kind: 'Down', at, why: [`EC2 says ${instance.state}${reason}`], whyNot: [] };
  }
  if (instance.state === 'pending') {
    const why = ['EC2 says pending: it is being started'];
    return { kind: 'Suspect', at, why, whyNot: [sayMesos(mesos)], lookAgainMs: 10_000 };
  }
  return withOrder(judgeRunning(evidence, policy, before), order);
};

/** May a machine be fenced that EC2 finds well? Only by policy, or once a person has said so. */
export const mayFencePartitioned = (
  { partitionedAgent }: Pick<Policy, 'partitionedAgent'>,
  acknowledged: readonly HoldReason[] = [],
): boolean => partitionedAgent === 'fence' || acknowledged.includes('partitioned');

/** Is it announced by AWS for a machine that works? */
export const isAnnounced = ({ kind }: Pick<Verdict, 'kind'>): boolean =>
  kind === 'Retiring' || kind === 'Interrupted' || kind === 'Leaving';

/**
 * It may be fenced: it is down, two witnesses agree, a person wants it, it was fenced before, AWS is
 * about to take it down anyway, or Mesos alone has lost it and `partitioned` says that this is enough.
 * Assessment and fence ask the same.
 */
export const mayFence = (verdict: Verdict, partitioned = false): boolean => {
  const { at, fenceFrom, kind } = verdict;
  const isDue = fenceFrom !== undefined && at >= fenceFrom;
  return (
    ['Down', 'Impaired', 'Ordered', 'Returned'].includes(kind) ||
    (kind === 'Partitioned' && partitioned) ||
    (isAnnounced(verdict) && isDue)
  );
};

/** Why a verdict is held, for people: the evidence, and what a person can do about it. */
export const sayHeld = ({ kind, why, whyNot }: Verdict): string =>
  kind === 'Partitioned'
    ? `${why.join('; ')}; but ${whyNot.join('; ')}. The machine may be writing: acknowledge to fence it.`
    : why.join('; ');
