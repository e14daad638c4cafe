import type { EpochMs, VolumeId } from '../domain/ids.ts';
import type { AuditRecord, CallOutcome, Fence, Incident, ProofRead } from '../domain/incident.ts';
import type { Instance, Volume } from '../domain/machine.ts';
import type { Ownership } from '../domain/ownership.ts';
import { believed } from '../domain/pace.ts';
import type { Policy } from '../domain/policy.ts';
import type { ReleaseStep } from '../domain/release.ts';
import { clusterTagKey, isOfCluster, type Scope, whyNotOurs } from '../domain/scope.ts';
import type { ComputeReads, DetachAnswer, VolumeControl } from '../ports/compute.ts';
import type { ClusterLedger, IncidentLedger, OwnershipLedger } from '../ports/ledger.ts';
import type { Pace } from '../ports/pace.ts';
import type { Clock, Log } from '../ports/system.ts';
import { type CallResult, makeCalls, type PlannedCall } from './calls.ts';
import { type SwitchDeps, switchedSince } from './switches.ts';

export interface ReleaseVolumeDeps extends SwitchDeps {
  readonly ledger: Pick<
    IncidentLedger,
    'incident' | 'openIncidents' | 'save' | 'intend' | 'conclude' | 'audit'
  > &
    Pick<ClusterLedger, 'control'> &
    Pick<OwnershipLedger, 'ownership' | 'advance'>;
  readonly compute: Pick<ComputeReads, 'instance' | 'volumes'> & VolumeControl;
  readonly scope: Scope;
  readonly policy: Policy;
  readonly pace: Pace;
  readonly clock: Clock;
  readonly log: Log;
}

/** What became of a volume. */
export type End = 'released' | 'held' | 'lost';

/** What one invocation knows and remembers of one volume. */
export interface OneVolume {
  readonly volumeId: VolumeId;
  readonly claimed: Ownership & { readonly incidentId: Incident['id'] };
  readonly detaches: AuditRecord[];
  /** Its turn at EC2's bucket was drawn: the next detach may be made from then on. */
  turn?: EpochMs;
  /** What became of it; nothing is done for it any more. */
  end?: End;
  /** Repeating its call would not help: told when the others are done. */
  error?: unknown;
}

/** What one invocation knows and remembers. */
export interface Work {
  readonly incident: Incident;
  readonly fence: Fence;
  readonly proof: readonly [ProofRead, ProofRead];
  readonly startedAt: EpochMs;
  /** Open incidents, if many. */
  readonly crowd: number | undefined;
  readonly volumes: readonly OneVolume[];
  /** What became of the others earlier. */
  readonly before: readonly End[];
  /** The last read of the fenced instance. */
  instance: Instance | undefined;
}

/** A volume, and what the last read leads to. */
export interface Due<Step extends ReleaseStep = ReleaseStep> {
  readonly one: OneVolume;
  readonly volume: Volume | undefined;
  readonly step: Step;
}

type DetachStep = Extract<ReleaseStep, { readonly kind: 'detach' }>;
export const isDetach = (due: Due): due is Due<DetachStep> => due.step.kind === 'detach';

export const isPending = ({ end, error }: OneVolume): boolean =>
  end === undefined && error === undefined;

const detachCall = (
  { compute }: ReleaseVolumeDeps,
  { instanceId }: Incident,
  { one: { volumeId, claimed }, step: { force } }: Due<DetachStep>,
): PlannedCall<DetachAnswer> => ({
  intent: {
    call: 'DetachVolume',
    target: volumeId,
    parameters: { instanceId, force },
    epoch: claimed.epoch,
  },
  make: () => compute.detach(volumeId, instanceId, { force }),
  outcome: (answer) =>
    answer.kind === 'accepted' ? answer.receipt : { refused: `${answer.kind} (${answer.code})` },
});

/** Only these repeat to no end; after any other failure the next looks tell what became of it. */
const hopelessNames = ['NotAuthorizedError', 'CloudRefusedError'];

const isHopeless = (error: unknown): boolean =>
  error instanceof Error && hopelessNames.includes(error.name);

const outcomeOf = (result: CallResult<DetachAnswer>, at: EpochMs): CallOutcome => {
  if (result.kind === 'answered') {
    const { answer } = result;
    return answer.kind === 'accepted'
      ? { kind: 'accepted', at }
      : { kind: 'refused', at, error: answer.code };
  }
  const name = result.error instanceof Error ? result.error.name : 'unknown';
  // Throttled: certainly not done, and asked again only after a while.
  return { kind: name === 'CloudThrottledError' ? 'refused' : 'unknown', at, error: name };
};

/** The detaches, under the token and with the fenced instance named; the answers are only hints. */
const detach = async (
  deps: ReleaseVolumeDeps,
  work: Work,
  due: readonly Due<DetachStep>[],
): Promise<void> => {
  const { clock } = deps;
  const { incident } = work;
  const calls = due.map((each) => detachCall(deps, incident, each));
  const results = await makeCalls<DetachAnswer>(deps, incident, 'ReleaseVolume', calls);
  for (const [index, { one }] of due.entries()) {
    const [call, result] = [calls[index], results[index]];
    if (call === undefined || result === undefined) throw new RangeError('one call, one result');
    const at = clock.now();
    const outcome = outcomeOf(result, at);
    const record = { seq: 0, token: incident.token, actor: 'ReleaseVolume', intendedAt: at };
    delete one.turn;
    one.detaches.push({ ...call.intent, ...record, outcome });
    if (result.kind === 'failed' && isHopeless(result.error)) one.error = result.error;
    if (result.kind === 'answered' && result.answer.kind === 'unsupported') {
      const says = `EC2 refuses to detach it (${result.answer.code}): an AWS service manages it`;
      await recordStuck(deps, one, 'held', says);
    }
  }
};

/** It is not released, and why; nothing more is done for it now. */
export const recordStuck = async (
  deps: ReleaseVolumeDeps,
  one: OneVolume,
  state: 'held' | 'lost',
  says: string,
): Promise<void> => {
  await deps.ledger.advance({ ...one.claimed, state, says }, deps.clock.now());
  deps.log.warn('volume not released', { volumeId: one.volumeId, state, says });
  one.end = state;
};

/** Both must be ours by the read just made; a terminated instance has lost its tags by itself. */
const whyNotNow = (
  scope: Scope,
  volume: Volume | undefined,
  instance: Instance | undefined,
): string | undefined => {
  if (volume === undefined || !isOfCluster(volume, scope.cluster)) {
    return `it lost its ${clusterTagKey} tag`;
  }
  if (instance === undefined || instance.state === 'terminated') return undefined;
  const stranger = whyNotOurs(instance.tags, scope);
  return stranger && `${instance.instanceId} ${stranger}`;
};

/** Those whose turn it is. A first detach has drawn with the proof, one that is repeated draws now. */
const takeTurns = async (
  { clock, pace }: ReleaseVolumeDeps,
  { crowd }: Work,
  due: readonly Due<DetachStep>[],
): Promise<Due<DetachStep>[]> => {
  const undrawn = due.filter(({ one }) => one.turn === undefined);
  if (undrawn.length > 0) {
    const now = clock.now();
    const drawn = await pace.draw('DetachVolume', undrawn.length, now);
    const turn = believed(drawn, crowd, now);
    for (const { one } of undrawn) one.turn = turn;
  }
  return due.filter(({ one }) => (one.turn ?? 0) <= clock.now());
};

/** Detaches what may be detached by the reads just made, and writes down why the others may not. */
export const detachThose = async (
  deps: ReleaseVolumeDeps,
  work: Work,
  due: readonly Due<DetachStep>[],
): Promise<void> => {
  const ours: Due<DetachStep>[] = [];
  for (const each of due) {
    const stranger = whyNotNow(deps.scope, each.volume, work.instance);
    if (stranger === undefined) ours.push(each);
    else await recordStuck(deps, each.one, 'held', stranger);
  }
  if (ours.length === 0) return;
  if ((await switchedSince(deps, work.incident)) !== undefined) {
    for (const { one } of ours) one.end = 'held';
    return;
  }
  const now = await takeTurns(deps, work, ours);
  if (now.length > 0) await detach(deps, work, now);
};
