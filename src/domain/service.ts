import type { AgentId, EpochMs, LaunchTime } from './ids.ts';

/** A dvdi/rexray external volume of a Marathon app: the name REX-Ray looks for in the `Name` tag. */
export interface ExternalVolume {
  readonly name: string;
}

/** What the failover needs to know of a Marathon app. */
export interface App {
  /** With the leading slash. */
  readonly id: string;
  readonly externalVolumes: readonly ExternalVolume[];
  /** It has local persistent volumes (Mesos reservations), which marking an agent gone destroys. */
  readonly hasLocalVolumes: boolean;
  readonly hasHealthChecks: boolean;
  readonly cpus: number;
  readonly mem: number;
  /** Marathon constraints, as written: `[["@zone","IS","aws/us-east-1a"]]`. */
  readonly constraints: readonly (readonly string[])[];
  /** `*` and, for public agents, `slave_public`. */
  readonly acceptedRoles: readonly string[];
  /** What its label asks for; a higher one is let through a storm before others. */
  readonly priority?: number;
}

/** A task as Marathon shows it. */
export interface Task {
  readonly id: string;
  readonly appId: string;
  readonly host: string;
  readonly agentId?: AgentId;
  /** `TASK_RUNNING` and so on. */
  readonly state: string;
  readonly startedAt?: EpochMs;
  /** When Marathon launched it; it may not have started yet. */
  readonly stagedAt?: EpochMs;
  /** undefined while no health check has answered or there is none. */
  readonly alive?: boolean;
}

/** An agent as the leading Mesos master lists it: registered, or only recovered from the registry. */
export interface MesosAgent {
  readonly agentId: AgentId;
  /** The private IP on DC/OS. */
  readonly hostname: string;
  readonly active: boolean;
  readonly deactivated: boolean;
  readonly recovered: boolean;
  /** Unreserved or `*` resources not used by tasks. */
  readonly free: { readonly cpus: number; readonly mem: number };
  /** Roles some of its resources are reserved for. */
  readonly reservedRoles: readonly string[];
  readonly attributes: Readonly<Record<string, string>>;
  readonly faultDomainZone?: string;
}

/** What this DC/OS release can do; see the version matrix in docs/compatibility.md. */
export interface DcosCapabilities {
  readonly version: string;
  readonly markAgentGone: boolean;
  /** MESOS-9545: 200 for an already unreachable agent, no task update, then 503 for ever. */
  readonly markGoneOfUnreachableIsLost: boolean;
  /** DRAIN_AGENT came with it, but an agent may still be too old for that. */
  readonly deactivateAgent: boolean;
}

/** Last known facts of an agent, kept by the sweep while it can still tell. */
export interface Inventory {
  readonly launchTime: LaunchTime;
  readonly privateIp?: string;
  readonly availabilityZone: string;
  readonly agentIds: readonly AgentId[];
  readonly apps: readonly App[];
  /** Names of tasks on the agent, for people. */
  readonly tasks: readonly { readonly id: string; readonly appId: string }[];
  readonly volumes: readonly {
    readonly volumeId: string;
    readonly name: string;
    readonly device: string;
  }[];
  readonly seenAt: EpochMs;
  /** Probes that went unanswered in a row while EC2 called it impaired; gone once it answers. */
  readonly silence?: { readonly probes: number; readonly lastAt: EpochMs };
}
