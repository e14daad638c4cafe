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
import type { Group } from './model.ts';

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
}

export interface AutoScalingDeps extends GroupsDeps {
  authorize?: Authorize;
}

export interface AutoScaling extends Service {
  seedGroup(spec: GroupSpec): void;
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
  const actions = createGroupActions(groups);
  const requestIds = deps.rng.fork('autoscaling-request-ids');
  const groupIds = deps.rng.fork('autoscaling-group-ids');

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
        });
      }
      groups.add(group);
    },
    onLaunched: (listener) => groups.onLaunched(listener),
  };
};
