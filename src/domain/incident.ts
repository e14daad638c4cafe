import type { AgentId, EpochMs, IncidentId, InstanceId, LaunchTime, VolumeId } from './ids.ts';
import type { InstanceState } from './machine.ts';
import type { App } from './service.ts';

/** Where a signal came from. */
export type SignalSource =
  | 'ec2-state'
  | 'status-alarm'
  | 'health'
  | 'sweep'
  | 'operator'
  | 'spot'
  | 'auto-scaling';

/** A lifecycle hook of an Auto Scaling group that waits for us before it terminates a machine. */
export interface LifecycleHook {
  readonly group: string;
  readonly hook: string;
  /** `LifecycleActionToken`: names this one action; it gives no right by itself. */
  readonly token: string;
}

/** What is planned for a machine that works until then: a reason to move, none to fence. */
export interface Notice {
  /** Health schedule, Spot warning, Auto Scaling terminate hook, a person's wish. */
  readonly kind: 'retiring' | 'interrupted' | 'leaving' | 'asked';
  /** What will happen to it. */
  readonly action: 'stop' | 'terminate' | 'hibernate' | 'reboot' | 'maintenance';
  /** Not before this; absent: nobody said when, or it may come at once. */
  readonly deadline?: EpochMs;
  readonly hook?: LifecycleHook;
}

/** How a person wants it done. */
export interface Wish {
  readonly fence?: 'stop' | 'terminate';
  readonly force?: boolean;
  /** These and no others. */
  readonly volumes?: readonly VolumeId[];
}

/** One reason to look at one instance. Evidence or a wake-up, never a fact. */
export interface Signal {
  /** Equal keys are the same signal delivered again. */
  readonly key: string;
  readonly source: SignalSource;
  readonly instanceId: InstanceId;
  /** What the source said, in words for people. */
  readonly says: string;
  /** When the source says it happened; never used to order anything. */
  readonly occurredAt?: EpochMs;
  /** When it reached us. */
  readonly receivedAt: EpochMs;
  /** What is planned for the machine, where the signal announces something. */
  readonly notice?: Notice;
  /** How whoever asked for it wants it done. */
  readonly wish?: Wish;
}

export type VerdictKind =
  | 'Down'
  | 'Impaired'
  | 'Ordered'
  | 'Suspect'
  | 'Blind'
  | 'Recovered'
  | 'Partitioned'
  | 'Returned'
  | 'Retiring'
  | 'Interrupted'
  | 'Leaving';

export interface Verdict {
  readonly kind: VerdictKind;
  readonly at: EpochMs;
  /** Evidence in words: why this verdict. */
  readonly why: readonly string[];
  /** Evidence in words: what spoke against acting. */
  readonly whyNot: readonly string[];
  /** Suspect: when another look could change it. Milliseconds from `at`. */
  readonly lookAgainMs?: number;
  /** Mesos has not seen it working since, by looks of this incident one after the other. */
  readonly lostSince?: EpochMs;
  /** Retiring, Interrupted, Leaving: from then on AWS is so close to it that we may. */
  readonly fenceFrom?: EpochMs;
}

/** A volume of the agent as it was when the incident looked, and whether it is ours to move. */
export interface IncidentVolume {
  readonly volumeId: VolumeId;
  readonly name: string;
  readonly device: string;
  readonly availabilityZone: string;
  readonly deleteOnTermination: boolean;
  /** Apps that use it. */
  readonly appIds: readonly string[];
}

/** What was true of the agent when the incident looked, kept because a dead agent cannot tell. */
export interface Facts {
  readonly at: EpochMs;
  readonly launchTime: LaunchTime;
  readonly state: InstanceState;
  readonly availabilityZone: string;
  readonly privateIp?: string;
  readonly agentIds: readonly AgentId[];
  readonly volumes: readonly IncidentVolume[];
  /** Volumes on the agent that are left alone, with the reason. */
  readonly leftAlone: readonly { readonly volumeId: VolumeId; readonly why: string }[];
  readonly apps: readonly App[];
  readonly tasks: readonly { readonly id: string; readonly appId: string }[];
}

/** What stopped the workflow before its next mutation. */
export type HoldReason =
  | 'paused'
  | 'maintenance'
  | 'blind'
  | 'unknown-incarnation'
  | 'ambiguous-scope'
  | 'multi-attach'
  | 'managed-volume'
  | 'local-persistent-volumes'
  | 'no-agent-id'
  | 'protected-from-stop'
  | 'cannot-be-stopped'
  | 'fence-stuck'
  | 'proof-void'
  | 'weak-fence'
  | 'terminate-would-delete-data'
  | 'volume-stuck'
  | 'volume-lost'
  | 'volume-attached-elsewhere'
  | 'volume-not-usable'
  | 'ledger-rewound'
  | 'no-placement'
  | 'placement-could-leave-zone'
  | 'duplicate-volume-name'
  | 'orchestrator-unavailable'
  | 'recovery-not-seen'
  | 'step-failed'
  | 'partitioned'
  | 'storm'
  | 'flapping'
  | 'returned-agent'
  | 'not-due'
  | 'another-move'
  | 'cannot-drain'
  | 'drain-stuck'
  | 'operator-hold'
  | 'approval';

export interface Hold {
  readonly reason: HoldReason;
  /** For people: what is wrong and what to do next. */
  readonly says: string;
  readonly since: EpochMs;
  /** Looks taken while held; the wait between them grows. */
  readonly looks: number;
  /** After this the sweep may start a new execution for it. */
  readonly retryAt: EpochMs;
}

/** What a person is asked before anything is done, and what was answered. */
export interface Approval {
  /** `a1`, `a2`: of this incident. */
  readonly id: string;
  /** `withdrawn`: it was denied, and somebody wants to be asked again. */
  readonly status: 'pending' | 'approved' | 'denied' | 'withdrawn';
  /** What is to be done, exactly; another plan is another approval. */
  readonly plan: string;
  readonly launchTime: LaunchTime;
  readonly askedAt: EpochMs;
  /** Until then an execution waits for the answer. */
  readonly until: EpochMs;
  /** For people: what is to be done, and why. */
  readonly says: string;
  /** Of the execution that waits. Gives the right to go on: never told. */
  readonly taskToken?: string;
  readonly by?: string;
  readonly reason?: string;
  readonly decidedAt?: EpochMs;
}

/** An operator's word that nothing more is done about one incident, until somebody resumes it. */
export interface OperatorHold {
  readonly by: string;
  readonly reason: string;
  readonly at: EpochMs;
}

/** `skip` cuts power, `graceful` and `force` let the guest shut down first. */
export type StopMethod = 'graceful' | 'skip' | 'force' | 'force-skip';
export type FenceMethod = StopMethod | 'terminate' | 'terminate-force' | 'none';
export type FenceStrength = 'strong' | 'weak';

/** One rung of the ladder on one incarnation. Written before the call, completed after it. */
export interface Rung {
  readonly method: Exclude<FenceMethod, 'none'>;
  readonly launchTime: LaunchTime;
  readonly requestedAt: EpochMs;
  /** When EC2's acceptance was known to us; absent if the answer was lost. */
  readonly acceptedAt?: EpochMs;
  /** EC2 error code when it refused. */
  readonly refused?: string;
}

/** One read that agrees the power is off. */
export interface ProofRead {
  /** When the read was issued. */
  readonly at: EpochMs;
  readonly state: 'stopped' | 'terminated';
  readonly launchTime: LaunchTime;
}

export interface Fence {
  /** The read that first found it down without us, or the first command: proof reads come after. */
  readonly since: EpochMs;
  readonly rungs: readonly Rung[];
  /** Earlier incarnations of the same instance that this incident already fenced. */
  readonly voided: readonly LaunchTime[];
  readonly method?: FenceMethod;
  readonly strength?: FenceStrength;
  readonly proof?: readonly [ProofRead, ProofRead];
  /** From then on the first detaches may be made, by EC2's request bucket. */
  readonly detachFrom?: EpochMs;
  /** From then on its apps may be told that the volumes are free, by EC2's bucket for attaches. */
  readonly attachFrom?: EpochMs;
  /** Drawn for the next command, across invocations: who forgets its turn goes to the end of the queue. */
  readonly turn?: PowerTurn;
}

/** From then on one such call may be made, by EC2's request bucket. */
export interface PowerTurn {
  readonly api: 'StopInstances' | 'TerminateInstances';
  readonly at: EpochMs;
}

/** Looked ahead while the fence was under way: there was room beside the data, and only there. */
export interface PlacementChecked {
  readonly at: EpochMs;
  /** The agents it was checked against. */
  readonly agents: string;
  /** By app: the agents that could take it. */
  readonly candidates?: Readonly<Record<string, readonly string[]>>;
}

export interface HandOff {
  readonly startedAt: EpochMs;
  /** Agent ids that were marked gone, or whose tasks were freed. */
  readonly agentIds: readonly AgentId[];
  readonly method: 'mark-gone' | 'wait-unreachable' | 'drain';
  readonly completedAt?: EpochMs;
  /** Apps that were running there and must come back. */
  readonly appIds: readonly string[];
  /** Apps held back because a volume of theirs is not released. */
  readonly heldAppIds: readonly string[];
}

export interface Recovery {
  readonly apps: readonly {
    readonly id: string;
    readonly fromHost: string;
    readonly toHost: string;
    readonly toInstanceId: InstanceId;
    readonly taskId: string;
    readonly healthy: boolean;
  }[];
  readonly at: EpochMs;
}

/** A returned host that was given no work, in the incarnation that was looked at. */
export interface QuarantinedRun {
  readonly launchTime: LaunchTime;
  readonly at: EpochMs;
  /** Agents on it that were deactivated; none where Mesos refuses the host. */
  readonly agentIds: readonly AgentId[];
}

/** What ProtectData changed and UndoProtection or CloseIncident must end. */
export interface Protection {
  readonly deactivatedAgentIds: readonly AgentId[];
  readonly autoScaling:
    | { readonly kind: 'none' }
    | { readonly kind: 'standby'; readonly group: string }
    | { readonly kind: 'suspended'; readonly group: string }
    | { readonly kind: 'replacement-accepted'; readonly group: string };
}

/** Which workflow works on the incident; absent: `failover`. */
export type IncidentMode = 'failover' | 'drain';

/** What a read said of an announcement that nothing takes back. */
export interface Foreseen {
  readonly kind: 'interrupted' | 'leaving';
  readonly at: EpochMs;
  readonly launchTime: LaunchTime;
  readonly says: string;
  readonly deadline?: EpochMs;
}

/** How far a planned move is. */
export interface Drain {
  readonly foreseen?: Foreseen;
  /** When the lifecycle hook was last asked for more time. */
  readonly heartbeatAt?: EpochMs;
  /** The first command to DC/OS: from then on the move is completed, not abandoned. */
  readonly startedAt?: EpochMs;
  readonly method?: 'drain-agent' | 'kill-tasks';
  /** When DC/OS had taken the commands; absent: an answer was lost, they are sent again. */
  readonly acceptedAt?: EpochMs;
  /** Two reads agreed that none of the volumes is on the machine any more. */
  readonly completedAt?: EpochMs;
}

export type IncidentStatus = 'open' | 'held' | 'recovered' | 'cancelled';

/** The whole incident as the ledger keeps it. */
export interface Incident {
  readonly id: IncidentId;
  readonly cluster: string;
  readonly instanceId: InstanceId;
  readonly n: number;
  readonly status: IncidentStatus;
  /** Rises whenever an execution takes the incident over; a stale one mutates nothing. */
  readonly token: number;
  /** Number of audit records reserved so far. */
  readonly seq: number;
  readonly executionName: string;
  readonly executionArn?: string;
  readonly openedAt: EpochMs;
  readonly updatedAt: EpochMs;
  readonly signals: readonly Signal[];
  readonly verdict?: Verdict;
  readonly facts?: Facts;
  readonly protection?: Protection;
  readonly fence?: Fence;
  readonly placement?: PlacementChecked;
  readonly handOff?: HandOff;
  readonly recovery?: Recovery;
  /** The fenced host came back, and this is how it was kept from work. */
  readonly quarantine?: QuarantinedRun;
  readonly hold?: Hold;
  readonly operatorHold?: OperatorHold;
  readonly approval?: Approval;
  /** What an operator has waved through. */
  readonly acknowledged?: readonly HoldReason[];
  readonly closedAt?: EpochMs;
  readonly mode?: IncidentMode;
  readonly drain?: Drain;
}

/** A change to an incident; every key replaces the whole facet. */
export type IncidentPatch = Partial<
  Pick<
    Incident,
    | 'status'
    | 'verdict'
    | 'facts'
    | 'protection'
    | 'fence'
    | 'placement'
    | 'handOff'
    | 'recovery'
    | 'quarantine'
    | 'acknowledged'
    | 'approval'
    | 'closedAt'
    | 'mode'
    | 'drain'
  >
> & {
  /** `null` ends the hold. */
  readonly hold?: Hold | null;
  readonly operatorHold?: OperatorHold | null;
};

/** One mutating call, written down before it is made and completed after. */
export interface CallIntent {
  /** AWS operation or HTTP call. */
  readonly call: string;
  /** What it acts on. */
  readonly target: string;
  /** Everything needed to judge it later; no secrets. */
  readonly parameters: Readonly<Record<string, string | number | boolean>>;
  /** The volume's epoch, where the call concerns one. */
  readonly epoch?: number;
}

export type CallOutcome =
  | { readonly kind: 'accepted'; readonly at: EpochMs; readonly requestId?: string }
  | { readonly kind: 'refused'; readonly at: EpochMs; readonly error: string }
  | { readonly kind: 'unknown'; readonly at: EpochMs; readonly error: string };

/** A line of the append-only audit. */
export interface AuditRecord extends CallIntent {
  readonly seq: number;
  readonly token: number;
  readonly actor: string;
  readonly intendedAt: EpochMs;
  readonly outcome?: CallOutcome;
}
