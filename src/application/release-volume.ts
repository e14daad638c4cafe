import { withoutProof } from '../domain/fence.ts';
import type { EpochMs, VolumeId } from '../domain/ids.ts';
import type { AuditRecord, Incident } from '../domain/incident.ts';
import { nextLookMs } from '../domain/looks.ts';
import { isFree, type Volume } from '../domain/machine.ts';
import type { Ownership } from '../domain/ownership.ts';
import { isTurnKept } from '../domain/pace.ts';
import { limits, type Policy } from '../domain/policy.ts';
import { isRecent } from '../domain/recent.ts';
import { nextReleaseStep, type ReleaseStep } from '../domain/release.ts';
import { intentLastsMs } from './calls.ts';
import { inCrowd } from './crowd.ts';
import {
  type Due,
  detachThose,
  type End,
  isDetach,
  isPending,
  type OneVolume,
  type ReleaseVolumeDeps,
  recordStuck,
  type Work,
} from './detach-volumes.ts';
import { loadStepInCrowd, type StepInput } from './step.ts';
import { heldByOperator } from './switches.ts';

/** What became of the volumes; the worst of it. Each is in the ledger for itself. */
export type ReleaseDecision =
  | { readonly kind: End }
  | { readonly kind: 'waiting'; readonly waitSeconds: number };

/** One invocation looks for this long before it hands the wait to the workflow. */
const invocationMs = 40_000;

/** A shorter wait for the turn is not worth another invocation. */
const shortWaitMs = 2_000;

/** A detach follows the read that allows it at once; one answered longer ago is made again. */
const readLastsMs = 2_000 - intentLastsMs;

/** All that is still waited for, in one request. */
const readVolumes = async (
  compute: ReleaseVolumeDeps['compute'],
  wanted: readonly OneVolume[],
): Promise<(one: OneVolume) => Volume | undefined> => {
  const read = await compute.volumes(wanted.map(({ volumeId }) => volumeId));
  return ({ volumeId }) => read.find((volume) => volume.volumeId === volumeId);
};

/** Two agreeing reads, the second just made: the permission record says released. */
const recordRelease = async (
  { clock, ledger }: ReleaseVolumeDeps,
  { proof, fence }: Work,
  one: OneVolume,
): Promise<void> => {
  const now = clock.now();
  const { owner: _gone, ...claimed } = one.claimed;
  const saved = await ledger.advance(
    {
      ...claimed,
      state: 'released',
      releasedAt: now,
      proof,
      ...(fence.strength === undefined ? {} : { strength: fence.strength }),
    },
    now,
  );
  // Somebody else moved the record on: its epoch is not ours any more, so we say nothing of it.
  one.end = saved === 'saved' ? 'released' : 'held';
};

/** The instance is not what was proven down: the proof is void and the fence begins again. */
const voidProof = async (deps: ReleaseVolumeDeps, work: Work, says: string): Promise<void> => {
  const { id, token } = work.incident;
  const seen = work.instance?.launchTime ?? work.proof[0].launchTime;
  await deps.ledger.save(id, token, { fence: withoutProof(work.fence, seen) }, deps.clock.now());
  deps.log.warn('fence proof void', { incidentId: id, says });
  for (const one of work.volumes.filter(isPending)) one.end = 'held';
};

/** Nothing holds these according to one read: whichever another one finds free as well is released. */
const confirm = async (
  deps: ReleaseVolumeDeps,
  work: Work,
  free: readonly Due[],
): Promise<void> => {
  const found = free.map(({ one }) => one);
  if (found.length === 0) return;
  const again = await readVolumes(deps.compute, found);
  const confirmed = found.filter((one) => {
    const volume = again(one);
    return volume !== undefined && isFree(volume);
  });
  await Promise.all(confirmed.map((one) => recordRelease(deps, work, one)));
};

const follow = async (
  deps: ReleaseVolumeDeps,
  work: Work,
  due: readonly Due[],
  mayDetachNow: boolean,
): Promise<void> => {
  for (const { step } of due)
    if (step.kind === 'proof-void') return voidProof(deps, work, step.says);
  // First of all, because they lean on the read just made.
  if (mayDetachNow) await detachThose(deps, work, due.filter(isDetach));
  const free = due.filter(({ step }) => step.kind === 'free');
  await Promise.all([
    confirm(deps, work, free),
    ...due.map(({ one, step }) =>
      step.kind === 'lost' || step.kind === 'held'
        ? recordStuck(deps, one, step.kind, step.says)
        : undefined,
    ),
  ]);
};

/** Is a detach due? Only then the instance must have been read in the same breath. */
const mayDetach =
  ({ instance }: Work, now: EpochMs) =>
  ({ detaches }: OneVolume): boolean => {
    const [first] = detaches;
    return (
      first === undefined ||
      instance === undefined ||
      detaches.at(-1)?.outcome?.kind !== 'accepted' ||
      now - first.intendedAt >= limits.detachRepeatMs
    );
  };

const stepFor = (
  { clock, policy }: ReleaseVolumeDeps,
  work: Work,
  one: OneVolume,
  volume: Volume | undefined,
): ReleaseStep =>
  nextReleaseStep({
    now: clock.now(),
    volume,
    instance: work.instance,
    instanceId: work.incident.instanceId,
    provenLaunchTime: work.proof[0].launchTime,
    provenAt: work.proof[1].at,
    detaches: one.detaches,
    policy,
  });

/**
 * One look at all that is waited for. Where a detach may be due the instance is read in the same
 * breath; otherwise EC2 is at it, and only the volumes are looked at.
 */
const lookOnce = async (deps: ReleaseVolumeDeps, work: Work): Promise<void> => {
  const { clock, compute } = deps;
  const pending = work.volumes.filter(isPending);
  const withInstance = pending.some(mayDetach(work, clock.now()));
  let answeredAt = clock.now();
  const [volumeOf] = await Promise.all([
    readVolumes(compute, pending),
    withInstance
      ? compute.instance(work.incident.instanceId).then((answer) => {
          answeredAt = clock.now();
          work.instance = answer;
        })
      : undefined,
  ]);
  const due = pending.map((one) => {
    const volume = volumeOf(one);
    return { one, volume, step: stepFor(deps, work, one, volume) };
  });
  // What became due while only volumes were read waits for the next look, with the instance.
  const isFresh = withInstance && isRecent(answeredAt, clock.now(), readLastsMs);
  await follow(deps, work, due, isFresh);
};

const detachesOf = (audit: readonly AuditRecord[], volumeId: VolumeId): AuditRecord[] =>
  audit.filter((record) => record.call === 'DetachVolume' && record.target === volumeId);

/** Past the deadline the others go on; this one stays claimed and is looked at again later. */
const isOverdue =
  ({ proof }: Work, { partialDeadlineMs }: Policy, now: EpochMs) =>
  ({ detaches: [first] }: OneVolume): boolean =>
    first !== undefined && now - Math.max(proof[1].at, first.intendedAt) >= partialDeadlineMs;

type Prepared =
  | { readonly kind: 'done'; readonly decision: ReleaseDecision }
  | { readonly kind: 'work'; readonly work: Work };

/** The volume as the ledger has it, or what became of it before. */
const startWith = (
  incident: Incident,
  volumeId: VolumeId,
  ownership: Ownership | undefined,
  audit: readonly AuditRecord[],
  turn: EpochMs | undefined,
): OneVolume | End => {
  // Another epoch: nothing is touched.
  if (ownership?.incidentId !== incident.id) return 'held';
  if (ownership.state === 'released' || ownership.state === 'owned') return 'released';
  // Under our token, so that a write of an earlier execution that comes late is lost.
  const claimed = { ...ownership, incidentId: incident.id, token: incident.token };
  const detaches = detachesOf(audit, volumeId);
  const isFirst = detaches.length === 0 && turn !== undefined;
  return { volumeId, claimed, detaches, ...(isFirst && { turn }) };
};

const prepare = async (deps: ReleaseVolumeDeps, input: ReleaseInput): Promise<Prepared> => {
  const { clock, ledger, scope } = deps;
  const { volumeIds } = input;
  const [{ incident, control, crowd }, audit, ...ownerships] = await Promise.all([
    loadStepInCrowd(ledger, input, scope.cluster),
    ledger.audit(input.incidentId),
    ...volumeIds.map((volumeId) => ledger.ownership(volumeId)),
  ]);
  const { fence } = incident;
  const held: Prepared = { kind: 'done', decision: { kind: 'held' } };
  // Held by an operator, or no proof (yet, or any more): nothing is touched.
  if (heldByOperator(incident, control, clock.now()) !== undefined) return held;
  if (fence?.proof === undefined) return held;
  const { proof } = fence;
  const { detachFrom } = fence;
  const turn = isTurnKept(detachFrom, clock.now()) ? detachFrom : undefined;
  const known = volumeIds.map((id, at) => startWith(incident, id, ownerships[at], audit, turn));
  const volumes = known.filter((each) => typeof each !== 'string');
  const before = known.filter((each) => typeof each === 'string');
  const startedAt = clock.now();
  const work = { incident, fence, proof, startedAt, crowd, volumes, before, instance: undefined };
  return { kind: 'work', work };
};

const worst = (ends: readonly (End | undefined)[]): End => {
  if (ends.includes('held')) return 'held';
  return ends.includes('lost') ? 'lost' : 'released';
};

/** All that can be done is done: what became of them, or the failure of one of them. */
const endOf = ({ before, volumes }: Work): ReleaseDecision => {
  const failed = volumes.find(({ error }) => error !== undefined);
  if (failed !== undefined) throw failed.error;
  return { kind: worst([...before, ...volumes.map(({ end }) => end)]) };
};

const nextLook = ({ crowd, volumes, proof }: Work, now: EpochMs): number => {
  const asked = volumes
    .filter(isPending)
    .map(({ detaches }) => detaches.at(-1)?.intendedAt ?? proof[1].at);
  return nextLookMs('detach', Math.max(0, now - Math.max(...asked)), crowd);
};

/** Before its turn an agent does not even look: it could do nothing about what it sees. */
const turnOf = ({ volumes }: Work): number => Math.max(0, ...volumes.map(({ turn = 0 }) => turn));

/** A part of one agent's volumes, usually all. */
type ReleaseInput = StepInput & { readonly volumeIds: readonly VolumeId[] };

/**
 * Releases volumes of a fenced agent: detaches them, always naming the fenced instance, and records
 * each release after two agreeing reads. What another instance holds is never touched, and one that
 * is stuck holds back none of the others.
 */
export const createReleaseVolume =
  (all: ReleaseVolumeDeps) =>
  async (input: ReleaseInput): Promise<ReleaseDecision> => {
    const { clock, policy } = all;
    const started = clock.now();
    const prepared = await prepare(all, input);
    if (prepared.kind === 'done') return prepared.decision;
    const { work } = prepared;
    const deps = inCrowd({ ...all, switches: { readAt: started } }, work.crowd, 'finish');
    const turnMs = turnOf(work) - clock.now();
    if (turnMs > shortWaitMs) {
      return { kind: 'waiting', waitSeconds: Math.floor(turnMs / 1000) };
    }
    if (turnMs > 0) await clock.sleep(turnMs);
    for (;;) {
      if (work.volumes.some(isPending)) await lookOnce(deps, work);
      const now = clock.now();
      for (const late of work.volumes.filter(isPending).filter(isOverdue(work, policy, now))) {
        late.end = 'held';
      }
      if (!work.volumes.some(isPending)) return endOf(work);
      const waitMs = nextLook(work, now);
      if (now + waitMs - started > invocationMs) {
        return { kind: 'waiting', waitSeconds: Math.max(1, Math.ceil(waitMs / 1000)) };
      }
      await clock.sleep(waitMs);
    }
  };
