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

/** `stopped` by cutting power is strong; after Force EC2 documents rare late writes. */
export const strengthOf = (fence: Fence, launchTime: LaunchTime): FenceStrength =>
  rungsOn(fence, launchTime).some((rung) => forced.includes(rung.method)) ? 'weak' : 'strong';

/** Reads count as proof only if issued after this. */
export const proofFloor = (fence: Fence, launchTime: LaunchTime): EpochMs =>
  Math.max(
    fence.since,
    ...rungsOn(fence, launchTime).map((rung) => rung.acceptedAt ?? rung.requestedAt),
  ) as EpochMs;

const was = (fence: Fence, launchTime: LaunchTime, code: string): boolean =>
  fence.rungs.some((rung) => rung.launchTime === launchTime && rung.refused === code);

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
  if (view.policy.fenceTerminate === 'never') {
    return {
      kind: 'hold',
      reason: 'cannot-be-stopped',
      says: 'EC2 cannot stop this kind of instance and FenceTerminate=never. Terminate it by hand.',
    };
  }
  const terminated = used(view, 'terminate');
  return terminated === undefined
    ? command(view, 'terminate')
    : stuck(view, view.now - terminated.requestedAt);
};

const nextStop = (view: FenceView): FenceStep => {
  const { fence, instance, now } = view;
  const { launchTime } = instance;
  if (was(fence, launchTime, 'protected')) {
    return {
      kind: 'hold',
      reason: 'protected-from-stop',
      says: 'Stop protection is on for this instance. Remove it, or stop the instance by hand.',
    };
  }
  if (was(fence, launchTime, 'stop-unsupported')) return withoutStop(view);
  const last = rungsOn(fence, launchTime).at(-1);
  // Written down but not known to have been made, and the instance runs: make it good. A repeat of
  // the same command is harmless if the first one was accepted after all.
  const unknown = last !== undefined && last.acceptedAt === undefined;
  if (unknown && instance.state !== 'stopping') return command(view, last.method);
  const skip = used(view, 'skip');
  if (skip === undefined) return command(view, 'skip');
  const force = used(view, 'force');
  if (skip.refused === 'skip-unsupported') {
    return force === undefined ? command(view, 'force') : stuck(view, now - force.requestedAt);
  }
  const waitedMs = now - skip.requestedAt;
  const strongest = used(view, 'force-skip');
  if (strongest !== undefined) return stuck(view, now - skip.requestedAt);
  return waitedMs >= limits.skipStopBudgetMs ? command(view, 'force-skip') : { kind: 'look' };
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
    first.launchTime === second.launchTime && second.at >= first.at && after(first) && after(second)
  );
};

/** The command that brought the incarnation down, as far as we know: the last one not refused. */
export const methodOf = (fence: Fence, launchTime: LaunchTime): FenceMethod =>
  rungsOn(fence, launchTime).at(-1)?.method ?? 'none';
