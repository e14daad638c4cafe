import type { EpochMs, LaunchTime } from './ids.ts';
import type { Fence, FenceMethod, FenceStrength, HoldReason, ProofRead, Rung } from './incident.ts';
import type { Instance } from './machine.ts';
import { limits, type Policy } from './policy.ts';

export type FenceStep =
  /** One rung: exactly this command, on exactly this incarnation. */
  | { readonly kind: 'command'; readonly method: Rung['method']; readonly launchTime: LaunchTime }
  /** Nothing to do but look again. */
  | { readonly kind: 'look' }
  /** Power is off according to this read; another one must agree. */
  | { readonly kind: 'down'; readonly read: ProofRead }
  | { readonly kind: 'hold'; readonly reason: HoldReason; readonly says: string };

export interface FenceView {
  readonly now: EpochMs;
  /** When the read of `instance` was issued. */
  readonly readAt: EpochMs;
  readonly instance: Instance;
  readonly fence: Fence;
  readonly policy: Policy;
}

const forced: readonly FenceMethod[] = ['force', 'force-skip', 'terminate-force'];

/** Rungs that EC2 may have accepted, on one incarnation. A lost answer counts as accepted. */
export const rungsOn = (fence: Fence, launchTime: LaunchTime): readonly Rung[] =>
  fence.rungs.filter((rung) => rung.launchTime === launchTime && rung.refused === undefined);

/** EC2 accepted a command of this incident: the point of no return. */
export const isCommitted = (fence: Fence | undefined): boolean =>
  fence?.rungs.some((rung) => rung.acceptedAt !== undefined) ?? false;

/** A command whose answer was lost may show only after a while: until then nothing is cancelled. */
export const mayBeUnderWay = (fence: Fence | undefined, now: EpochMs): boolean =>
  fence?.rungs.some(
    (rung) => rung.refused === undefined && now - rung.requestedAt < limits.foreignStopBudgetMs,
  ) ?? false;

/** `stopped` by cutting power is strong; after Force EC2 documents rare late writes. */
export const strengthOf = (fence: Fence, launchTime: LaunchTime): FenceStrength =>
  rungsOn(fence, launchTime).some((rung) => forced.includes(rung.method)) ? 'weak' : 'strong';

/** Reads count as proof only if issued after this. */
export const proofFloor = (fence: Fence, launchTime: LaunchTime): EpochMs =>
  Math.max(
    fence.since,
    ...rungsOn(fence, launchTime).map((rung) => rung.acceptedAt ?? rung.requestedAt),
  ) as EpochMs;

/** A later incarnation was seen: a read of this one is older than it looks. */
const isOutdated = (fence: Fence, launchTime: LaunchTime): boolean =>
  fence.voided.includes(launchTime) || fence.rungs.some((rung) => rung.launchTime > launchTime);

const used = (view: FenceView, method: Rung['method']): Rung | undefined =>
  view.fence.rungs.find(
    (rung) => rung.method === method && rung.launchTime === view.instance.launchTime,
  );

const stuck = (view: FenceView, sinceMs: number): FenceStep =>
  sinceMs >= limits.fenceStuckMs
    ? {
        kind: 'hold',
        reason: 'fence-stuck',
        says:
          `EC2 has said ${view.instance.state} for ${Math.round(sinceMs / 60_000)} minutes and ` +
          'every rung was used. No volume is touched. Open a support case, or terminate it by hand.',
      }
    : { kind: 'look' };

const command = (view: FenceView, method: Rung['method']): FenceStep => ({
  kind: 'command',
  method,
  launchTime: view.instance.launchTime,
});

/** What to do about an instance that cannot be stopped at all. */
const withoutStop = (view: FenceView): FenceStep => {
  const terminated = used(view, 'terminate');
  if (terminated === undefined) return command(view, 'terminate');
  const forced = used(view, 'terminate-force');
  return terminated.refused === 'skip-unsupported' && forced === undefined
    ? command(view, 'terminate-force')
    : stuck(view, view.now - (forced ?? terminated).requestedAt);
};

/**
 * The last rung again, where that is right: its answer was lost (a repeat is harmless if the first
 * one was accepted after all), or EC2 refused for a reason that passes. A refusal is no reason for
 * a harsher rung.
 */
const sameAgain = (view: FenceView, last: Rung): FenceStep | undefined => {
  const terminates = last.method === 'terminate' || last.method === 'terminate-force';
  if (terminates && view.policy.fenceTerminate === 'never') return undefined;
  const sinceMs = view.now - last.requestedAt;
  const again = command(view, last.method);
  if (last.refused === 'protected') {
    if (sinceMs >= limits.powerRepeatMs) return again;
    const what = terminates ? 'Termination' : 'Stop';
    return {
      kind: 'hold',
      reason: 'protected-from-stop',
      says: `${what} protection is on for this instance. Remove it, or take it down by hand.`,
    };
  }
  if (view.instance.state === 'stopping') return undefined;
  const isUnanswered = last.refused === undefined && last.acceptedAt === undefined;
  if (isUnanswered || last.refused === 'wrong-state' || last.refused === 'not-found') {
    // What was lost may only be late: sent at every look, they would all arrive in the end.
    return sinceMs >= limits.powerRetryMs ? again : stuck(view, view.now - view.fence.since);
  }
  return undefined;
};

const nextStop = (view: FenceView): FenceStep => {
  const { fence, instance, now, policy } = view;
  const rungs = fence.rungs.filter((rung) => rung.launchTime === instance.launchTime);
  const unstoppable = rungs.some((rung) => rung.refused === 'stop-unsupported');
  if (unstoppable && policy.fenceTerminate === 'never') {
    return {
      kind: 'hold',
      reason: 'cannot-be-stopped',
      says: 'EC2 cannot stop this kind of instance and FenceTerminate=never. Terminate it by hand.',
    };
  }
  const last = rungs.at(-1);
  const again = last && sameAgain(view, last);
  if (again !== undefined) return again;
  if (unstoppable || policy.fenceTerminate === 'at-once') return withoutStop(view);
  const skip = used(view, 'skip');
  if (skip === undefined) return command(view, 'skip');
  const force = used(view, 'force');
  if (skip.refused === 'skip-unsupported') {
    return force === undefined ? command(view, 'force') : stuck(view, now - force.requestedAt);
  }
  const waitedMs = now - skip.requestedAt;
  if (used(view, 'force-skip') !== undefined) return stuck(view, waitedMs);
  if (waitedMs < limits.skipStopBudgetMs) return { kind: 'look' };
  // Somebody else's stop may be all there is: what may never have arrived, or was refused while that
  // one was under way, is asked for again first.
  const isEarly = now - fence.since < 3 * limits.skipStopBudgetMs;
  return command(view, skip.acceptedAt === undefined && isEarly ? 'skip' : 'force-skip');
};

const whileShuttingDown = (view: FenceView): FenceStep => {
  const waitedMs = view.now - view.fence.since;
  if (waitedMs < limits.fenceStuckMs) return { kind: 'look' };
  const mayForce = view.policy.fenceTerminate !== 'never' && !used(view, 'terminate-force');
  return mayForce ? command(view, 'terminate-force') : stuck(view, waitedMs);
};

/**
 * The next step of the ladder for what one fresh read says. Each rung is used once per incarnation,
 * stops come before terminate (reversible, deletes nothing), and only EC2's own `stopped` or
 * `terminated`, read after the last command, counts as down. Pure.
 */
export const nextFenceStep = (view: FenceView): FenceStep => {
  const { fence, instance, now, readAt } = view;
  if (isOutdated(fence, instance.launchTime)) return { kind: 'look' };
  switch (instance.state) {
    case 'stopped':
    case 'terminated':
      return readAt > proofFloor(fence, instance.launchTime) ||
        (readAt === proofFloor(fence, instance.launchTime) &&
          rungsOn(fence, instance.launchTime).length === 0)
        ? {
            kind: 'down',
            read: { at: readAt, state: instance.state, launchTime: instance.launchTime },
          }
        : { kind: 'look' };
    case 'shutting-down':
      return whileShuttingDown(view);
    case 'stopping': {
      const ours = rungsOn(fence, instance.launchTime).length > 0;
      const waitedMs = now - fence.since;
      return ours || waitedMs >= limits.foreignStopBudgetMs ? nextStop(view) : { kind: 'look' };
    }
    case 'pending':
    case 'running':
      return nextStop(view);
  }
};

/** Two reads prove the fence if both say off, of the same incarnation, after the last command. */
export const isProof = (fence: Fence, first: ProofRead, second: ProofRead): boolean => {
  const floor = proofFloor(fence, first.launchTime);
  const commanded = rungsOn(fence, first.launchTime).length > 0;
  const after = (read: ProofRead): boolean => (commanded ? read.at > floor : read.at >= floor);
  return (
    first.launchTime === second.launchTime &&
    !isOutdated(fence, first.launchTime) &&
    second.at >= first.at &&
    after(first) &&
    after(second)
  );
};

/**
 * The fence without its proof, after a read that contradicts it. An incarnation is over for good
 * only if a later one was seen: the same one `running` again is a stale read, or a stale proof.
 */
export const withoutProof = (fence: Fence, seen: LaunchTime): Fence => {
  const { proof, strength: _strength, method: _method, ...rest } = fence;
  const proven = proof?.[0].launchTime;
  const isOver = proven !== undefined && seen > proven && !fence.voided.includes(proven);
  return isOver ? { ...rest, voided: [...fence.voided, proven] } : rest;
};

/** Is this what was proven down? */
export const isAsProven = (fence: Fence, instance: Instance): boolean =>
  (instance.state === 'stopped' || instance.state === 'terminated') &&
  instance.launchTime === fence.proof?.[0].launchTime;

/** The command that brought the incarnation down, as far as we know: the last one not refused. */
export const methodOf = (fence: Fence, launchTime: LaunchTime): FenceMethod =>
  rungsOn(fence, launchTime).at(-1)?.method ?? 'none';
