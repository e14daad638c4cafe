import { type ApprovalPolicy, approvalStep } from '../domain/approval.ts';
import { isRehearsal } from '../domain/ids.ts';
import type { Facts, HoldReason, Incident, Verdict } from '../domain/incident.ts';
import type { PhaseEvents } from '../ports/events.ts';
import type { IncidentLedger } from '../ports/ledger.ts';
import type { Clock } from '../ports/system.ts';
import { hold } from './step.ts';

export interface AskDeps {
  readonly ledger: Pick<IncidentLedger, 'save'>;
  readonly events: PhaseEvents;
  readonly approvals: ApprovalPolicy;
  readonly clock: Clock;
}

type Asked =
  | { readonly kind: 'proceed' }
  | { readonly kind: 'needsApproval'; readonly waitSeconds: number }
  | { readonly kind: 'hold'; readonly reason: HoldReason };

/**
 * The last question before anything is done: does a person have to say yes, and has one? While it is
 * asked the incident is held, so that news of the machine wakes it as ever.
 */
export const askFirst = async (
  { approvals, clock, events, ledger }: AskDeps,
  incident: Incident,
  verdict: Verdict,
  facts: Facts,
): Promise<Asked> => {
  const now = clock.now();
  const step = approvalStep(approvals, incident, verdict, facts, now);
  if (step.kind === 'go') return { kind: 'proceed' };
  if (step.kind === 'stop') {
    return hold(ledger, incident, { reason: 'approval', says: step.says }, now);
  }
  const { approval, waitMs } = step;
  const seen =
    step.kind === 'ask'
      ? await ledger.save(incident.id, incident.token, { approval }, now)
      : incident;
  // The plan says that it would be asked.
  if (isRehearsal(incident.id)) return { kind: 'proceed' };
  const says = `a person is asked to ${approval.says}. Approve or deny ${approval.id}.`;
  await hold(ledger, seen, { reason: 'approval', says, until: approval.until }, now);
  if (step.kind === 'ask') await events.publish('approval-requested', seen, now);
  return { kind: 'needsApproval', waitSeconds: Math.max(1, Math.ceil(waitMs / 1000)) };
};
