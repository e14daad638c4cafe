import { type Announced, type Confirmation, deadlineOf, noticesIn } from '../domain/announced.ts';
import type { EpochMs, InstanceId } from '../domain/ids.ts';
import type { Incident, Notice } from '../domain/incident.ts';
import type { AutoScaling } from '../ports/auto-scaling.ts';
import type { ComputeReads } from '../ports/compute.ts';
import type { Clock } from '../ports/system.ts';

export interface AnnouncedDeps {
  readonly compute: Pick<ComputeReads, 'scheduledEvents' | 'interruption'>;
  readonly autoScaling: Pick<AutoScaling, 'lifecycleState'>;
  readonly clock: Clock;
}

/** A Health schedule is a scheduled event of EC2 too, which DescribeInstanceStatus tells of. */
const readSchedule = async (
  { compute }: AnnouncedDeps,
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
  if (state === undefined || !state.startsWith('Terminating')) {
    return { kind: 'gone', says: `its Auto Scaling group says ${state ?? 'nothing'} of it` };
  }
  const says = `its Auto Scaling group says ${state}`;
  // Nothing waits for us any more.
  return state === 'Terminating:Proceed'
    ? { kind: 'confirmed', says, deadline: clock.now() }
    : { kind: 'confirmed', says };
};

const confirm = async (
  deps: AnnouncedDeps,
  instanceId: InstanceId,
  { kind }: Notice,
): Promise<Confirmation> => {
  try {
    switch (kind) {
      case 'retiring':
        return await readSchedule(deps, instanceId);
      case 'interrupted':
        return await readInterruption(deps, instanceId);
      case 'leaving':
        return await readLifecycle(deps, instanceId);
      case 'asked':
        return { kind: 'confirmed', says: 'a person asked for it' };
    }
  } catch (error) {
    return { kind: 'unread', says: error instanceof Error ? error.message : String(error) };
  }
};

/**
 * The most urgent of what is announced for the machine and still stands, by reads made now; if none
 * does, the most urgent all the same. Never throws: what cannot be read is unread. Without a notice
 * nothing is read.
 */
export const readAnnounced = async (
  deps: AnnouncedDeps,
  { instanceId, openedAt, signals }: Pick<Incident, 'instanceId' | 'openedAt' | 'signals'>,
): Promise<Announced | undefined> => {
  const read = await Promise.all(
    noticesIn(signals).map(async (notice): Promise<Announced> => {
      const confirmation = await confirm(deps, instanceId, notice);
      const deadline: EpochMs | undefined = deadlineOf(notice, confirmation, openedAt);
      return { notice, confirmation, ...(deadline === undefined ? {} : { deadline }) };
    }),
  );
  return read.find(({ confirmation }) => confirmation.kind !== 'gone') ?? read[0];
};
