import { type ApprovalPolicy, approvalStep } from '../domain/approval.ts';
import { isRehearsal } from '../domain/ids.ts';
import type { Facts, HoldReason, Incident, Verdict } from '../domain/incident.ts';
import type { PhaseEvents } from '../ports/events.ts';
import type { IncidentLedger } from '../ports/ledger.ts';
import type { Clock } from '../ports/system.ts';
import { hold, isTold, recordHold } from './step.ts';

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

/** While an execution waits for the answer it looks this often whether there still is a question. */
const lookEverySeconds = 60;

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
    // Silence and a denial are news of their own, after however many looks.
    const { hold: before, ...anew } = incident;
    const known = before?.says === step.says ? incident : anew;
    return hold(ledger, known, { reason: 'approval', says: step.says }, now);
  }
  const { approval, waitMs } = step;
  // The plan says that it would be asked.
  if (isRehearsal(incident.id)) {
    await ledger.save(incident.id, incident.token, { approval }, now);
    return { kind: 'proceed' };
  }
  const says = `a person is asked to ${approval.says}. Approve or deny ${approval.id}.`;
  const wish = { reason: 'approval', says, until: approval.until } as const;
  const isNew = step.kind === 'ask';
  const held = await recordHold(ledger, incident, wish, now, isNew ? { approval } : {});
  if (isNew || isTold(held.hold?.looks ?? 0)) await events.publish('approval-requested', held, now);
  const seconds = Math.min(lookEverySeconds, Math.max(1, Math.ceil(waitMs / 1000)));
  return { kind: 'needsApproval', waitSeconds: seconds };
};
