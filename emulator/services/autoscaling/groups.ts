import type { AwsEvent } from '../../core/aws-event.ts';
import { createEventFactory, isoSeconds, uuid } from '../../core/aws-event.ts';
import { Ec2Refusal } from '../../core/machines.ts';
import type { Rng } from '../../core/random.ts';
import type { Time } from '../../core/time.ts';
import type { Ec2 } from '../ec2/ec2.ts';
import { subnetOf } from '../ec2/launch.ts';
import { LifecycleActions } from './lifecycle-actions.ts';
import type { Activity, Group, Member, Process } from './model.ts';
import { activeMembers, refuse } from './model.ts';

/** How often a group looks at the health of its members. */
const HEALTH_CHECK_MS = 60_000;
/** From the decision to launch to RunInstances. */
const LAUNCH_DELAY_MS = 3_000;
const STANDBY_MS = 2_000;
const RETURN_MS = 5_000;

export interface GroupsDeps {
  time: Time;
  rng: Rng;
  ec2: Ec2;
  emit: (event: AwsEvent) => void;
  account: string;
  region: string;
}

/**
 * What Auto Scaling does by itself: it keeps each group at its desired capacity, and replaces
 * members that do not run or stay impaired (User Guide, "Health checks").
 */
export class Groups {
  readonly #deps: GroupsDeps;
  readonly #groups = new Map<string, Group>();
  readonly #ids: Rng;
  readonly #event: ReturnType<typeof createEventFactory>;
  readonly #launched: ((instanceId: string, groupName: string) => void)[] = [];
  /** Activities underway, by instance. */
  readonly #underway = new Map<string, Activity>();
  readonly hookActions: LifecycleActions;

  constructor(deps: GroupsDeps) {
    this.#deps = deps;
    this.hookActions = new LifecycleActions(deps);
    this.#ids = deps.rng.fork('autoscaling-ids');
    this.#event = createEventFactory({ ...deps, rng: deps.rng.fork('autoscaling-events') });
    deps.ec2.onState((instanceId, state) => {
      if (state === 'running') this.#arrived(instanceId);
      if (state === 'terminated') this.#left(instanceId);
    });
    this.#watchHealth();
  }

  add(group: Group): void {
    this.#groups.set(group.name, group);
    this.#fill(group);
  }

  all(): Group[] {
    return [...this.#groups.values()];
  }

  onLaunched(listener: (instanceId: string, groupName: string) => void): void {
    this.#launched.push(listener);
  }

  group(name: string): Group {
    const message = `AutoScalingGroup name not found - AutoScalingGroup '${name}' not found`;
    return this.#groups.get(name) ?? refuse(message);
  }

  member(group: Group, instanceId: string): Member {
    const message = `The instance ${instanceId} is not part of Auto Scaling group ${group.name}.`;
    return group.members.get(instanceId) ?? refuse(message);
  }

  groupOf(instanceId: string): Group | undefined {
    return this.all().find(({ members }) => members.has(instanceId));
  }

  /** Standby: not counted, not checked, still there. Without decrement a replacement launches. */
  enterStandby(group: Group, members: Member[], decrement: boolean): Activity[] {
    for (const member of members) {
      member.lifecycle = 'EnteringStandby';
      this.#later(STANDBY_MS, group, member, 'EnteringStandby', 'Standby');
    }
    if (decrement) group.desired -= members.length;
    this.#fill(group);
    return members.map(({ instanceId }) =>
      this.#activity(group, `Moving EC2 instance to Standby: ${instanceId}`),
    );
  }

  exitStandby(group: Group, members: Member[]): Activity[] {
    for (const member of members) {
      member.lifecycle = 'Pending';
      member.health = 'Healthy';
      this.#later(RETURN_MS, group, member, 'Pending', 'InService');
    }
    group.desired += members.length;
    return members.map(({ instanceId }) =>
      this.#activity(group, `Moving EC2 instance out of Standby: ${instanceId}`),
    );
  }

  detach(group: Group, members: Member[], decrement: boolean): Activity[] {
    for (const { instanceId } of members) group.members.delete(instanceId);
    if (decrement) group.desired -= members.length;
    this.#fill(group);
    return members.map(({ instanceId }) =>
      this.#activity(group, `Detaching EC2 instance: ${instanceId}`),
    );
  }

  setDesired(group: Group, desired: number): void {
    group.desired = desired;
    const excess = activeMembers(group).slice(desired);
    for (const member of excess) this.terminate(group, member, 'A user request shrank the group.');
    this.#fill(group);
  }

  /**
   * Through the group's terminating hooks, during which the machine still runs with its disks
   * (User Guide, "Amazon EC2 Auto Scaling lifecycle hooks"). One that waits already goes on waiting.
   */
  terminate(group: Group, member: Member, cause: string): Activity {
    const { instanceId } = member;
    const waiting = this.#underway.get(instanceId);
    if (member.lifecycle === 'Terminating:Wait' && waiting !== undefined) return waiting;
    const description = `Terminating EC2 instance: ${instanceId}`;
    const activity = this.#activity(group, description, cause);
    this.#underway.set(instanceId, activity);
    const proceed = (): void => this.#terminateNow(member, 'Terminating:Proceed');
    const transition = 'autoscaling:EC2_INSTANCE_TERMINATING';
    member.lifecycle = 'Terminating:Wait';
    const held = this.hookActions.begin(group, member, transition, proceed);
    if (!held) this.#terminateNow(member, 'Terminating');
    this.#fill(group);
    return activity;
  }

  #terminateNow(member: Member, lifecycle: Member['lifecycle']): void {
    const { ec2 } = this.#deps;
    member.lifecycle = lifecycle;
    // Termination protection does not hold Auto Scaling back.
    if (ec2.status(member.instanceId).state === 'terminated') this.#left(member.instanceId);
    else ec2.terminate(member.instanceId);
  }

  #later(
    delayMs: number,
    group: Group,
    member: Member,
    from: Member['lifecycle'],
    to: Member['lifecycle'],
  ): void {
    this.#deps.time.after(delayMs, () => {
      const present = group.members.get(member.instanceId) === member;
      if (!present || member.lifecycle !== from) return;
      member.lifecycle = to;
      if (to === 'InService') member.inServiceSince = this.#deps.time.now();
    });
  }

  #watchHealth(): void {
    this.#deps.time.after(HEALTH_CHECK_MS, () => {
      this.#watchHealth();
      for (const group of this.all()) this.#checkHealth(group);
    });
  }

  #checkHealth(group: Group): void {
    const active = (process: Process) => !group.suspended.has(process);
    const inService = [...group.members.values()].filter((m) => m.lifecycle === 'InService');
    if (active('HealthCheck')) {
      for (const member of inService) {
        if (this.#isUnhealthy(group, member)) member.health = 'Unhealthy';
      }
    }
    if (active('ReplaceUnhealthy') && active('Terminate')) {
      const unhealthy = inService.filter(({ health }) => health === 'Unhealthy');
      for (const member of unhealthy) {
        const cause = `An instance was taken out of service in response to an EC2 health check.`;
        this.terminate(group, member, cause);
      }
    }
    this.#fill(group);
  }

  #isUnhealthy(group: Group, { instanceId }: Member): boolean {
    const status = this.#deps.ec2.status(instanceId);
    if (status.state !== 'running') return true;
    const since = status.impairedSince;
    return since !== undefined && this.#deps.time.now() - since >= group.impairedGraceMs;
  }

  /** Launches what is missing, in the zone with the fewest members that has room for it. */
  #fill(group: Group): void {
    this.#deps.time.after(LAUNCH_DELAY_MS, () => {
      while (!group.suspended.has('Launch') && activeMembers(group).length < group.desired) {
        const active = activeMembers(group);
        const count = (zone: string) =>
          active.filter(({ availabilityZone }) => availabilityZone === zone).length;
        const zones = group.availabilityZones.toSorted((a, b) => count(a) - count(b));
        if (!zones.some((zone) => this.#launch(group, zone))) return;
      }
    });
  }

  /** False where EC2 has no capacity, which the group tells and tries elsewhere or later again. */
  #launch(group: Group, availabilityZone: string): boolean {
    const tags = { ...group.tags, 'aws:autoscaling:groupName': group.name };
    const { instanceType } = group;
    const cause = 'An instance was started to match the desired capacity.';
    try {
      const instanceId = this.#deps.ec2.launch({ availabilityZone, instanceType, tags });
      const description = `Launching a new EC2 instance: ${instanceId}`;
      this.#underway.set(instanceId, this.#activity(group, description, cause));
      group.members.set(instanceId, {
        instanceId,
        availabilityZone,
        lifecycle: 'Pending',
        health: 'Healthy',
      });
      return true;
    } catch (error) {
      if (!(error instanceof Ec2Refusal)) throw error;
      const activity = this.#activity(group, 'Launching a new EC2 instance.', cause);
      const failed = { instanceId: '', availabilityZone };
      this.#publish('EC2 Instance Launch Unsuccessful', activity, failed, error.message);
      return false;
    }
  }

  #arrived(instanceId: string): void {
    const group = this.groupOf(instanceId);
    const member = group?.members.get(instanceId);
    const activity = this.#underway.get(instanceId);
    if (group === undefined || member?.lifecycle !== 'Pending' || activity === undefined) return;
    const transition = 'autoscaling:EC2_INSTANCE_LAUNCHING';
    member.lifecycle = 'Pending:Wait';
    const held = this.hookActions.begin(group, member, transition, (result) => {
      if (result === 'ABANDON') this.#abandonLaunch(group, member);
      else this.#putInService(member, activity);
    });
    if (!held) this.#putInService(member, activity);
    for (const listener of this.#launched) listener(instanceId, group.name);
  }

  #putInService(member: Member, activity: Activity): void {
    member.lifecycle = 'InService';
    member.inServiceSince = this.#deps.time.now();
    this.#publish('EC2 Instance Launch Successful', activity, member);
  }

  /** Terminated without asking its terminating hooks, and another one launched. */
  #abandonLaunch(group: Group, member: Member): void {
    const description = `Terminating EC2 instance: ${member.instanceId}`;
    const cause = 'A lifecycle action of its launch was abandoned.';
    this.#underway.set(member.instanceId, this.#activity(group, description, cause));
    this.#terminateNow(member, 'Terminating');
    this.#fill(group);
  }

  /** A member somebody else terminated is noticed by the next health check only. */
  #left(instanceId: string): void {
    const group = this.groupOf(instanceId);
    const member = group?.members.get(instanceId);
    const activity = this.#underway.get(instanceId);
    if (group === undefined || member === undefined || activity === undefined) return;
    // The group waits for its hook, whatever has become of the machine meanwhile.
    if (member.lifecycle === 'Terminating:Wait') return;
    this.hookActions.forget(instanceId);
    group.members.delete(instanceId);
    this.#publish('EC2 Instance Terminate Successful', activity, member);
    this.#fill(group);
  }

  #activity(group: Group, description: string, cause = 'A user request.'): Activity {
    const startTime = this.#deps.time.now();
    return { activityId: uuid(this.#ids), group, description, cause, startTime };
  }

  /** `failure`: why nothing came of the activity. */
  #publish(
    detailType: string,
    activity: Activity,
    member: Pick<Member, 'instanceId' | 'availabilityZone'>,
    failure?: string,
  ): void {
    const { account, region, time, emit } = this.#deps;
    this.#underway.delete(member.instanceId);
    const { group } = activity;
    const instanceArn = `arn:aws:ec2:${region}:${account}:instance/${member.instanceId}`;
    const detail = {
      // Says so even when all is done (EC2 Auto Scaling event reference).
      StatusCode: failure === undefined ? 'InProgress' : 'Failed',
      Description: activity.description,
      AutoScalingGroupName: group.name,
      ActivityId: activity.activityId,
      Details: {
        'Availability Zone': member.availabilityZone,
        'Subnet ID': subnetOf(member.availabilityZone),
      },
      RequestId: activity.activityId,
      StatusMessage: failure ?? '',
      EndTime: isoSeconds(time.now()),
      EC2InstanceId: member.instanceId,
      StartTime: isoSeconds(activity.startTime),
      Cause: activity.cause,
    };
    const resources = member.instanceId === '' ? [group.arn] : [group.arn, instanceArn];
    emit(this.#event({ source: 'aws.autoscaling', detailType, resources, detail }));
  }
}
