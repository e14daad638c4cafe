import type { QueryParams, XmlElement } from '../query-protocol.ts';
import type { GroupAction } from './actions.ts';
import type { Groups } from './groups.ts';
import { globalTimeoutMs } from './lifecycle-actions.ts';
import type { Group, Hook, HookResult, Transition } from './model.ts';
import { refuse } from './model.ts';

/** A lifecycle hook of a group that is put into the world. */
export interface HookSpec {
  name: string;
  /** Default: terminating. */
  transition?: Transition;
  /** Default: an hour (API reference, PutLifecycleHook). */
  heartbeatTimeoutS?: number;
  /** Default: ABANDON. */
  defaultResult?: HookResult;
  notificationMetadata?: string;
}

const DEFAULT_TIMEOUT_S = 3600;
const TIMEOUT_S = { least: 30, most: 7200 };

/** Throws `ValidationError` for a timeout out of bounds. */
export const hookOf = (spec: HookSpec): Hook => {
  const timeoutS = spec.heartbeatTimeoutS ?? DEFAULT_TIMEOUT_S;
  if (timeoutS < TIMEOUT_S.least || timeoutS > TIMEOUT_S.most) {
    refuse(`HeartbeatTimeout must be between ${TIMEOUT_S.least} and ${TIMEOUT_S.most} seconds.`);
  }
  return {
    name: spec.name,
    transition: spec.transition ?? 'autoscaling:EC2_INSTANCE_TERMINATING',
    heartbeatTimeoutMs: timeoutS * 1000,
    defaultResult: spec.defaultResult ?? 'ABANDON',
    notificationMetadata: spec.notificationMetadata,
  };
};

const hookView = ({ name: group }: Group, hook: Hook): XmlElement => ({
  LifecycleHookName: hook.name,
  AutoScalingGroupName: group,
  LifecycleTransition: hook.transition,
  NotificationMetadata: hook.notificationMetadata,
  HeartbeatTimeout: hook.heartbeatTimeoutMs / 1000,
  GlobalTimeout: globalTimeoutMs(hook) / 1000,
  DefaultResult: hook.defaultResult,
});

const resultOf = (text: string): HookResult =>
  text === 'CONTINUE' || text === 'ABANDON'
    ? text
    : refuse('Lifecycle action result must be either CONTINUE or ABANDON.');

const transitionOf = (text: string | undefined): Transition =>
  text === 'autoscaling:EC2_INSTANCE_LAUNCHING' || text === 'autoscaling:EC2_INSTANCE_TERMINATING'
    ? text
    : refuse(`Invalid Lifecycle Transition: ${text ?? ''}`);

/** What a hook was, and what the request changes of it: PutLifecycleHook creates and updates. */
const changedHook = (params: QueryParams, name: string, known: Hook | undefined): Hook => {
  const metadata = params.text('NotificationMetadata') ?? known?.notificationMetadata;
  const timeoutS = params.integer('HeartbeatTimeout') ?? (known && known.heartbeatTimeoutMs / 1000);
  return hookOf({
    name,
    transition: transitionOf(params.text('LifecycleTransition') ?? known?.transition),
    defaultResult: resultOf(params.text('DefaultResult') ?? known?.defaultResult ?? 'ABANDON'),
    ...(timeoutS === undefined ? {} : { heartbeatTimeoutS: timeoutS }),
    ...(metadata === undefined ? {} : { notificationMetadata: metadata }),
  });
};

/** Lifecycle hooks and the actions that wait for them. */
export const createHookActions = (groups: Groups): Record<string, GroupAction> => {
  const { hookActions } = groups;
  const group = (params: QueryParams) => groups.group(params.required('AutoScalingGroupName'));
  const hookNamed = (params: QueryParams): Hook => {
    const name = params.required('LifecycleHookName');
    return group(params).hooks.get(name) ?? refuse(`No Lifecycle Hook found with name ${name}`);
  };
  const actionOf = (params: QueryParams) => {
    const token = params.text('LifecycleActionToken');
    const instanceId = params.text('InstanceId');
    if (token === undefined && instanceId === undefined) {
      refuse('Either a lifecycle action token or an instance ID must be given.');
    }
    const hookName = hookNamed(params).name;
    return hookActions.find({ group: group(params), hookName, token, instanceId });
  };
  return {
    PutLifecycleHook: {
      group,
      apply(params) {
        const name = params.required('LifecycleHookName');
        const { hooks } = group(params);
        hooks.set(name, changedHook(params, name, hooks.get(name)));
        return {};
      },
    },
    DeleteLifecycleHook: {
      group,
      apply(params) {
        hookActions.removeHook(group(params), hookNamed(params));
        return {};
      },
    },
    DescribeLifecycleHooks: {
      apply(params) {
        const target = group(params);
        const names = params.list('LifecycleHookNames');
        const hooks = [...target.hooks.values()].filter(
          ({ name }) => names.length === 0 || names.includes(name),
        );
        return { LifecycleHooks: hooks.map((hook) => hookView(target, hook)) };
      },
    },
    RecordLifecycleActionHeartbeat: {
      group,
      apply(params) {
        hookActions.heartbeat(actionOf(params));
        return {};
      },
    },
    CompleteLifecycleAction: {
      group,
      apply(params) {
        const result = resultOf(params.required('LifecycleActionResult'));
        hookActions.complete(actionOf(params), result);
        return {};
      },
    },
  };
};
