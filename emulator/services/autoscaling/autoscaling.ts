import { uuid } from '../../core/aws-event.ts';
import { Ec2Refusal } from '../../core/machines.ts';
import type { Caller, Service } from '../../core/wire.ts';
import type { Authorize } from '../ec2/action.ts';
import type { QueryParams, XmlElement } from '../query-protocol.ts';
import { parseQuery, QueryRefusal, queryAnswer, queryError } from '../query-protocol.ts';
import type { GroupAction } from './actions.ts';
import { createGroupActions } from './actions.ts';
import type { GroupsDeps } from './groups.ts';
import { Groups } from './groups.ts';
import { createHookActions, type HookSpec, hookOf } from './hook-actions.ts';
import type { Group } from './model.ts';
import { createRefreshActions, Refreshes, type RefreshSpec } from './refreshes.ts';

/** A group to be put into the world. The stock template has min = max = desired. */
export interface GroupSpec {
  name: string;
  availabilityZones: string[];
  /** Running instances the group already has. */
  instanceIds: string[];
  minSize?: number;
  maxSize?: number;
  /** Default: as many as there are. */
  desired?: number;
  /** For the group's own launches. */
  tags?: Record<string, string>;
  instanceType?: string;
  /** How long a member may be impaired before it is replaced; `Infinity` never. */
  impairedGraceMs?: number;
  hooks?: readonly HookSpec[];
}

export interface AutoScalingDeps extends GroupsDeps {
  authorize?: Authorize;
}

export interface AutoScaling extends Service {
  seedGroup(spec: GroupSpec): void;
  /** By hand: all members of the group are replaced, a few at a time. Answers the refresh's id. */
  refresh(groupName: string, spec?: RefreshSpec): string;
  /**
   * From now on somebody starts every stopped member again so long after it stopped: as a warm pool
   * does that is asked for capacity, or a scheduler with office hours.
   */
  restartStopped(groupName: string, afterMs: number): void;
  /** A new member runs: the moment to boot an agent on it. */
  onLaunched(listener: (instanceId: string, groupName: string) => void): void;
}

const NAMESPACE = 'http://autoscaling.amazonaws.com/doc/2011-01-01/';
/** AWS names no figure for an impaired member, only that it is not replaced at once. */
const IMPAIRED_GRACE_MS = 5 * 60_000;

const perform = (
  actions: Record<string, GroupAction>,
  authorize: Authorize | undefined,
  request: { api: string; params: QueryParams; caller: Caller },
): XmlElement => {
  const { api, params, caller } = request;
  const action = actions[api];
  if (action === undefined) {
    throw new QueryRefusal('InvalidAction', `Could not find operation ${api}`);
  }
  const group = action.group?.(params);
  const resource = group === undefined ? { arn: '*', tags: {} } : group;
  authorize?.(`autoscaling:${api}`, [{ arn: resource.arn, tags: resource.tags }], caller, {});
  return action.apply(params);
};

/** Auto Scaling over the query protocol (API version 2011-01-01). */
export const createAutoScaling = (deps: AutoScalingDeps): AutoScaling => {
  const { time, ec2, account, region } = deps;
  const groups = new Groups(deps);
  const refreshes = new Refreshes({ time, rng: deps.rng, groups });
  const actions = {
    ...createGroupActions(groups),
    ...createHookActions(groups),
    ...createRefreshActions(groups, refreshes),
  };
  const requestIds = deps.rng.fork('autoscaling-request-ids');
  const groupIds = deps.rng.fork('autoscaling-group-ids');

  /** Tried again after the same time while there is no capacity. */
  const startLater = (instanceId: string, afterMs: number): void => {
    time.after(afterMs, () => {
      if (ec2.status(instanceId).state !== 'stopped') return;
      try {
        ec2.start(instanceId);
      } catch (error) {
        if (!(error instanceof Ec2Refusal)) throw error;
        startLater(instanceId, afterMs);
      }
    });
  };

  return {
    handle(request, caller) {
      const requestId = uuid(requestIds);
      const { action: api, params } = parseQuery(request);
      try {
        const result = perform(actions, deps.authorize, { api, params, caller });
        return queryAnswer(NAMESPACE, api, requestId, result);
      } catch (error) {
        if (error instanceof QueryRefusal) return queryError(NAMESPACE, 400, requestId, error);
        if (!(error instanceof Ec2Refusal)) throw error;
        // The evaluator speaks EC2; Auto Scaling has another word for missing rights.
        const denied = { code: 'AccessDenied', message: error.message };
        return queryError(NAMESPACE, 403, requestId, denied);
      }
    },
    seedGroup(spec) {
      const { name, instanceIds } = spec;
      const desired = spec.desired ?? instanceIds.length;
      const arn = `arn:aws:autoscaling:${region}:${account}:autoScalingGroup:${uuid(groupIds)}`;
      const group: Group = {
        name,
        arn: `${arn}:autoScalingGroupName/${name}`,
        minSize: spec.minSize ?? desired,
        maxSize: spec.maxSize ?? desired,
        desired,
        availabilityZones: spec.availabilityZones,
        tags: { ...spec.tags },
        instanceType: spec.instanceType ?? 'm5.large',
        impairedGraceMs: spec.impairedGraceMs ?? IMPAIRED_GRACE_MS,
        members: new Map(),
        suspended: new Set(),
        hooks: new Map(spec.hooks?.map((hook) => [hook.name, hookOf(hook)])),
        createdTime: time.now(),
      };
      for (const instanceId of instanceIds) {
        const machine = ec2.machine(instanceId);
        if (machine === undefined) throw new RangeError(`no instance ${instanceId}`);
        ec2.tag(instanceId, { ...spec.tags, 'aws:autoscaling:groupName': name });
        const { availabilityZone } = machine;
        const lifecycle = 'InService';
        group.members.set(instanceId, {
          instanceId,
          availabilityZone,
          lifecycle,
          health: 'Healthy',
          inServiceSince: time.now(),
        });
      }
      groups.add(group);
    },
    refresh: (groupName, spec = {}) => refreshes.start(groups.group(groupName), spec),
    restartStopped(groupName, afterMs) {
      const { members } = groups.group(groupName);
      ec2.onState((instanceId, state) => {
        if (state === 'stopped' && members.has(instanceId)) startLater(instanceId, afterMs);
      });
    },
    onLaunched: (listener) => groups.onLaunched(listener),
  };
};
