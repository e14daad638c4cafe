import * as z from 'zod';
import * as steps from '../../src/contracts/steps.ts';
import type { FailoverErrorName } from '../../src/domain/errors.ts';
import type { Machine } from './machine.ts';

/** What one task of the workflow takes, answers and is followed by. */
export interface Step {
  readonly input: z.ZodType;
  readonly output: z.ZodType;
  /** The state that follows each decision. */
  readonly routes: Readonly<Record<string, string>>;
}

/** The compiler misses a decision that is added to a step and not routed here. */
const step = <Decision extends { readonly kind: string }>(
  input: z.ZodType,
  output: z.ZodType<Decision>,
  routes: Readonly<Record<Decision['kind'], string>>,
): Step => ({ input, output, routes });

const { StepInput } = steps;
const hold = 'HoldIncident';

type Contract = Readonly<Record<string, Step>>;

/** The failover as documented in statemachines/README.md. */
const failover: Contract = {
  OpenIncident: step(steps.OpenIncidentInput, steps.OpenIncidentOutput, {
    opened: 'KeepKeys',
    joined: 'JoinedIncident',
    refused: 'RefuseRequest',
  }),
  AssessAgent: step(steps.AssessAgentInput, steps.AssessAgentOutput, {
    proceed: 'ProtectData',
    needsApproval: 'AwaitApproval',
    watch: 'WaitForEvidence',
    planned: 'TurnIncident',
    cancelled: 'UndoProtection',
    returned: 'QuarantineAgent',
    hold,
  }),
  // What it is answered by its token leads the same way as silence: the ledger knows.
  AwaitApproval: step(steps.AwaitApprovalInput, steps.AwaitApprovalOutput, {
    waits: 'AssessAgent',
  }),
  QuarantineAgent: step(StepInput, steps.QuarantineAgentOutput, {
    quarantined: 'CloseIncident',
    waiting: 'WaitForQuarantine',
    changed: 'WaitForEvidence',
    cancelled: 'UndoProtection',
    hold,
  }),
  TurnIncident: step(steps.TurnIncidentInput, steps.TurnIncidentOutput, {
    turned: 'TurnedIncident',
  }),
  ProtectData: step(StepInput, steps.ProtectDataOutput, {
    protected: 'FenceAgent',
    cancelled: 'UndoProtection',
    hold,
  }),
  FenceAgent: step(StepInput, steps.FenceAgentOutput, {
    fenced: 'ReleaseVolumes',
    waiting: 'WaitForFence',
    cancelled: 'UndoProtection',
    hold,
  }),
  ReleaseVolume: step(steps.ReleaseVolumeInput, steps.ReleaseVolumeOutput, {
    waiting: 'WaitForRelease',
    released: 'EndRelease',
    held: 'EndRelease',
    lost: 'EndRelease',
  }),
  HandOff: step(StepInput, steps.HandOffOutput, {
    handedOff: 'VerifyRecovery',
    waiting: 'WaitForHandOff',
    hold,
  }),
  VerifyRecovery: step(StepInput, steps.VerifyRecoveryOutput, {
    recovered: 'CloseIncident',
    waiting: 'WaitForRecovery',
    hold,
  }),
  UndoProtection: step(StepInput, steps.UndoProtectionOutput, { undone: 'CloseIncident' }),
  CloseIncident: step(StepInput, steps.CloseIncidentOutput, {
    closed: 'ReportEnd',
    planned: 'ReportPlan',
  }),
  HoldIncident: step(steps.HoldIncidentInput, steps.HoldIncidentOutput, {
    retry: 'WaitInHold',
    ended: 'ReportEnd',
    planned: 'ReportPlan',
  }),
};

const {
  AssessAgent: _a,
  AwaitApproval: _w,
  QuarantineAgent: _q,
  FenceAgent: _f,
  ReleaseVolume: _r,
  HandOff: _h,
  ...common
} = failover;

/** The planned move, documented there too. */
const drain: Contract = {
  ...common,
  AssessDrain: step(steps.AssessAgentInput, steps.AssessDrainOutput, {
    proceed: 'ProtectData',
    watch: 'WaitForEvidence',
    failover: 'TurnIncident',
    cancelled: 'UndoProtection',
    hold,
  }),
  ProtectData: step(StepInput, steps.ProtectDataOutput, {
    protected: 'DrainAgent',
    cancelled: 'UndoProtection',
    hold,
  }),
  DrainAgent: step(StepInput, steps.DrainAgentOutput, {
    drained: 'VerifyRecovery',
    waiting: 'WaitForDrain',
    failover: 'TurnIncident',
    hold,
  }),
};

/** What the tasks of each machine take, answer and lead to. */
export const contracts = {
  'failover.asl.json': failover,
  'drain.asl.json': drain,
} as const satisfies Record<string, Contract>;
export type MachineFile = keyof typeof contracts;

/** A drain has no fence; by that the machines are told apart. */
export const fileOf = ({ States }: Pick<Machine, 'States'>): MachineFile =>
  'AssessDrain' in States ? 'drain.asl.json' : 'failover.asl.json';

const Kind = z.union([
  z.object({ const: z.string() }).transform((kind) => [kind.const]),
  z.object({ enum: z.array(z.string()) }).transform((kind) => kind.enum),
]);
const Variant = z.object({ properties: z.looseObject({ kind: Kind }) });
const Variants = z.union([
  z.object({ oneOf: z.array(Variant) }).transform(({ oneOf }) => oneOf),
  z.object({ anyOf: z.array(Variant) }).transform(({ anyOf }) => anyOf),
  Variant.transform((only) => [only]),
]);

/** The decision kinds of a step, as its schema has them. */
export const kindsOf = ({ output }: Step): string[] =>
  Variants.parse(z.toJSONSchema(output, { unrepresentable: 'any' })).flatMap(
    ({ properties }) => properties.kind,
  );

/**
 * What the workflow does about each error of ours. `retry`: it may pass by itself; what does not
 * is held. `hold`: repeating changes nothing, a person or new facts do. `yield`: another execution
 * holds the incident, or nobody does any more.
 */
export const treatmentOf = {
  ConfigError: 'hold',
  ParseError: 'hold',
  SignalRefusedError: 'hold',
  TokenLostError: 'yield',
  StoppedByOperatorError: 'hold',
  CorruptRecordError: 'hold',
  LedgerUnavailableError: 'retry',
  LedgerRewoundError: 'hold',
  IncidentNotFoundError: 'yield',
  CloudThrottledError: 'retry',
  CloudUnavailableError: 'retry',
  CloudAmbiguousError: 'retry',
  CloudRefusedError: 'hold',
  NotAuthorizedError: 'hold',
  OrchestratorUnavailableError: 'retry',
  OrchestratorRefusedError: 'hold',
  NotifierUnavailableError: 'hold',
} as const satisfies Record<FailoverErrorName, 'retry' | 'hold' | 'yield'>;

/**
 * Failures of the platform that pass by themselves. Lambda.Unknown is a crash, and a timeout on
 * older runtimes; newer ones call that Sandbox.Timedout (Step Functions guide, "Handle transient
 * Lambda service exceptions").
 */
export const platformErrors = [
  'Lambda.ServiceException',
  'Lambda.AWSLambdaException',
  'Lambda.SdkClientException',
  'Lambda.ClientExecutionTimeoutException',
  'Lambda.TooManyRequestsException',
  'Lambda.Unknown',
  'Sandbox.Timedout',
  'States.Timeout',
] as const;

/** Where a task's error ends up when repeating did not help. */
export const heldBy = (task: string): string =>
  ({ OpenIncident: 'RejectRequest', ReleaseVolume: 'LeaveVolume', HoldIncident: 'HoldFailed' })[
    task
  ] ?? hold;

/** One volume's branch ends held whatever happens: HandOff meets the lost token itself. */
export const yieldsTo = (task: string): string =>
  task === 'ReleaseVolume' ? 'LeaveVolume' : 'Superseded';
