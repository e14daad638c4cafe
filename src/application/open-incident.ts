import { modeOf } from '../domain/announced.ts';
import {
  drainMachineSuffix,
  type IncidentId,
  type InstanceId,
  type VolumeId,
} from '../domain/ids.ts';
import type { Incident, IncidentMode, Signal, Wish } from '../domain/incident.ts';
import type { Scope } from '../domain/scope.ts';
import type { ComputeReads } from '../ports/compute.ts';
import type { ClusterLedger, IncidentLedger } from '../ports/ledger.ts';
import type { Clock } from '../ports/system.ts';
import type { Workflow } from '../ports/workflow.ts';
import { whyRefused } from './intake.ts';

export interface OpenIncidentDeps {
  readonly ledger: Pick<
    IncidentLedger,
    'admit' | 'takeOver' | 'bindExecution' | 'incident' | 'rehearse' | 'save'
  > &
    Pick<ClusterLedger, 'inventory'>;
  readonly compute: Pick<ComputeReads, 'instance'>;
  readonly workflow: Pick<Workflow, 'status'>;
  readonly scope: Scope;
  readonly clock: Clock;
}

export interface OpenIncidentRequest {
  readonly instanceId: InstanceId;
  /** Both or neither: given by intake and the sweep, which allocated them in the ledger. */
  readonly incidentId?: IncidentId;
  readonly token?: number;
  readonly reason?: string;
  readonly requestedBy?: string;
  /** The same states, and no change. */
  readonly dryRun?: boolean;
  /** How it is to be done. */
  readonly fence?: 'stop' | 'terminate';
  readonly force?: boolean;
  readonly volumes?: readonly VolumeId[];
  /** The workflow this is an execution of; absent: `failover`. */
  readonly mode?: IncidentMode;
  readonly executionArn: string;
  readonly executionName: string;
}

export type OpenIncidentDecision =
  | {
      readonly kind: 'opened';
      readonly incidentId: IncidentId;
      readonly instanceId: InstanceId;
      readonly token: number;
    }
  | {
      readonly kind: 'joined';
      readonly incidentId: IncidentId;
      readonly instanceId: InstanceId;
      readonly execution: string;
      readonly says: string;
    }
  | { readonly kind: 'refused'; readonly instanceId: InstanceId; readonly says: string };

const bind = async (
  deps: OpenIncidentDeps,
  request: OpenIncidentRequest,
  incidentId: IncidentId,
  token: number,
): Promise<OpenIncidentDecision> => {
  const { instanceId, executionArn } = request;
  const bound = await deps.ledger.bindExecution(incidentId, token, executionArn, deps.clock.now());
  if (bound === 'lost') {
    const says = `incident ${incidentId} is closed, or another execution holds it`;
    return { kind: 'refused', instanceId, says };
  }
  return { kind: 'opened', incidentId, instanceId, token };
};

const wishOf = ({ fence, force, volumes }: OpenIncidentRequest): Wish => ({
  ...(fence === undefined ? {} : { fence }),
  ...(force === undefined ? {} : { force }),
  ...(volumes === undefined ? {} : { volumes }),
});

const operatorSignal = (request: OpenIncidentRequest, clock: Clock): Signal => ({
  key: `operator:${request.executionName}`,
  source: 'operator',
  instanceId: request.instanceId,
  says:
    `${request.requestedBy ?? 'an operator'} asked for a ${modeOf(request)}` +
    (request.reason === undefined ? '' : `: ${request.reason}`),
  receivedAt: clock.now(),
  ...(modeOf(request) === 'drain' ? { notice: { kind: 'asked', action: 'maintenance' } } : {}),
  ...(Object.keys(wishOf(request)).length > 0 && { wish: wishOf(request) }),
});

/** The execution that does the work now, if the recorded one still runs. */
const runningExecution = async (
  deps: OpenIncidentDeps,
  incident: Incident,
  siblingArn: string,
): Promise<string | undefined> => {
  // ARNs of one state machine differ in the name at their end only, those of the two in a suffix.
  const [, before = '', machine = ''] = /^(.*:execution:)([^:]+):/.exec(siblingArn) ?? [];
  const base = machine.endsWith(drainMachineSuffix)
    ? machine.slice(0, -drainMachineSuffix.length)
    : machine;
  const suffix = modeOf(incident) === 'drain' ? drainMachineSuffix : '';
  const arn = incident.executionArn ?? `${before}${base}${suffix}:${incident.executionName}`;
  return (await deps.workflow.status(arn)) === 'RUNNING' ? arn : undefined;
};

/** A person started this execution: same gate as an event. */
const openByOperator = async (
  deps: OpenIncidentDeps,
  request: OpenIncidentRequest,
): Promise<OpenIncidentDecision> => {
  const { instanceId, executionArn } = request;
  const why = await whyRefused(deps, instanceId);
  if (why !== undefined) {
    return { kind: 'refused', instanceId, says: `${instanceId} ${why}; nothing was done` };
  }
  if (request.dryRun === true) {
    const signal = operatorSignal(request, deps.clock);
    const { executionName } = request;
    const dry = await deps.ledger.rehearse(deps.scope.cluster, signal, executionName);
    return bind(deps, request, dry.id, dry.token);
  }
  const admitted = await deps.ledger.admit(deps.scope.cluster, operatorSignal(request, deps.clock));
  const { incident } = admitted;
  if (admitted.kind === 'opened' || incident.executionArn === executionArn) {
    return bind(deps, request, incident.id, incident.token);
  }
  const execution = await runningExecution(deps, incident, executionArn);
  if (execution !== undefined) {
    const says = `${execution} already works on incident ${incident.id}; your reason was added to it`;
    return { kind: 'joined', incidentId: incident.id, instanceId, execution, says };
  }
  if (modeOf(request) === 'drain' && modeOf(incident) === 'failover') {
    const says = `incident ${incident.id} is a failover; resume that one`;
    return { kind: 'refused', instanceId, says };
  }
  const { id, status, token } = incident;
  const taken = await deps.ledger.takeOver(id, token, deps.clock.now(), {}, status);
  if (taken === 'lost') {
    return { kind: 'refused', instanceId, says: `incident ${incident.id} was just taken over` };
  }
  // A person who asks for a failover of what was to be moved gets one.
  if (modeOf(taken) !== modeOf(request)) {
    const patch = { mode: modeOf(request) };
    await deps.ledger.save(taken.id, taken.token, patch, deps.clock.now());
  }
  return bind(deps, request, taken.id, taken.token);
};

/**
 * Finds or creates the one open incident of the instance and binds this execution to it. After
 * this, only the execution whose token the ledger holds may change anything.
 */
export const createOpenIncident =
  (deps: OpenIncidentDeps) =>
  (request: OpenIncidentRequest): Promise<OpenIncidentDecision> =>
    request.incidentId !== undefined && request.token !== undefined
      ? bind(deps, request, request.incidentId, request.token)
      : openByOperator(deps, request);
