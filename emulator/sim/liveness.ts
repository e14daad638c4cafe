import type { World } from '../world.ts';
import { answeringMs } from './approver.ts';
import { lateReleases, silentWaits } from './deadlines.ts';
import type { Scene } from './fault.ts';
import { faultKind } from './plan.ts';
import { type IncidentSeen, isOff, type Memory, type Violation } from './record.ts';
import { atWork, hasReturned } from './rules/rule.ts';
import { limitOf } from './rules/storm.ts';
import { incidentsOf, type LateFinding, type RunEnd } from './run-end.ts';
import type { SimApp } from './stage.ts';

const BOUND_MS = 45 * 60_000;

/** Behind the brake, the last of those that fail together waits for so long. */
const brakeMs = ({ checker, plan, stage }: RunEnd): number => {
  const { StormCoolDownSeconds, StormWindowSeconds } = checker.memory.policy;
  const failing = stage.crowd.length + (plan.traits.alsoFails === undefined ? 1 : 2);
  const windows = Math.ceil(failing / limitOf(checker.memory)) - 1;
  return 1_000 * (windows * Number(StormWindowSeconds) + (windows && Number(StormCoolDownSeconds)));
};

/** B: after the faults have ended, every incident is over or held for a person within this. */
export const boundMs = (end: RunEnd): number =>
  BOUND_MS + brakeMs(end) + answeringMs(end.plan.traits.approver);

/** Holds that nothing but a person ends, whatever the faults. */
const PERSON_DECIDES = ['local-persistent-volumes'];

/** A fault of this plan deleted a volume, and nothing can bring it back. Else it must not be gone. */
const isLost = ({ checker, plan }: RunEnd, { volumeIds }: SimApp): boolean =>
  plan.faults.some(({ id }) => faultKind(id).mayHold?.includes('volume-lost')) &&
  volumeIds.some((id) => {
    const state = checker.memory.volumes.get(id)?.state;
    return state === 'deleting' || state === 'deleted';
  });

/** That one is lost must be true: what EC2 has forgotten for a while is held no longer than that. */
const mayHold = (end: RunEnd, reason: string | undefined): boolean =>
  reason === 'volume-lost'
    ? end.stage.apps.some((app) => isLost(end, app))
    : isExpected(end, reason);

const isExpected = ({ plan }: RunEnd, reason: string | undefined): boolean =>
  reason !== undefined &&
  [...PERSON_DECIDES, ...plan.faults.flatMap(({ id }) => faultKind(id).mayHold ?? [])].includes(
    reason,
  );

const isSettled = (end: RunEnd, { status, holdReason }: IncidentSeen): boolean =>
  status === 'recovered' ||
  status === 'cancelled' ||
  // Between two looks of a held incident it is open for a moment.
  mayHold(end, holdReason);

/** The app runs on a machine that is well, with its volumes and on no other. */
export const isBack = (
  world: Pick<World, 'dcos'>,
  { machines, volumes }: Memory,
  app: SimApp,
): boolean => {
  const task = world.dcos
    .truth()
    .tasks.find(({ appId, state }) => appId === app.id && state === 'TASK_RUNNING');
  if (app.volumeIds.length === 0) return true;
  if (task === undefined || machines.get(task.instanceId)?.well !== true) return false;
  return app.volumeIds.every((volumeId) => {
    const holders = volumes.get(volumeId)?.holders ?? [];
    return holders.length === 1 && holders[0]?.instanceId === task.instanceId;
  });
};

/** Its machine's failure still lasts; of one that is well again nothing is asked. */
const isOwed = (end: RunEnd, app: SimApp): boolean =>
  !isLost(end, app) && end.checker.memory.machines.get(app.instanceId)?.well === false;

const missing = (end: RunEnd): SimApp[] =>
  end.stage.apps.filter((app) => isOwed(end, app) && !isBack(end.world, end.checker.memory, app));

/** Whether each app runs that a failed machine had. */
export const isServed = (end: RunEnd): boolean => missing(end).length === 0;

/** A failure that still lasts obliges us. */
const isDue = (end: RunEnd): boolean =>
  !end.plan.faults.some(({ id }) => faultKind(id).mayStayDown) &&
  end.stage.apps.some((app) => isOwed(end, app));

/** Fenced machines of ours that run again and that nobody has looked at, or kept from work. */
const unguarded = (end: RunEnd): LateFinding[] => {
  const { incidents, machines } = end.checker.memory;
  return [...machines.values()].flatMap(({ instanceId, launchTime, ours }) => {
    if (!ours || !hasReturned(end.checker.memory, instanceId)) return [];
    const since = [...incidents.values()].filter(
      (incident) => incident.instanceId === instanceId && incident.openedAt >= launchTime,
    );
    // Held, a person is asked: before Mesos 1.9 nothing else can be done about an agent.
    if (since.some(({ status }) => status === 'held')) return [];
    const [agentId] = atWork(end.checker.memory, instanceId);
    if (since.length > 0 && agentId === undefined) return [];
    const what = agentId === undefined ? 'nobody has looked' : `${agentId} gets work`;
    return [{ invariant: 'S10', says: `${instanceId} runs again, which was fenced: ${what}` }];
  });
};

/** Nothing is left to wait for. */
export const isQuiet = (end: RunEnd): boolean => {
  const incidents = incidentsOf(end);
  if (unguarded(end).length > 0) return false;
  const running = end.world.states.executions().some(({ status }) => status === 'RUNNING');
  if (!incidents.every((incident) => isSettled(end, incident))) return false;
  if (incidents.some(({ status }) => status === 'held')) return true;
  return !running && (incidents.length > 0 || !isDue(end)) && (!isDue(end) || isServed(end));
};

const STOPS_PER_INCIDENT = 4;
const DETACHES_PER_VOLUME = 4;
const REPEAT_MS = 5 * 60_000;

/** Sent in this incident: what arrives late belongs to the one that sent it. */
const countOf = (
  { checker }: RunEnd,
  { openedAt }: IncidentSeen,
  call: RegExp,
  target: string,
): number =>
  checker.memory.mutations.filter(
    ({ by, accepted, params, ...m }) =>
      call.test(m.call) &&
      accepted &&
      by.wire.at >= openedAt &&
      Object.values(params).includes(target),
  ).length;

const bounded = (end: RunEnd, incident: IncidentSeen): string[] => {
  const lastedMs = end.world.time.now() - incident.openedAt;
  const stops = countOf(end, incident, /^(?:Stop|Terminate)Instances$/, incident.instanceId);
  const stopsMax = STOPS_PER_INCIDENT + Math.ceil(lastedMs / REPEAT_MS);
  const found = stops > stopsMax ? [`${stops} power commands to ${incident.instanceId}`] : [];
  const detaches = incident.volumeIds
    .map((volumeId) => ({ volumeId, count: countOf(end, incident, /^DetachVolume$/, volumeId) }))
    .filter(({ count }) => count > DETACHES_PER_VOLUME);
  return [...found, ...detaches.map(({ volumeId, count }) => `${count} detaches of ${volumeId}`)];
};

/** Told of it at least once, or kept for a person. */
const isTold = ({ world }: RunEnd): boolean => {
  const queues = world.infra.ofType('AWS::SQS::Queue').map(({ arn }) => world.sqs.messages(arn));
  return world.slack.messages().length > 0 || queues.some((messages) => messages.length > 0);
};

/** Something happened that people must hear of, and nobody has. */
export const owesMessage = (end: RunEnd): boolean =>
  incidentsOf(end).some(({ status }) => status === 'recovered' || status === 'held') &&
  !isTold(end);

/** What a hold at the bound says about the promise: a person's switch, EC2 at last, or anything. */
const PROMISES: readonly (readonly [RegExp, string])[] = [
  [/^(?:paused|maintenance|operator-hold)$/, 'L8'],
  [/^(?:fence-stuck|volume-stuck|protected-from-stop|cannot-be-stopped)$/, 'L5'],
];

const unsettled = (end: RunEnd): LateFinding[] =>
  incidentsOf(end)
    .filter((incident) => !isSettled(end, incident))
    .map(({ id, status, holdReason }) => {
      const why = holdReason === undefined ? '' : ` (${holdReason})`;
      const [, invariant = 'L1'] = PROMISES.find(([reason]) => reason.test(holdReason ?? '')) ?? [];
      return { invariant, says: `${id} is still ${status}${why} at the bound` };
    });

const unserved = (end: RunEnd): LateFinding[] => {
  const heldRightly = incidentsOf(end).some(
    // Between two looks of a held incident it is open for a moment.
    ({ status, holdReason }) => ['held', 'open'].includes(status) && mayHold(end, holdReason),
  );
  if (!isDue(end) || heldRightly || isServed(end)) return [];
  const incidents = incidentsOf(end);
  const invariant = incidents.length === 0 ? 'L4' : 'L3';
  const story = incidents.map(({ status }) => status).join(', ') || 'no incident';
  const ids = missing(end).map(({ id }) => id);
  return [{ invariant, says: `${ids.join(' and ')} not back at the bound: ${story}` }];
};

/** The first failed check, the grace, and the alarm overdue: until then no event is missing. */
const VISIBLE_MS: Partial<Record<Scene, number>> = { hung: 300_000, stopped: 0, terminated: 0 };
/** A sweep every minute, and the time it takes. */
const FOUND_MS = 90_000;

/** A failure that is there to be seen has an incident soon, whatever became of its events. */
const foundLate = (end: RunEnd): LateFinding[] => {
  const { failedAt, plan, stage } = end;
  const visibleMs = VISIBLE_MS[plan.scene];
  const { instanceId } = stage.failing;
  const opened = incidentsOf(end).filter((incident) => incident.instanceId === instanceId);
  if (visibleMs === undefined || opened.length === 0 || !isDue(end)) return [];
  // What happens to events hinders no sweep; anything else may, for as long as it lasts.
  const hindered = plan.faults.some(({ id }) => !id.startsWith('EV-'));
  const since = failedAt + Math.max(visibleMs, hindered ? plan.safetyMs : 0);
  // Taken out of scope before that, it is not ours to find.
  const leftAt = end.checker.memory.strangerSince.get(instanceId) ?? Number.POSITIVE_INFINITY;
  if (leftAt <= since + FOUND_MS) return [];
  // A termination lets go by itself: then there may be nothing on the machine any more.
  const isLetGo = (volumeId: string): boolean => {
    const last = end.checker.memory.letGo.get(volumeId);
    return last?.instanceId === instanceId && last.at <= since;
  };
  if (hindered && stage.app.volumeIds.every(isLetGo)) return [];
  const lateMs = Math.min(...opened.map(({ openedAt }) => openedAt)) - since;
  return lateMs > FOUND_MS
    ? [{ invariant: 'L4', says: `${instanceId} was found ${lateMs} ms after it could be` }]
    : [];
};

/** In-scope volumes that an incident which is over has left on the machine it fenced. */
const leftBehind = (end: RunEnd): LateFinding[] => {
  const { machines, volumes } = end.checker.memory;
  return incidentsOf(end)
    .filter(({ status }) => status === 'recovered')
    .flatMap(({ instanceId }) =>
      [...volumes.values()].filter(
        ({ ours, holders }) =>
          ours &&
          holders.some((h) => h.instanceId === instanceId) &&
          isOff(machines.get(instanceId)?.state),
      ),
    )
    .map(({ volumeId }) => ({ invariant: 'L4', says: `${volumeId} was left on a fenced machine` }));
};

/** What must have become true once the faults have ended; judged at the bound. */
export const judgeLiveness = (end: RunEnd): Violation[] => {
  const incidents = incidentsOf(end);
  const found = [
    ...unsettled(end),
    ...unserved(end),
    ...foundLate(end),
    ...leftBehind(end),
    ...unguarded(end),
    ...lateReleases(end),
    ...silentWaits(end),
    ...incidents
      .flatMap((incident) => bounded(end, incident))
      .map((says) => ({ invariant: 'L9', says })),
    ...(owesMessage(end) ? [{ invariant: 'L6', says: 'nobody was told' }] : []),
  ];
  return found.map((one) => ({ ...one, at: end.world.time.now() }));
};
