import type { IncidentLedger } from '../ports/ledger.ts';
import type { Clock, Log } from '../ports/system.ts';
import type { Workflow } from '../ports/workflow.ts';
import { loadIncident, type StepInput } from './step.ts';

export interface AwaitApprovalDeps {
  readonly ledger: Pick<IncidentLedger, 'awaitAnswer' | 'incident'>;
  readonly workflow: Pick<Workflow, 'answer'>;
  readonly clock: Clock;
  readonly log: Log;
}

/** A task token is the execution's own: it is kept in the ledger and told to nobody. */
export interface AwaitApprovalInput extends StepInput {
  readonly taskToken: string;
}

/**
 * The workflow waits for whoever is given its token. An answer that is there already is passed on at
 * once: it may have been given before the execution came here, or while it died.
 */
export const createAwaitApproval =
  (deps: AwaitApprovalDeps) =>
  async ({ taskToken, ...input }: AwaitApprovalInput): Promise<{ readonly kind: 'waits' }> => {
    const { clock, ledger, log, workflow } = deps;
    const { approval, id } = await loadIncident(ledger, input);
    const isOpen = approval?.status === 'pending';
    const waits =
      isOpen && (await ledger.awaitAnswer(id, input.token, approval.id, taskToken, clock.now()));
    if (waits === 'waits') return { kind: 'waits' };
    const answered = await workflow.answer(taskToken);
    log.info('approval answered before', { incidentId: id, approvalId: approval?.id, answered });
    return { kind: 'waits' };
  };
