import {
  type Announced,
  type Confirmation,
  deadlineOf,
  noticesIn,
  recalled,
} from '../domain/announced.ts';
import type { InstanceId, LaunchTime } from '../domain/ids.ts';
import type { Incident, Notice } from '../domain/incident.ts';
import type { LifecycleHooks } from '../ports/auto-scaling.ts';
import type { ComputeReads, Interruptions } from '../ports/compute.ts';
import type { Clock } from '../ports/system.ts';

export interface RecallDeps {
  readonly compute: Pick<ComputeReads, 'scheduledEvents'>;
}

export interface AnnouncedDeps extends RecallDeps {
  readonly compute: RecallDeps['compute'] & Interruptions;
  readonly autoScaling: Pick<LifecycleHooks, 'lifecycleState'>;
  readonly clock: Clock;
}

/** A Health schedule is a scheduled event of EC2 too, which DescribeInstanceStatus tells of. */
const readSchedule = async (
  { compute }: RecallDeps,
  instanceId: InstanceId,
): Promise<Confirmation> => {
  const events = await compute.scheduledEvents(instanceId);
  // What happens first counts; what has no time may happen at any.
  const [next] = [...events].sort((a, b) => (a.notBefore ?? 0) - (b.notBefore ?? 0));
  if (next === undefined) return { kind: 'gone', says: 'EC2 has nothing scheduled for it' };
  const says = `EC2 has scheduled ${next.code}`;
  return next.notBefore === undefined
    ? { kind: 'confirmed', says }
    : { kind: 'confirmed', says, deadline: next.notBefore };
};

const readInterruption = async (
  { compute }: AnnouncedDeps,
  instanceId: InstanceId,
): Promise<Confirmation> => {
  const action = await compute.interruption(instanceId);
  return action === undefined
    ? { kind: 'gone', says: 'EC2 has not marked its Spot request' }
    : { kind: 'confirmed', says: `EC2 has marked its Spot request: ${action}` };
};

const readLifecycle = async (
  { autoScaling, clock }: AnnouncedDeps,
  instanceId: InstanceId,
): Promise<Confirmation> => {
  const state = await autoScaling.lifecycleState(instanceId);
  // Into a warm pool it goes the same way, and is stopped there.
  if (state === undefined || !/^(?:Terminating|Warmed)/.test(state)) {
    return { kind: 'gone', says: `its Auto Scaling group says ${state ?? 'nothing'} of it` };
  }
  const says = `its Auto Scaling group says ${state}`;
  // Nothing waits for us any more.
  return state === 'Terminating:Proceed'
    ? { kind: 'confirmed', says, deadline: clock.now() }
    : { kind: 'confirmed', says };
};

/** Unreadable is an answer of its own, never an exception. */
const orUnread = async (reading: Promise<Confirmation>): Promise<Confirmation> => {
  try {
    return await reading;
  } catch (error) {
    return { kind: 'unread', says: error instanceof Error ? error.message : String(error) };
  }
};

type Announcing = Pick<Incident, 'drain' | 'instanceId' | 'openedAt' | 'signals'>;

/** The most urgent of the notices that still stands; if none does, the most urgent all the same. */
const mostUrgent = async (
  { openedAt, signals }: Announcing,
  confirm: (kind: Notice['kind']) => Promise<Confirmation>,
): Promise<Announced | undefined> => {
  const read = await Promise.all(
    noticesIn(signals).map(async (notice): Promise<Announced> => {
      const confirmation = await orUnread(confirm(notice.kind));
      const deadline = deadlineOf(notice, confirmation, openedAt);
      return { notice, confirmation, ...(deadline === undefined ? {} : { deadline }) };
    }),
  );
  return read.find(({ confirmation }) => confirmation.kind !== 'gone') ?? read[0];
};

const asked: Confirmation = { kind: 'confirmed', says: 'a person asked for it' };

/**
 * What is announced for the machine, by reads made now. Never throws: what cannot be read is unread.
 * Without a notice nothing is read.
 */
export const readAnnounced = (
  deps: AnnouncedDeps,
  incident: Announcing,
): Promise<Announced | undefined> =>
  mostUrgent(incident, async (kind) => {
    switch (kind) {
      case 'retiring':
        return readSchedule(deps, incident.instanceId);
      case 'interrupted':
        return readInterruption(deps, incident.instanceId);
      case 'leaving':
        return readLifecycle(deps, incident.instanceId);
      case 'asked':
        return asked;
    }
  });

/**
 * The same for a failover, which is in a hurry: a schedule may have been called off and is read again;
 * what nothing takes back was read, and written down, when the planned move ended.
 */
export const recallAnnounced = (
  deps: RecallDeps,
  incident: Announcing,
  launchTime: LaunchTime | undefined,
): Promise<Announced | undefined> =>
  mostUrgent(incident, async (kind) => {
    if (kind === 'retiring') return readSchedule(deps, incident.instanceId);
    return kind === 'asked' ? asked : recalled(incident, kind, launchTime);
  });
