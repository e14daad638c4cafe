import { modeOf } from '../domain/announced.ts';
import { type EpochMs, type IncidentId, isRehearsal } from '../domain/ids.ts';
import type { Incident, IncidentPatch } from '../domain/incident.ts';
import {
  acknowledgementOf,
  type Order,
  type OrderAnswer,
  parametersOf,
  whyNoEnd,
} from '../domain/order.ts';
import type { Scope } from '../domain/scope.ts';
import type { PhaseEvents } from '../ports/events.ts';
import type {
  ClusterLedger,
  IncidentLedger,
  OrderLedger,
  OrderSubject,
  SwitchChange,
} from '../ports/ledger.ts';
import type { Clock, Log, Metrics } from '../ports/system.ts';
import type { Workflow } from '../ports/workflow.ts';
import { type AnswerDeps, answerApproval } from './answer-approval.ts';
import { startExecution } from './intake.ts';
import { hold } from './step.ts';
import { heldByOperator, heldByWord } from './switches.ts';

export interface OperateDeps extends AnswerDeps {
  readonly ledger: AnswerDeps['ledger'] &
    Pick<IncidentLedger, 'incident' | 'takeOver' | 'save'> &
    Pick<ClusterLedger, 'control' | 'inventory' | 'switchControl'> &
    OrderLedger;
  readonly workflow: Pick<Workflow, 'answer' | 'start' | 'status' | 'arnOf'>;
  readonly events: PhaseEvents;
  readonly scope: Scope;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
}

type Of<Action extends Order['action']> = Order & { readonly action: Action };

/** How the end of a switch reads. */
const sayUntil = (until: EpochMs | undefined): string =>
  until === undefined ? 'until somebody ends it' : `until ${new Date(until).toISOString()}`;

const done = (says: string, execution?: string): OrderAnswer => ({
  kind: 'done',
  says,
  ...(execution === undefined ? {} : { execution }),
});
const unchanged = (says: string): OrderAnswer => ({ kind: 'unchanged', says });
const refused = (says: string): OrderAnswer => ({ kind: 'refused', says });

const isOver = ({ status }: Incident): boolean => status === 'recovered' || status === 'cancelled';

/** Somebody else takes it over at the same moment this often at most; then they are at it. */
const roundsMax = 5;

/** Decides on the incident as it is, anew whenever somebody else was faster. */
const onIncident = async (
  { ledger }: OperateDeps,
  id: IncidentId,
  act: (incident: Incident) => Promise<OrderAnswer | 'lost'>,
): Promise<OrderAnswer> => {
  for (let round = 0; round < roundsMax; round += 1) {
    const incident = await ledger.incident(id);
    if (incident === undefined) return refused(`there is no incident ${id}`);
    if (isOver(incident)) return refused(`incident ${id} is over: it was ${incident.status}`);
    const answer = await act(incident);
    if (answer !== 'lost') return answer;
  }
  return refused(`incident ${id} is being taken over again and again: ask once more`);
};

/** token + 1 and an execution for it: whatever was waiting with the old one ends at its next step. */
const wake = async (
  { clock, ledger, workflow }: OperateDeps,
  incident: Incident,
  patch: IncidentPatch,
): Promise<string | 'lost'> => {
  const at = clock.now();
  const { hold: held, id, token } = incident;
  // Should nobody get to start it now, the sweep does at once.
  const due = held === undefined ? {} : { hold: { ...held, retryAt: at } };
  const taken = await ledger.takeOver(id, token, at, { ...due, ...patch });
  return taken === 'lost' ? 'lost' : startExecution(workflow, taken);
};

/**
 * Takes the incident away from whoever works on it: no later change of theirs is accepted. What was
 * sent before stays sent. Nothing is started: it waits for a person.
 */
const holdIncident = (deps: OperateDeps, { by, incidentId, reason }: Of<'hold'>) =>
  onIncident(deps, incidentId, async (incident) => {
    const { clock, events, ledger } = deps;
    const before = incident.operatorHold;
    if (before !== undefined) return unchanged(heldByWord(before).says);
    const at = clock.now();
    const operatorHold = { by, reason, at };
    const taken = await ledger.takeOver(incidentId, incident.token, at, { operatorHold });
    if (taken === 'lost') return 'lost';
    const wish = heldByWord(operatorHold);
    await hold(ledger, taken, wish, at);
    const held = await ledger.incident(incidentId);
    if (held !== undefined) await events.publish('held', held, at);
    return done(`nothing more is changed for ${incidentId} until somebody resumes it`);
  });

const resumeIncident = (deps: OperateDeps, { by, incidentId, reason }: Of<'resume'>) =>
  onIncident(deps, incidentId, async (incident) => {
    const { clock, ledger, scope, workflow } = deps;
    const { operatorHold: _ended, ...free } = incident;
    const switched = heldByOperator(free, await ledger.control(scope.cluster), clock.now());
    if (switched !== undefined) return refused(`it would be held again: ${switched.says}`);
    const arn = incident.executionArn ?? workflow.arnOf(modeOf(incident), incident.executionName);
    const isAtWork = incident.status === 'open' && incident.operatorHold === undefined;
    if (isAtWork && (await workflow.status(arn)) === 'RUNNING') {
      return unchanged(`${arn} works on ${incidentId}, nothing holds it`);
    }
    const { approval } = incident;
    // A denial stands until somebody wants to be asked again.
    const anew: IncidentPatch =
      approval?.status === 'denied'
        ? { approval: { ...approval, status: 'withdrawn', by, reason, decidedAt: clock.now() } }
        : {};
    const execution = await wake(deps, incident, { operatorHold: null, ...anew });
    return execution === 'lost' ? 'lost' : done(`${incidentId} goes on`, execution);
  });

const acknowledge = (deps: OperateDeps, order: Of<'acknowledge'>) =>
  onIncident(deps, order.incidentId, async (incident) => {
    const { clock, ledger } = deps;
    const answer = acknowledgementOf(incident, order.hold);
    if (answer.kind !== 'new') return answer;
    const acknowledged = [...(incident.acknowledged ?? []), answer.reason];
    if (incident.status !== 'held' || incident.operatorHold !== undefined) {
      // Whoever works on it reads this at its next step.
      const { id, token } = incident;
      await ledger.save(id, token, { acknowledged }, clock.now());
      return done(answer.says);
    }
    const execution = await wake(deps, incident, { acknowledged });
    return execution === 'lost' ? 'lost' : done(answer.says, execution);
  });

const switchTo = async (
  { ledger, scope }: OperateDeps,
  change: SwitchChange,
  says: string,
): Promise<OrderAnswer> => {
  await ledger.switchControl(scope.cluster, change);
  return done(says);
};

const pause = async (deps: OperateDeps, { by, reason, until }: Of<'pause'>) => {
  const end = until === undefined ? {} : { until };
  const says = `${deps.scope.cluster} is paused ${sayUntil(until)}: nothing is changed`;
  return switchTo(deps, { paused: { by, reason, ...end } }, says);
};

const unpause = async (deps: OperateDeps) => {
  const { ledger, scope } = deps;
  const { paused } = await ledger.control(scope.cluster);
  if (paused === undefined) return unchanged(`${scope.cluster} is not paused`);
  const says = `${scope.cluster} goes on; ${paused.by} had paused it: ${paused.reason}`;
  return switchTo(deps, { paused: null }, says);
};

const acknowledgeStorm = async (deps: OperateDeps, { by, until }: Of<'acknowledge-storm'>) => {
  const says = `the storm brake lets everything through ${sayUntil(until)}`;
  return switchTo(deps, { stormAcknowledged: { by, until } }, says);
};

const beginMaintenance = async (
  deps: OperateDeps,
  { by, instanceId, until }: Of<'begin-maintenance'>,
) => {
  // A name typed wrong would leave the machine that is worked on unprotected.
  if ((await deps.ledger.inventory(instanceId)) === undefined) {
    return refused(`no sweep has seen an agent ${instanceId}; a new one is known after a minute`);
  }
  const says = `failures of ${instanceId} are expected ${sayUntil(until)}`;
  return switchTo(deps, { maintenance: { instanceId, begun: { by, until } } }, says);
};

const endMaintenance = async (deps: OperateDeps, { instanceId }: Of<'end-maintenance'>) => {
  const { maintenance } = await deps.ledger.control(deps.scope.cluster);
  const begun = maintenance[instanceId];
  if (begun === undefined) return unchanged(`${instanceId} is in no maintenance`);
  const says = `the maintenance of ${instanceId} that ${begun.by} had begun is over`;
  return switchTo(deps, { maintenance: { instanceId, begun: null } }, says);
};

const carryOut = async (deps: OperateDeps, order: Order): Promise<OrderAnswer> => {
  switch (order.action) {
    case 'approve':
    case 'deny':
      return onIncident(deps, order.incidentId, (incident) =>
        answerApproval(deps, incident, order, (answered) => wake(deps, answered, {})),
      );
    case 'hold':
      return holdIncident(deps, order);
    case 'resume':
      return resumeIncident(deps, order);
    case 'acknowledge':
      return acknowledge(deps, order);
    case 'acknowledge-storm':
      return acknowledgeStorm(deps, order);
    case 'pause':
      return pause(deps, order);
    case 'unpause':
      return unpause(deps);
    case 'begin-maintenance':
      return beginMaintenance(deps, order);
    case 'end-maintenance':
      return endMaintenance(deps, order);
  }
};

/** Why the order cannot even be kept; undefined: it can. */
const whyNot = async (
  { ledger, scope }: OperateDeps,
  order: Order,
  now: EpochMs,
): Promise<string | undefined> => {
  if ('until' in order && order.until !== undefined) {
    const why = whyNoEnd(order.until, now);
    if (why !== undefined) return `${sayUntil(order.until)} ${why}`;
  }
  if (!('incidentId' in order)) return undefined;
  if (!order.incidentId.startsWith(`${scope.cluster}#`)) {
    return `${order.incidentId} is of another cluster: this one is ${scope.cluster}`;
  }
  if (isRehearsal(order.incidentId))
    return `${order.incidentId} is a dry run: nothing is to be done`;
  const known = await ledger.incident(order.incidentId);
  return known === undefined ? `there is no incident ${order.incidentId}` : undefined;
};

/**
 * Carries out what an operator asks for, from wherever it comes. Who asked what, when and why is on
 * record before anything changes, and what became of it after. Repeating an order changes nothing more.
 */
export const createOperate =
  (deps: OperateDeps) =>
  async (order: Order): Promise<OrderAnswer> => {
    const { clock, ledger, log, metrics, scope } = deps;
    const at = clock.now();
    const { action, by, reason } = order;
    const why = await whyNot(deps, order, at);
    if (why !== undefined) {
      log.warn('order refused', { action, by, reason, why });
      return refused(why);
    }
    const of: OrderSubject =
      'incidentId' in order ? { incidentId: order.incidentId } : { cluster: scope.cluster };
    const parameters = parametersOf(order);
    const number = await ledger.recordOrder(of, { at, action, by, reason, parameters });
    const answer = await carryOut(deps, order);
    await ledger.concludeOrder(number, { kind: answer.kind, says: answer.says });
    log.info('order taken', { action, by, reason, outcome: answer.kind, ...parameters });
    metrics.count(answer.kind === 'refused' ? 'OrderRefused' : 'OrderTaken');
    return answer;
  };
