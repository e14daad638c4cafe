import { methodOf, strengthOf } from '../domain/fence.ts';
import type { EpochMs, VolumeId } from '../domain/ids.ts';
import type { Fence, HoldReason, Incident, ProofRead } from '../domain/incident.ts';
import type { Instance } from '../domain/machine.ts';
import type { Policy } from '../domain/policy.ts';
import { releaseGroups } from '../domain/release.ts';
import type { ComputeReads } from '../ports/compute.ts';
import type { ClusterLedger } from '../ports/ledger.ts';
import { type LatecomerDeps, latecomersIn, lookAt, takeIn } from './latecomers.ts';
import type { Work } from './power.ts';
import { hold } from './step.ts';
import { switchedSince } from './switches.ts';

export interface AfterProofDeps extends LatecomerDeps {
  readonly ledger: LatecomerDeps['ledger'] & Pick<ClusterLedger, 'control'>;
  readonly compute: LatecomerDeps['compute'] & Pick<ComputeReads, 'volumesOf'>;
  readonly policy: Policy;
}

export type FenceDecision =
  | { readonly kind: 'fenced'; readonly groups: readonly (readonly VolumeId[])[] }
  | { readonly kind: 'waiting'; readonly waitSeconds: number }
  | { readonly kind: 'cancelled' }
  | { readonly kind: 'hold'; readonly reason: HoldReason };

interface Invocation {
  readonly incident: Incident;
  readonly startedAt: EpochMs;
}

/** Reads the machine, or answers the read that proved it down. */
type Look = () => Promise<Instance | undefined>;

/** All that is on the machine may go, what came onto it since it was assessed included. */
const fenced = async (
  deps: AfterProofDeps,
  work: Invocation,
  look: Look,
): Promise<FenceDecision> => {
  const { clock, ledger } = deps;
  const { incident } = work;
  const { facts } = incident;
  if (facts === undefined) throw new RangeError('FenceAgent before AssessAgent');
  const seen = await lookAt(deps.compute, incident, facts, await look());
  const isComplete = latecomersIn(facts, seen.volumes).length === 0;
  const known = isComplete
    ? facts
    : ((await switchedSince(deps, incident)) ?? (await takeIn(deps, incident, facts, seen)));
  return 'reason' in known
    ? hold(ledger, incident, known, clock.now())
    : { kind: 'fenced', groups: releaseGroups(known.volumes.map(({ volumeId }) => volumeId)) };
};

/** What follows from a proof; a weak one may have to wait or be held. */
export const afterProof = async (
  deps: AfterProofDeps,
  work: Invocation,
  fence: Fence,
  look: Look,
): Promise<FenceDecision> => {
  const { clock, ledger, policy } = deps;
  const { incident } = work;
  if (fence.strength !== 'weak' || fence.proof === undefined) return fenced(deps, work, look);
  if (policy.weakFence === 'hold' && !incident.acknowledged?.includes('weak-fence')) {
    const says =
      'It took Force to stop it, and EC2 documents rare writes after that. Check the host, then ' +
      'acknowledge, or set WeakFence=settle.';
    return hold(ledger, incident, { reason: 'weak-fence', says }, clock.now());
  }
  const leftMs = policy.weakFenceSettleMs - (clock.now() - fence.proof[1].at);
  return leftMs > 0
    ? { kind: 'waiting', waitSeconds: Math.ceil(leftMs / 1000) }
    : fenced(deps, work, look);
};

/** Writes the proof down, and says what follows from it. */
export const proven = async (
  deps: AfterProofDeps,
  work: Work,
  proof: readonly [ProofRead, ProofRead],
  look: Look,
): Promise<FenceDecision> => {
  const [{ launchTime }] = proof;
  const strength = strengthOf(work.fence, launchTime);
  const fence: Fence = { ...work.fence, proof, strength, method: methodOf(work.fence, launchTime) };
  const { id, token } = work.incident;
  work.incident = await deps.ledger.save(id, token, { fence }, deps.clock.now());
  return afterProof(deps, work, fence, look);
};
