import * as z from 'zod';
import type { HoldReason } from '../domain/incident.ts';
import type { Plan } from '../domain/plan.ts';
import { releasedAtOnce } from '../domain/release.ts';
import { IncidentIdText, InstanceIdText, VolumeIdText } from './ids.ts';

/**
 * What each state of statemachines/failover.asl.json passes to its function and gets back. The
 * state carries keys and decisions; the facts are in the ledger. `kind` is what Choice states
 * route on, `waitSeconds` what Wait states wait for.
 */

const token = z.int().min(1);
/** For people. */
const sentence = z.string().min(1);
/** A Wait state takes whole seconds; zero would make a loop without a pause. */
const waitSeconds = z.int().min(1);

// Spelled as an object so that the compiler misses a reason that is added to the domain.
export const HoldReasonText = z.enum({
  paused: 'paused',
  maintenance: 'maintenance',
  blind: 'blind',
  'unknown-incarnation': 'unknown-incarnation',
  'ambiguous-scope': 'ambiguous-scope',
  'multi-attach': 'multi-attach',
  'managed-volume': 'managed-volume',
  'local-persistent-volumes': 'local-persistent-volumes',
  'no-agent-id': 'no-agent-id',
  'protected-from-stop': 'protected-from-stop',
  'cannot-be-stopped': 'cannot-be-stopped',
  'fence-stuck': 'fence-stuck',
  'proof-void': 'proof-void',
  'weak-fence': 'weak-fence',
  'terminate-would-delete-data': 'terminate-would-delete-data',
  'volume-stuck': 'volume-stuck',
  'volume-lost': 'volume-lost',
  'volume-attached-elsewhere': 'volume-attached-elsewhere',
  'volume-not-usable': 'volume-not-usable',
  'ledger-rewound': 'ledger-rewound',
  'no-placement': 'no-placement',
  'placement-could-leave-zone': 'placement-could-leave-zone',
  'duplicate-volume-name': 'duplicate-volume-name',
  'orchestrator-unavailable': 'orchestrator-unavailable',
  'recovery-not-seen': 'recovery-not-seen',
  'step-failed': 'step-failed',
  partitioned: 'partitioned',
  storm: 'storm',
  flapping: 'flapping',
  'returned-agent': 'returned-agent',
  'not-due': 'not-due',
  'another-move': 'another-move',
  'cannot-drain': 'cannot-drain',
  'drain-stuck': 'drain-stuck',
  'operator-hold': 'operator-hold',
  approval: 'approval',
} satisfies { [Reason in HoldReason]: Reason });

const cancelled = z.strictObject({ kind: z.literal('cancelled') });
const hold = z.strictObject({ kind: z.literal('hold'), reason: HoldReasonText });
const waiting = z.strictObject({ kind: z.literal('waiting'), waitSeconds });

/** The keys every step after OpenIncident works with. */
export const StepInput = z.strictObject({ incidentId: IncidentIdText, token });
export type StepInput = z.infer<typeof StepInput>;

const truth = z.boolean({ error: 'must be true or false, without quotes' });

const Request = z.object({
  instanceId: InstanceIdText,
  reason: sentence.exactOptional(),
  requestedBy: sentence.exactOptional(),
  incidentId: IncidentIdText.exactOptional(),
  token: token.exactOptional(),
  /** The same states and no change: it ends with the plan. */
  dryRun: truth.exactOptional(),
  /** Which machine the person means: the other one refuses it. */
  mode: z.enum(['failover', 'drain'], { error: 'must be failover or drain' }).exactOptional(),
  fence: z.enum(['stop', 'terminate'], { error: 'must be stop or terminate' }).exactOptional(),
  /** Passes the guards that only keep things orderly, and none that keeps data safe. */
  force: truth.exactOptional(),
  volumes: z
    .array(VolumeIdText, { error: 'must be a list of EBS volume ids' })
    .min(1, 'must name a volume, or be left out')
    .exactOptional(),
});
const options: ReadonlyMap<string, string> = new Map(
  Object.keys(Request.shape).map((name) => [name.toLowerCase(), name]),
);

/**
 * What a person or intake starts an execution with. Keys we do not know are dropped (the console
 * puts a `Comment` there), but not one that is an option of ours in another spelling: a `dry_run`
 * that nobody reads would be a real failover.
 */
const ExecutionInput = z
  .record(z.string(), z.unknown())
  .superRefine((input, context) => {
    for (const key of Object.keys(input)) {
      const meant = options.get(key.toLowerCase().replace(/[^a-z]/g, ''));
      if (meant === undefined || meant === key) continue;
      context.addIssue({ code: 'custom', path: [key], message: `did you mean ${meant}?` });
    }
  })
  .pipe(Request)
  .refine(({ dryRun, incidentId }) => dryRun !== true || incidentId === undefined, {
    error: 'a dry run is about an instance: leave incidentId and token out',
  })
  .refine(({ incidentId, token }) => (incidentId === undefined) === (token === undefined), {
    error: 'incidentId and token go together: give both, or neither',
  });

/** `input` is the execution's input as it was started, by a person, by intake or by the sweep. */
export const OpenIncidentInput = z
  .strictObject({
    input: ExecutionInput,
    executionArn: z.string().min(1),
    executionName: z.string().min(1),
    /** The state machine's own word; absent: the failover's. */
    mode: z.literal('drain').exactOptional(),
  })
  .refine(({ input, mode = 'failover' }) => input.mode === undefined || input.mode === mode, {
    error: 'mode names the other state machine: start that one',
    path: ['input', 'mode'],
  })
  .refine(({ input, mode }) => input.fence === undefined || mode !== 'drain', {
    error: 'a drain fences nothing: leave it out, or start the failover',
    path: ['input', 'fence'],
  });
export type OpenIncidentInput = z.infer<typeof OpenIncidentInput>;

export const OpenIncidentOutput = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('opened'),
    incidentId: IncidentIdText,
    instanceId: InstanceIdText,
    token,
  }),
  /** Another execution is at work; `execution` names it. */
  z.strictObject({
    kind: z.literal('joined'),
    incidentId: IncidentIdText,
    instanceId: InstanceIdText,
    execution: z.string().min(1),
    says: sentence,
  }),
  z.strictObject({ kind: z.literal('refused'), instanceId: InstanceIdText, says: sentence }),
]);
export type OpenIncidentOutput = z.infer<typeof OpenIncidentOutput>;

/** `executionArn` is bound to the token before anything else. */
export const AssessAgentInput = StepInput.extend({ executionArn: z.string().min(1) });
export type AssessAgentInput = z.infer<typeof AssessAgentInput>;

export const AssessAgentOutput = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('proceed') }),
  z.strictObject({ kind: z.literal('watch'), waitSeconds }),
  /** It works, and something is announced for it: that is the other workflow's. */
  z.strictObject({ kind: z.literal('planned') }),
  /** A person is asked; an execution waits so long for the answer. */
  z.strictObject({ kind: z.literal('needsApproval'), waitSeconds }),
  cancelled,
  z.strictObject({ kind: z.literal('returned') }),
  hold,
]);
export type AssessAgentOutput = z.infer<typeof AssessAgentOutput>;

/** The token is the state's own, a fresh one each time it is entered. */
export const AwaitApprovalInput = StepInput.extend({ taskToken: z.string().min(1) });
/** Nobody reads it: the workflow goes on with what it is answered by its token. */
export const AwaitApprovalOutput = z.strictObject({ kind: z.literal('waits') });

/** A fenced host that came back; `changed`: it is not idle any more, and is looked at anew. */
export const QuarantineAgentOutput = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('quarantined') }),
  waiting,
  z.strictObject({ kind: z.literal('changed'), waitSeconds }),
  cancelled,
  hold,
]);
export type QuarantineAgentOutput = z.infer<typeof QuarantineAgentOutput>;
/** `failover`: it has failed, or time is up: that is the other workflow's. */
const failover = z.strictObject({ kind: z.literal('failover') });

export const AssessDrainOutput = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('proceed') }),
  z.strictObject({ kind: z.literal('watch'), waitSeconds }),
  failover,
  cancelled,
  hold,
]);
export type AssessDrainOutput = z.infer<typeof AssessDrainOutput>;

export const DrainAgentOutput = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('drained') }),
  waiting,
  failover,
  hold,
]);
export type DrainAgentOutput = z.infer<typeof DrainAgentOutput>;

/** `from`: the workflow that gives it away. */
export const TurnIncidentInput = StepInput.extend({ from: z.enum(['failover', 'drain']) });
export type TurnIncidentInput = z.infer<typeof TurnIncidentInput>;

/** The execution that works on it from now on. */
export const TurnIncidentOutput = z.strictObject({
  kind: z.literal('turned'),
  execution: z.string().min(1),
});
export type TurnIncidentOutput = z.infer<typeof TurnIncidentOutput>;

export const ProtectDataOutput = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('protected') }),
  cancelled,
  hold,
]);
export type ProtectDataOutput = z.infer<typeof ProtectDataOutput>;

/** What ReleaseVolumes maps over: the volumes of one agent, as many as one invocation takes. */
const VolumeGroup = z.array(VolumeIdText).min(1).max(releasedAtOnce).readonly();

export const FenceAgentOutput = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('fenced'), groups: z.array(VolumeGroup).readonly() }),
  waiting,
  cancelled,
  hold,
]);
export type FenceAgentOutput = z.infer<typeof FenceAgentOutput>;

export const ReleaseVolumeInput = StepInput.extend({ volumeIds: VolumeGroup });
export type ReleaseVolumeInput = z.infer<typeof ReleaseVolumeInput>;

/** The worst of what became of them; each volume's own end is in the ledger. */
export const ReleaseVolumeOutput = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.enum(['released', 'held', 'lost']) }),
  waiting,
]);
export type ReleaseVolumeOutput = z.infer<typeof ReleaseVolumeOutput>;

export const HandOffOutput = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('handedOff') }),
  waiting,
  hold,
]);
export type HandOffOutput = z.infer<typeof HandOffOutput>;

export const VerifyRecoveryOutput = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('recovered') }),
  waiting,
  hold,
]);
export type VerifyRecoveryOutput = z.infer<typeof VerifyRecoveryOutput>;

export const UndoProtectionOutput = z.strictObject({ kind: z.literal('undone') });
export type UndoProtectionOutput = z.infer<typeof UndoProtectionOutput>;

/** How a dry run ends; src/domain/plan.ts says what is in a plan. */
const planned = z.strictObject({
  kind: z.literal('planned'),
  summary: sentence,
  plan: z.custom<Plan>((value) => typeof value === 'object' && value !== null, 'no plan'),
});

export const CloseIncidentOutput = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('closed'),
    status: z.enum(['recovered', 'cancelled']),
    summary: sentence,
  }),
  planned,
]);
export type CloseIncidentOutput = z.infer<typeof CloseIncidentOutput>;

/** `state` is the whole state data: a Catch left its error there, a decision left none. */
export const HoldIncidentInput = StepInput.extend({
  state: z.looseObject({ error: z.looseObject({ Error: z.string() }).exactOptional() }),
});
export type HoldIncidentInput = z.infer<typeof HoldIncidentInput>;

export const HoldIncidentOutput = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('retry'), waitSeconds }),
  z.strictObject({ kind: z.literal('ended'), status: z.literal('held'), summary: sentence }),
  planned,
]);
export type HoldIncidentOutput = z.infer<typeof HoldIncidentOutput>;
