import type { AwsEvent } from '../../core/aws-event.ts';
import { createEventFactory, uuid } from '../../core/aws-event.ts';
import type { Rng } from '../../core/random.ts';
import type { Cancel, Time } from '../../core/time.ts';
import type { Group, Hook, HookResult, Member, Transition } from './model.ts';
import { refuse } from './model.ts';

/** However often a heartbeat is sent, an action ends after this, or 100 timeouts if that is less. */
const LONGEST_MS = 48 * 3_600_000;
const LONGEST_TIMEOUTS = 100;

/** How long an action of the hook may be kept waiting by heartbeats, ms. */
export const globalTimeoutMs = ({ heartbeatTimeoutMs }: Hook): number =>
  Math.min(LONGEST_MS, LONGEST_TIMEOUTS * heartbeatTimeoutMs);

/** One hook waits for one instance. */
interface Action {
  token: string;
  hook: Hook;
  groupName: string;
  instanceId: string;
  /** No heartbeat reaches beyond, epoch ms. */
  latest: number;
  cancel: Cancel;
}

interface Wait {
  actions: Action[];
  done: (result: HookResult) => void;
}

/** How a caller names an action: by its token, else by the instance. */
export interface ActionName {
  group: Group;
  hookName: string;
  token: string | undefined;
  instanceId: string | undefined;
}

const EVENTS: Record<Transition, { detailType: string; from: string; to: string }> = {
  'autoscaling:EC2_INSTANCE_LAUNCHING': {
    detailType: 'EC2 Instance-launch Lifecycle Action',
    from: 'EC2',
    to: 'AutoScalingGroup',
  },
  'autoscaling:EC2_INSTANCE_TERMINATING': {
    detailType: 'EC2 Instance-terminate Lifecycle Action',
    from: 'AutoScalingGroup',
    to: 'EC2',
  },
};

/**
 * What waits for a lifecycle hook. All hooks of a transition are told at once; the instance goes on
 * when each has continued, or one was abandoned: then the others are skipped (User Guide, "How
 * lifecycle hooks work"). An action nobody completes ends with the hook's default result.
 */
export class LifecycleActions {
  readonly #time: Time;
  readonly #tokens: Rng;
  readonly #emit: (event: AwsEvent) => void;
  readonly #event: ReturnType<typeof createEventFactory>;
  /** By instance. */
  readonly #waits = new Map<string, Wait>();

  constructor(deps: {
    time: Time;
    rng: Rng;
    emit: (event: AwsEvent) => void;
    account: string;
    region: string;
  }) {
    this.#time = deps.time;
    this.#emit = deps.emit;
    this.#tokens = deps.rng.fork('lifecycle-tokens');
    this.#event = createEventFactory({ ...deps, rng: deps.rng.fork('lifecycle-events') });
  }

  /** False, and nothing happens, when the group has no hook of that transition. */
  begin(group: Group, member: Member, transition: Transition, done: Wait['done']): boolean {
    const hooks = [...group.hooks.values()].filter((hook) => hook.transition === transition);
    if (hooks.length === 0) return false;
    const wait: Wait = { actions: [], done };
    this.#waits.set(member.instanceId, wait);
    for (const hook of hooks) {
      const action: Action = {
        token: uuid(this.#tokens),
        hook,
        groupName: group.name,
        instanceId: member.instanceId,
        latest: this.#time.now() + globalTimeoutMs(hook),
        cancel: () => undefined,
      };
      wait.actions.push(action);
      this.#await(action);
      this.#tell(group, action);
    }
    return true;
  }

  /** Throws `ValidationError` when no such action waits. */
  find({ group, hookName, token, instanceId }: ActionName): Action {
    const all = [...this.#waits.values()].flatMap(({ actions }) => actions);
    const found = all.find(
      (action) =>
        action.groupName === group.name &&
        action.hook.name === hookName &&
        (token === undefined || action.token === token) &&
        (instanceId === undefined || action.instanceId === instanceId),
    );
    if (found !== undefined) return found;
    const named = token === undefined ? `instance ID ${instanceId ?? ''}` : `token ${token}`;
    return refuse(`No active Lifecycle Action found with ${named}`);
  }

  /** The time of the hook begins anew, within its limit. */
  heartbeat(action: Action): void {
    action.cancel();
    this.#await(action);
  }

  complete(action: Action, result: HookResult): void {
    action.cancel();
    const wait = this.#waits.get(action.instanceId);
    if (wait === undefined) return;
    wait.actions = wait.actions.filter((other) => other !== action);
    if (result === 'CONTINUE' && wait.actions.length > 0) return;
    this.forget(action.instanceId);
    wait.done(result);
  }

  /** The instance is out of the group: nothing waits for it any more. */
  forget(instanceId: string): void {
    for (const { cancel } of this.#waits.get(instanceId)?.actions ?? []) cancel();
    this.#waits.delete(instanceId);
  }

  /** Deleting a hook ends its actions: a launch is abandoned, a termination goes on. */
  removeHook(group: Group, hook: Hook): void {
    const launching = hook.transition === 'autoscaling:EC2_INSTANCE_LAUNCHING';
    group.hooks.delete(hook.name);
    const all = [...this.#waits.values()].flatMap(({ actions }) => actions);
    for (const action of all.filter((each) => each.hook === hook)) {
      this.complete(action, launching ? 'ABANDON' : 'CONTINUE');
    }
  }

  #await(action: Action): void {
    const leftMs = Math.max(0, action.latest - this.#time.now());
    action.cancel = this.#time.after(Math.min(action.hook.heartbeatTimeoutMs, leftMs), () =>
      this.complete(action, action.hook.defaultResult),
    );
  }

  #tell(group: Group, { token, hook, instanceId }: Action): void {
    const { detailType, from, to } = EVENTS[hook.transition];
    const detail = {
      LifecycleActionToken: token,
      AutoScalingGroupName: group.name,
      LifecycleHookName: hook.name,
      EC2InstanceId: instanceId,
      LifecycleTransition: hook.transition,
      ...(hook.notificationMetadata === undefined
        ? {}
        : { NotificationMetadata: hook.notificationMetadata }),
      Origin: from,
      Destination: to,
    };
    this.#emit(
      this.#event({ source: 'aws.autoscaling', detailType, resources: [group.arn], detail }),
    );
  }
}
