import type { AgentId, EpochMs } from './ids.ts';
import type { Signal, Verdict } from './incident.ts';
import type { Instance, InstanceState, StatusChecks } from './machine.ts';
import { limits, type Policy } from './policy.ts';

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

export interface Evidence {
  readonly at: EpochMs;
  readonly ec2: Ec2Witness;
  readonly checks: ChecksWitness;
  readonly mesos: MesosWitness;
}

const downStates: readonly InstanceState[] = ['stopping', 'stopped', 'shutting-down', 'terminated'];

/** Down, or on the way there: nothing healthy can be hurt any more. */
export const isDown = (state: InstanceState): boolean => downStates.includes(state);

const sayMesos = (mesos: MesosWitness): string => {
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

const sayChecks = (checks: StatusChecks, sinceMs: number | undefined): string => {
  const failing = (['system', 'instance', 'attachedEbs'] as const).filter(
    (name) => checks[name] === 'impaired',
  );
  const since = sinceMs === undefined ? '' : ` for ${Math.round(sinceMs / 1000)} s`;
  return failing.length > 0
    ? `EC2 calls it impaired${since} (status check: ${failing.join(', ')})`
    : `EC2 status checks: system ${checks.system}, instance ${checks.instance}`;
};

/** EC2 says that it does not work. */
export const isImpaired = (checks: StatusChecks): boolean =>
  [checks.system, checks.instance, checks.attachedEbs].includes('impaired');

const isOk = (checks: StatusChecks): boolean =>
  checks.system === 'ok' && checks.instance === 'ok' && checks.attachedEbs !== 'impaired';

type Grace = Pick<Policy, 'impairedGraceMs'>;

const judgeRunning = (evidence: Evidence, policy: Grace): Verdict => {
  const { at, checks, mesos } = evidence;
  const says = sayMesos(mesos);
  if (checks.kind !== 'seen') {
    const why = checks.kind === 'none' ? 'EC2 reports none' : checks.why;
    return { kind: 'Blind', at, why: [`no status checks: ${why}`], whyNot: [says] };
  }
  const sinceMs =
    checks.checks.impairedSince === undefined ? undefined : at - checks.checks.impairedSince;
  const sayEc2 = sayChecks(checks.checks, sinceMs);
  if (mesos.kind === 'masters-unreachable' || mesos.kind === 'unclear') {
    return { kind: 'Blind', at, why: [says], whyNot: [sayEc2] };
  }
  if (!isImpaired(checks.checks)) {
    const recovered = mesos.kind === 'working' && isOk(checks.checks);
    return recovered
      ? { kind: 'Recovered', at, why: [sayEc2, says], whyNot: [] }
      : { kind: 'Suspect', at, why: [says], whyNot: [sayEc2], lookAgainMs: 10_000 };
  }
  if (mesos.kind === 'working') {
    return { kind: 'Suspect', at, why: [sayEc2], whyNot: [says], lookAgainMs: 10_000 };
  }
  const graceLeftMs = policy.impairedGraceMs - (sinceMs ?? 0);
  if (graceLeftMs > 0) {
    const whyNot = [`the grace of ${policy.impairedGraceMs / 1000} s is not over`];
    return { kind: 'Suspect', at, why: [sayEc2, says], whyNot, lookAgainMs: graceLeftMs };
  }
  return { kind: 'Impaired', at, why: [sayEc2, says], whyNot: [] };
};

/**
 * What a person asked for, in words, the newest; undefined: nobody did. Who asks for a planned move
 * does not order a machine down.
 */
export const orderIn = (signals: readonly Signal[]): string | undefined =>
  signals.findLast(({ notice, source }) => source === 'operator' && notice === undefined)?.says;

/** A person's word decides where the witnesses see too little, or a machine that is well. */
const withOrder = (verdict: Verdict, order: string | undefined): Verdict =>
  order !== undefined && (verdict.kind === 'Suspect' || verdict.kind === 'Recovered')
    ? {
        kind: 'Ordered',
        at: verdict.at,
        why: [order],
        whyNot: [...verdict.why, ...verdict.whyNot],
      }
    : verdict;

/**
 * What the evidence amounts to. Pure: the same arguments always give the same verdict. Unreachable
 * is not dead and unknown is not dead: only EC2's own `stopping`, `stopped`, `shutting-down` or
 * `terminated` is Down, and only two independent witnesses make Impaired. An `order` by a person is
 * a witness of its own for a running machine, but nobody is ordered to act blind.
 */
export const judge = (evidence: Evidence, policy: Grace, order?: string): Verdict => {
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
  return withOrder(judgeRunning(evidence, policy), order);
};

/** Is it announced by AWS for a machine that works? */
export const isAnnounced = ({ kind }: Verdict): boolean =>
  kind === 'Retiring' || kind === 'Interrupted' || kind === 'Leaving';

/**
 * It may be fenced: it is down, two witnesses agree, a person wants it, or AWS is about to take it
 * down anyway.
 */
export const mayFence = (verdict: Verdict): boolean => {
  const { at, fenceFrom, kind } = verdict;
  const isDue = fenceFrom !== undefined && at >= fenceFrom;
  return (
    kind === 'Down' || kind === 'Impaired' || kind === 'Ordered' || (isAnnounced(verdict) && isDue)
  );
};

export type AssessAction =
  | { readonly kind: 'act' }
  | { readonly kind: 'watch'; readonly waitMs: number }
  | { readonly kind: 'cancel' }
  | { readonly kind: 'hold' }
  /** It works until AWS takes it down: a planned move, no failure. */
  | { readonly kind: 'plan' };

/**
 * What a verdict leads to before anything was done to the agent. Soft evidence is watched for a
 * bounded time and then let go: the next signal opens a new incident.
 */
export const actOn = (verdict: Verdict, openForMs: number): AssessAction => {
  switch (verdict.kind) {
    case 'Down':
    case 'Impaired':
    case 'Ordered':
      return { kind: 'act' };
    case 'Recovered':
      return { kind: 'cancel' };
    case 'Blind':
      return { kind: 'hold' };
    case 'Retiring':
    case 'Interrupted':
    case 'Leaving':
      return mayFence(verdict) ? { kind: 'act' } : { kind: 'plan' };
    case 'Suspect':
      return openForMs >= limits.watchMs
        ? { kind: 'cancel' }
        : { kind: 'watch', waitMs: Math.min(verdict.lookAgainMs ?? 10_000, 60_000) };
  }
};
