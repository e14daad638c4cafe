import type { IncidentId } from '../domain/ids.ts';
import { isRehearsal } from '../domain/ids.ts';
import type { HoldReason } from '../domain/incident.ts';
import { type Plan, planOf, sayPlan } from '../domain/plan.ts';
import type { ClusterLedger, IncidentLedger } from '../ports/ledger.ts';
import type { Clock } from '../ports/system.ts';
import { loadIncident, type StepInput } from './step.ts';
import { heldByOperator } from './switches.ts';

export interface ReportPlanDeps {
  readonly ledger: Pick<IncidentLedger, 'audit' | 'close' | 'incident'> &
    Pick<ClusterLedger, 'control'>;
  readonly clock: Clock;
}

export interface PlanDecision {
  readonly kind: 'planned';
  readonly summary: string;
  readonly plan: Plan;
}

interface Failed {
  readonly failure?: { readonly error: string };
}

/** Ends a rehearsal, wherever it has come to, with what it has found out. */
const createReportPlan =
  ({ clock, ledger }: ReportPlanDeps) =>
  async (input: StepInput & Failed): Promise<PlanDecision> => {
    const incident = await loadIncident(ledger, input);
    const [audit, control] = await Promise.all([
      ledger.audit(incident.id),
      ledger.control(incident.cluster),
    ]);
    const switched = heldByOperator(incident, control, clock.now());
    const failed: { reason: HoldReason; says: string }[] =
      input.failure === undefined
        ? []
        : [{ reason: 'step-failed', says: `a step would fail: ${input.failure.error}` }];
    const plan = planOf(incident, audit, [...failed, ...(switched ? [switched] : [])]);
    await ledger.close(incident.id, incident.token, { status: 'cancelled' }, clock.now());
    return { kind: 'planned', summary: sayPlan(plan), plan };
  };

/** The last step of an incident, or of a rehearsal, which ends with its plan instead. */
export const orPlan =
  <Input extends StepInput & Failed, Decision>(
    deps: ReportPlanDeps,
    step: (input: Input) => Promise<Decision>,
  ) =>
  (input: Input): Promise<Decision | PlanDecision> =>
    isRehearsal(input.incidentId satisfies IncidentId)
      ? createReportPlan(deps)(input)
      : step(input);
