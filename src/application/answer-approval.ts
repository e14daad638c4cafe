import type { Approval, Incident } from '../domain/incident.ts';
import type { Order, OrderAnswer } from '../domain/order.ts';
import type { Phase, PhaseEvents } from '../ports/events.ts';
import type { IncidentLedger } from '../ports/ledger.ts';
import type { Clock } from '../ports/system.ts';
import type { Workflow } from '../ports/workflow.ts';

export interface AnswerDeps {
  readonly ledger: Pick<IncidentLedger, 'answerApproval'>;
  readonly workflow: Pick<Workflow, 'answer'>;
  readonly events: PhaseEvents;
  readonly clock: Clock;
}

type Answer = Order & { readonly action: 'approve' | 'deny' };

const wordOf = { approve: 'approved', deny: 'denied' } as const;

/** What has been answered before stands. */
const sayOld = ({ by, id, status }: Approval, wanted: Approval['status']): OrderAnswer =>
  status === wanted
    ? { kind: 'unchanged', says: `${by} has ${status} ${id} already` }
    : { kind: 'refused', says: `${by} has ${status} ${id}: the first answer stands` };

/**
 * Writes the decision down first, if the approval is still pending, then tells the execution that
 * waits for it. Nobody waits any more: `wake` starts one that reads the decision.
 */
export const answerApproval = async (
  { clock, events, ledger, workflow }: AnswerDeps,
  incident: Incident,
  { action, approvalId, by, reason }: Answer,
  wake: (incident: Incident) => Promise<string | 'lost'>,
): Promise<OrderAnswer | 'lost'> => {
  const { approval, id } = incident;
  if (approval === undefined) return { kind: 'refused', says: `nothing of ${id} is asked` };
  if (approval.id !== approvalId) {
    const says = `${approvalId} is not asked any more, the plan has changed: ${approval.id} is`;
    return { kind: 'refused', says };
  }
  const status = wordOf[action];
  if (approval.status === 'withdrawn') {
    return {
      kind: 'refused',
      says: `${approvalId} was denied, and is asked anew: answer the next one`,
    };
  }
  if (approval.status !== 'pending') return sayOld(approval, status);
  const at = clock.now();
  const decision = { status, by, reason, decidedAt: at } as const;
  const answered = await ledger.answerApproval(id, approvalId, decision, at);
  if (answered === 'lost') return 'lost';
  await events.publish(status satisfies Phase, answered, at);
  const taskToken = answered.approval?.taskToken;
  const heard = taskToken === undefined ? 'late' : await workflow.answer(taskToken);
  const says = `${approvalId} of ${id} is ${status}: ${approval.says}`;
  // Who works on it, or resumes it, reads the decision.
  const isWaiting = answered.status === 'held' && answered.operatorHold === undefined;
  if (heard === 'accepted' || !isWaiting) return { kind: 'done', says };
  const execution = await wake(answered);
  return { kind: 'done', says, ...(execution === 'lost' ? {} : { execution }) };
};
