import type { InstanceId } from '../domain/ids.ts';
import type { LifecycleHook } from '../domain/incident.ts';
import type { Receipt } from './compute.ts';

export interface GroupMembership {
  readonly group: string;
  /** `InService`, `Standby`, `Terminating:Wait` and so on. */
  readonly lifecycleState: string;
  readonly desired: number;
  readonly min: number;
  readonly suspendedProcesses: readonly string[];
}

export type StandbyAnswer =
  | { readonly kind: 'accepted'; readonly receipt: Receipt }
  /** Not InService, or the group refuses: ValidationError, ResourceContention. */
  | { readonly kind: 'refused'; readonly code: string };

/** `over`: the action was completed, has timed out, or is not known. */
export type HookAnswer =
  | { readonly kind: 'accepted'; readonly receipt: Receipt }
  | { readonly kind: 'over'; readonly code: string };

export interface AutoScaling {
  /** undefined when the instance is in no group. */
  membership(instanceId: InstanceId): Promise<GroupMembership | undefined>;
  enterStandby(
    group: string,
    instanceId: InstanceId,
    options: { readonly decrementDesired: boolean },
  ): Promise<StandbyAnswer>;
  exitStandby(group: string, instanceId: InstanceId): Promise<StandbyAnswer>;
  suspendReplacement(group: string): Promise<Receipt>;
  resumeReplacement(group: string): Promise<Receipt>;
}

/** Groups that wait for us before they terminate a machine. */
export interface LifecycleHooks {
  /** `Terminating:Wait` and so on; undefined when the instance is in no group. */
  lifecycleState(instanceId: InstanceId): Promise<string | undefined>;
  /** Asks the group to wait as long again as its hook says. */
  heartbeat(hook: LifecycleHook, instanceId: InstanceId): Promise<HookAnswer>;
  /** Lets the group go on with the termination. */
  completeHook(hook: LifecycleHook, instanceId: InstanceId): Promise<HookAnswer>;
}
