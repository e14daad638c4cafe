import { uuid } from '../../core/aws-event.ts';
import type { Rng } from '../../core/random.ts';
import { isoTime, type Time } from '../../core/time.ts';
import type { QueryParams, XmlElement } from '../query-protocol.ts';
import { QueryRefusal } from '../query-protocol.ts';
import type { GroupAction } from './actions.ts';
import type { Groups } from './groups.ts';
import type { Group, Member } from './model.ts';

/** How often a refresh looks whether it may go on. */
const STEP_MS = 10_000;

export interface RefreshSpec {
  /** In per cent of the desired capacity. Default 90 (API reference, StartInstanceRefresh). */
  minHealthyPercentage?: number;
  /** How long a new member must have been in service to count as healthy, seconds. Default: 0. */
  instanceWarmupS?: number;
}

interface Refresh {
  id: string;
  group: Group;
  spec: Required<RefreshSpec>;
  startTime: number;
  endTime: number | undefined;
  status: 'InProgress' | 'Successful' | 'Cancelled';
  /** Members of before, in the order they are replaced. */
  old: string[];
}

/**
 * Instance refresh: the members a group has are terminated, through its hooks, and replaced, as many
 * at a time as the healthy percentage allows, but at least one.
 */
export class Refreshes {
  readonly #time: Time;
  readonly #groups: Groups;
  readonly #ids: Rng;
  readonly #refreshes: Refresh[] = [];

  constructor(deps: { time: Time; rng: Rng; groups: Groups }) {
    this.#time = deps.time;
    this.#groups = deps.groups;
    this.#ids = deps.rng.fork('refresh-ids');
  }

  /** Answers the refresh's id. Throws `InstanceRefreshInProgress` while the group has another. */
  start(group: Group, spec: RefreshSpec): string {
    if (this.#running(group) !== undefined) {
      const message = 'An Instance Refresh is already in progress and blocks the execution';
      throw new QueryRefusal('InstanceRefreshInProgress', `${message} of this Instance Refresh.`);
    }
    const refresh: Refresh = {
      id: uuid(this.#ids),
      group,
      spec: { minHealthyPercentage: 90, instanceWarmupS: 0, ...spec },
      startTime: this.#time.now(),
      endTime: undefined,
      status: 'InProgress',
      old: [...group.members.keys()],
    };
    this.#refreshes.push(refresh);
    this.#step(refresh);
    return refresh.id;
  }

  cancel(group: Group): string {
    const refresh = this.#running(group);
    if (refresh === undefined) {
      const message = 'No in progress or pending Instance Refresh found for Auto Scaling group';
      throw new QueryRefusal('ActiveInstanceRefreshNotFound', `${message} ${group.name}`);
    }
    this.#end(refresh, 'Cancelled');
    return refresh.id;
  }

  of(group: Group): XmlElement[] {
    return this.#refreshes.filter((refresh) => refresh.group === group).map(refreshView);
  }

  #running(group: Group): Refresh | undefined {
    return this.#refreshes.find((r) => r.group === group && r.status === 'InProgress');
  }

  #end(refresh: Refresh, status: 'Successful' | 'Cancelled'): void {
    refresh.status = status;
    refresh.endTime = this.#time.now();
  }

  #step(refresh: Refresh): void {
    if (refresh.status !== 'InProgress') return;
    const { group } = refresh;
    const left = remaining(refresh);
    const healthy = [...group.members.values()].filter((m) => this.#isHealthy(refresh, m)).length;
    if (left.length === 0 && healthy >= group.desired) {
      this.#end(refresh, 'Successful');
      return;
    }
    this.#time.after(STEP_MS, () => this.#step(refresh));
    if (group.suspended.has('InstanceRefresh') || group.suspended.has('Terminate')) return;
    const share = (group.desired * refresh.spec.minHealthyPercentage) / 100;
    const away = Math.max(1, group.desired - Math.ceil(share));
    const leaving = left.filter(({ lifecycle }) => lifecycle.startsWith('Terminating')).length;
    const room = Math.max(0, away - Math.max(leaving, group.desired - healthy));
    for (const member of left.filter(({ lifecycle }) => lifecycle === 'InService').slice(0, room)) {
      const cause = `An instance refresh replaced ${member.instanceId}.`;
      this.#groups.terminate(group, member, cause);
    }
  }

  /** What served before the refresh need not warm up. */
  #isHealthy({ spec, old }: Refresh, member: Member): boolean {
    if (member.lifecycle !== 'InService' || member.health !== 'Healthy') return false;
    const servesMs = this.#time.now() - (member.inServiceSince ?? 0);
    return old.includes(member.instanceId) || servesMs >= spec.instanceWarmupS * 1000;
  }
}

/** Members of before that are still there. Those in Standby are not waited for. */
const remaining = ({ group, old }: Refresh): Member[] =>
  old.flatMap((instanceId) => {
    const member = group.members.get(instanceId);
    return member === undefined || member.lifecycle.endsWith('Standby') ? [] : [member];
  });

const refreshView = (refresh: Refresh): XmlElement => {
  const { id, group, status, startTime, endTime, old } = refresh;
  const left = remaining(refresh).length;
  return {
    InstanceRefreshId: id,
    AutoScalingGroupName: group.name,
    Status: status,
    StartTime: isoTime(startTime),
    EndTime: endTime === undefined ? undefined : isoTime(endTime),
    PercentageComplete: Math.floor((100 * (old.length - left)) / Math.max(1, old.length)),
    InstancesToUpdate: left,
  };
};

/** StartInstanceRefresh and its relatives. */
export const createRefreshActions = (
  groups: Groups,
  refreshes: Refreshes,
): Record<string, GroupAction> => {
  const group = (params: QueryParams) => groups.group(params.required('AutoScalingGroupName'));
  return {
    StartInstanceRefresh: {
      group,
      apply(params) {
        const preferences = params.sub('Preferences');
        const minHealthyPercentage = preferences.integer('MinHealthyPercentage');
        const instanceWarmupS = preferences.integer('InstanceWarmup');
        const id = refreshes.start(group(params), {
          ...(minHealthyPercentage === undefined ? {} : { minHealthyPercentage }),
          ...(instanceWarmupS === undefined ? {} : { instanceWarmupS }),
        });
        return { InstanceRefreshId: id };
      },
    },
    CancelInstanceRefresh: {
      group,
      apply: (params) => ({ InstanceRefreshId: refreshes.cancel(group(params)) }),
    },
    DescribeInstanceRefreshes: {
      apply: (params) => ({ InstanceRefreshes: refreshes.of(group(params)) }),
    },
  };
};
