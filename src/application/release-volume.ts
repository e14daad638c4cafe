import { withoutProof } from '../domain/fence.ts';
import type { EpochMs, InstanceId, VolumeId } from '../domain/ids.ts';
import type { AuditRecord, Fence, Incident, ProofRead } from '../domain/incident.ts';
import { nextLookMs } from '../domain/looks.ts';
import { type Instance, isFree, type Volume } from '../domain/machine.ts';
import type { Ownership } from '../domain/ownership.ts';
import { limits, type Policy } from '../domain/policy.ts';
import { isRecent } from '../domain/recent.ts';
import { nextReleaseStep, type ReleaseStep } from '../domain/release.ts';
import { clusterTagKey, isOfCluster, type Scope, whyNotOurs } from '../domain/scope.ts';
import type { ComputeReads, DetachAnswer, VolumeControl } from '../ports/compute.ts';
import type { ClusterLedger, IncidentLedger, OwnershipLedger } from '../ports/ledger.ts';
import type { Clock, Log } from '../ports/system.ts';
import { answerOf, intentLastsMs, makeCalls } from './calls.ts';
import { heldByOperator, loadStep, type StepInput, switchesFreshMs } from './step.ts';

export interface ReleaseVolumeDeps {
  readonly ledger: Pick<IncidentLedger, 'incident' | 'save' | 'intend' | 'conclude' | 'audit'> &
    Pick<ClusterLedger, 'control'> &
    Pick<OwnershipLedger, 'ownership' | 'advance'>;
  readonly compute: Pick<ComputeReads, 'instance' | 'volumes'> & VolumeControl;
  readonly scope: Scope;
  readonly policy: Policy;
  readonly clock: Clock;
  readonly log: Log;
}

export type ReleaseDecision =
  | { readonly kind: 'released' | 'held' | 'lost'; readonly volumeId: VolumeId }
  | { readonly kind: 'waiting'; readonly volumeId: VolumeId; readonly waitSeconds: number };

/** One invocation looks for this long before it hands the wait to the workflow. */
const invocationMs = 40_000;

/** A detach follows the read that allows it at once; one answered longer ago is made again. */
const readLastsMs = 2_000 - intentLastsMs;

/** What one invocation knows and remembers. */
interface Work {
  readonly incident: Incident;
  readonly volumeId: VolumeId;
  readonly claimed: Ownership & { readonly incidentId: Incident['id'] };
  readonly fence: Fence;
  readonly proof: readonly [ProofRead, ProofRead];
  readonly startedAt: EpochMs;
  detaches: AuditRecord[];
  /** The last read of the fenced instance. */
  instance: Instance | undefined;
}

const readVolume = async (
  compute: ReleaseVolumeDeps['compute'],
  volumeId: VolumeId,
): Promise<Volume | undefined> => {
  const [volume] = await compute.volumes([volumeId]);
  return volume;
};

/** The detach, under the token and with the fenced instance named; the answer is only a hint. */
const detach = async (
  deps: ReleaseVolumeDeps,
  work: Work,
  from: InstanceId,
  force: boolean,
): Promise<DetachAnswer> => {
  const { clock, compute } = deps;
  const intent = {
    call: 'DetachVolume',
    target: work.volumeId,
    parameters: { instanceId: from, force },
    epoch: work.claimed.epoch,
  };
  const [result] = await makeCalls<DetachAnswer>(deps, work.incident, 'ReleaseVolume', [
    {
      intent,
      make: () => compute.detach(work.volumeId, from, { force }),
      outcome: (answer) =>
        answer.kind === 'accepted'
          ? answer.receipt
          : { refused: `${answer.kind} (${answer.code})` },
    },
  ]);
  const answer = answerOf(result);
  const at = clock.now();
  const accepted = answer.kind === 'accepted';
  work.detaches.push({
    ...intent,
    seq: 0,
    token: work.incident.token,
    actor: 'ReleaseVolume',
    intendedAt: at,
    outcome: accepted ? { kind: 'accepted', at } : { kind: 'refused', at, error: answer.code },
  });
  return answer;
};

/** Two agreeing reads, the second just made: the permission record says released. */
const recordRelease = async (deps: ReleaseVolumeDeps, work: Work): Promise<ReleaseDecision> => {
  const { clock, ledger } = deps;
  const now = clock.now();
  const { owner: _gone, ...claimed } = work.claimed;
  const saved = await ledger.advance(
    {
      ...claimed,
      state: 'released',
      releasedAt: now,
      proof: work.proof,
      ...(work.fence.strength === undefined ? {} : { strength: work.fence.strength }),
    },
    now,
  );
  // Somebody else moved the record on: its epoch is not ours any more, so we say nothing of it.
  return { kind: saved === 'saved' ? 'released' : 'held', volumeId: work.volumeId };
};

const recordStuck = async (
  deps: ReleaseVolumeDeps,
  work: Work,
  state: 'held' | 'lost',
  says: string,
): Promise<ReleaseDecision> => {
  await deps.ledger.advance({ ...work.claimed, state, says }, deps.clock.now());
  deps.log.warn('volume not released', { volumeId: work.volumeId, state, says });
  return { kind: state, volumeId: work.volumeId };
};

/** The instance is not what was proven down: the proof is void and the fence begins again. */
const voidProof = async (
  deps: ReleaseVolumeDeps,
  work: Work,
  says: string,
): Promise<ReleaseDecision> => {
  const { id, token } = work.incident;
  const seen = work.instance?.launchTime ?? work.proof[0].launchTime;
  await deps.ledger.save(id, token, { fence: withoutProof(work.fence, seen) }, deps.clock.now());
  deps.log.warn('fence proof void', { volumeId: work.volumeId, says });
  return { kind: 'held', volumeId: work.volumeId };
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

/** Has an operator said stop since this invocation began? */
const isSwitched = async (
  { clock, ledger, scope }: ReleaseVolumeDeps,
  { incident, startedAt }: Work,
): Promise<boolean> =>
  !isRecent(startedAt, clock.now(), switchesFreshMs) &&
  heldByOperator(incident, await ledger.control(scope.cluster), clock.now()) !== undefined;

const follow = async (
  deps: ReleaseVolumeDeps,
  work: Work,
  step: ReleaseStep,
  volume: Volume | undefined,
): Promise<ReleaseDecision | undefined> => {
  switch (step.kind) {
    case 'look':
      return undefined;
    case 'free': {
      const again = await readVolume(deps.compute, work.volumeId);
      return again !== undefined && isFree(again) ? recordRelease(deps, work) : undefined;
    }
    case 'lost':
      return recordStuck(deps, work, 'lost', step.says);
    case 'held':
      return recordStuck(deps, work, 'held', step.says);
    case 'proof-void':
      return voidProof(deps, work, step.says);
    case 'detach': {
      const stranger = whyNotNow(deps.scope, volume, work.instance);
      if (stranger !== undefined) return recordStuck(deps, work, 'held', stranger);
      if (await isSwitched(deps, work)) return { kind: 'held', volumeId: work.volumeId };
      const answer = await detach(deps, work, work.incident.instanceId, step.force);
      if (answer.kind !== 'unsupported') return undefined;
      const says = `EC2 refuses to detach it (${answer.code}): an AWS service manages it`;
      return recordStuck(deps, work, 'held', says);
    }
  }
};

/** Is a detach due? Only then the instance must have been read in the same breath. */
const mayDetach = ({ detaches, instance }: Work, now: EpochMs): boolean => {
  const [first] = detaches;
  return (
    first === undefined ||
    instance === undefined ||
    detaches.at(-1)?.outcome?.kind !== 'accepted' ||
    now - first.intendedAt >= limits.detachRepeatMs
  );
};

/** A detach may be due: the volume and the instance, read in the same breath. */
const lookWithInstance = async (
  deps: ReleaseVolumeDeps,
  work: Work,
): Promise<ReleaseDecision | undefined> => {
  const { clock, compute } = deps;
  let answeredAt = clock.now();
  const [volume, instance] = await Promise.all([
    readVolume(compute, work.volumeId),
    compute.instance(work.incident.instanceId).then((answer) => {
      answeredAt = clock.now();
      return answer;
    }),
  ]);
  work.instance = instance;
  const step = stepFor(deps, work, volume);
  const isOld = !isRecent(answeredAt, clock.now(), readLastsMs);
  return step.kind === 'detach' && isOld ? undefined : follow(deps, work, step, volume);
};

/** EC2 is at it: only the volume is looked at, until it is free or a detach may be due again. */
const lookAtVolume = async (
  deps: ReleaseVolumeDeps,
  work: Work,
): Promise<ReleaseDecision | undefined> => {
  const volume = await readVolume(deps.compute, work.volumeId);
  const step = stepFor(deps, work, volume);
  // Became due while it was read: the next look reads the instance with it.
  return step.kind === 'detach' ? undefined : follow(deps, work, step, volume);
};

const stepFor = (
  { clock, policy }: ReleaseVolumeDeps,
  work: Work,
  volume: Volume | undefined,
): ReleaseStep =>
  nextReleaseStep({
    now: clock.now(),
    volume,
    instance: work.instance,
    instanceId: work.incident.instanceId,
    provenLaunchTime: work.proof[0].launchTime,
    provenAt: work.proof[1].at,
    detaches: work.detaches,
    policy,
  });

const lookOnce = (deps: ReleaseVolumeDeps, work: Work): Promise<ReleaseDecision | undefined> =>
  mayDetach(work, deps.clock.now()) ? lookWithInstance(deps, work) : lookAtVolume(deps, work);

const detachesOf = (audit: readonly AuditRecord[], volumeId: VolumeId): AuditRecord[] =>
  audit.filter((record) => record.call === 'DetachVolume' && record.target === volumeId);

/** Past the deadline the others go on; this one stays claimed and is looked at again later. */
const overdue = (work: Work, policy: Policy, now: EpochMs): boolean =>
  now - work.proof[1].at >= policy.partialDeadlineMs;

type Prepared =
  | { readonly kind: 'done'; readonly decision: ReleaseDecision }
  | { readonly kind: 'work'; readonly work: Work };

const prepare = async (
  deps: ReleaseVolumeDeps,
  input: StepInput & { readonly volumeId: VolumeId },
): Promise<Prepared> => {
  const { clock, ledger, scope } = deps;
  const { volumeId } = input;
  const [{ incident, control }, ownership, audit] = await Promise.all([
    loadStep(ledger, input, scope.cluster),
    ledger.ownership(volumeId),
    ledger.audit(input.incidentId),
  ]);
  const { fence } = incident;
  const held: Prepared = { kind: 'done', decision: { kind: 'held', volumeId } };
  // Held by an operator, no proof (yet, or any more), or another epoch: nothing is touched.
  if (heldByOperator(incident, control, clock.now()) !== undefined) return held;
  if (fence?.proof === undefined || ownership?.incidentId !== incident.id) return held;
  if (ownership.state === 'released' || ownership.state === 'owned') {
    return { kind: 'done', decision: { kind: 'released', volumeId } };
  }
  // Under our token, so that a write of an earlier execution that comes late is lost.
  const claimed = { ...ownership, incidentId: incident.id, token: incident.token };
  const detaches = detachesOf(audit, volumeId);
  const { proof } = fence;
  const startedAt = clock.now();
  const known = { incident, volumeId, claimed, fence, proof, startedAt };
  const work = { ...known, detaches, instance: undefined };
  return { kind: 'work', work };
};

/**
 * Releases one volume of a fenced agent: detaches it, always naming the fenced instance, and
 * records the release after two agreeing reads. What another instance holds is never touched.
 */
export const createReleaseVolume =
  (deps: ReleaseVolumeDeps) =>
  async (input: StepInput & { readonly volumeId: VolumeId }): Promise<ReleaseDecision> => {
    const { clock, policy } = deps;
    const started = clock.now();
    const prepared = await prepare(deps, input);
    if (prepared.kind === 'done') return prepared.decision;
    const { work } = prepared;
    for (;;) {
      const decision = await lookOnce(deps, work);
      if (decision !== undefined) return decision;
      const now = clock.now();
      if (overdue(work, policy, now) && work.detaches.length > 0) {
        return { kind: 'held', volumeId: input.volumeId };
      }
      const since = work.detaches.at(-1)?.intendedAt ?? work.proof[1].at;
      const waitMs = nextLookMs('detach', now - since);
      if (now + waitMs - started > invocationMs) {
        const waitSeconds = Math.max(1, Math.ceil(waitMs / 1000));
        return { kind: 'waiting', volumeId: input.volumeId, waitSeconds };
      }
      await clock.sleep(waitMs);
    }
  };
