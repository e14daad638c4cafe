import type { QueryParams, XmlElement } from '../query-protocol.ts';
import { refuse } from './action.ts';
import type { Instance } from './model.ts';
import type { World } from './world.ts';

/** A security group as far as it matters here: does it let anything through? */
export interface SecurityGroup {
  groupId: string;
  groupName: string;
  /** Without any rule: a machine that has only such groups hears and says nothing. */
  closed: boolean;
}

export interface SecurityGroupSpec {
  groupName: string;
  /** `sg-` and 8 or 17 hex digits. */
  groupId?: string;
  closed?: boolean;
}

/** What the stock template gives its agents. */
export const STOCK_GROUP: SecurityGroup = {
  groupId: 'sg-0d0c0510000000001',
  groupName: 'SlaveSecurityGroup',
  closed: false,
};

/** Puts a group into the world; answers its id. */
export const addSecurityGroup = (world: World, spec: SecurityGroupSpec): string => {
  const { groupName, groupId = world.newId('sg'), closed = false } = spec;
  world.securityGroups.set(groupId, { groupId, groupName, closed });
  return groupId;
};

/** Throws `InvalidGroup.NotFound`. */
const groupNamed = (world: World, groupId: string): SecurityGroup =>
  world.securityGroups.get(groupId) ??
  refuse('InvalidGroup.NotFound', `The security group '${groupId}' does not exist`);

export const groupsView = (world: World, { securityGroups }: Instance): XmlElement[] =>
  securityGroups.map((groupId) => {
    const { groupName } = groupNamed(world, groupId);
    return { groupId, groupName };
  });

/** EBS and EC2 reach the machine all the same: only its network is cut off. */
export const isCutOff = (world: World, { securityGroups }: Instance): boolean =>
  securityGroups.every((groupId) => world.securityGroups.get(groupId)?.closed === true);

/** The ids of a ModifyInstanceAttribute `GroupId.N`, which replace all that were there. */
export const groupIdsOf = (params: QueryParams): string[] => params.list('GroupId');

/** Throws `InvalidGroup.NotFound`, and changes nothing then. */
export const setGroups = (world: World, instance: Instance, groupIds: string[]): void => {
  if (groupIds.length === 0) {
    refuse('InvalidParameterValue', 'At least one security group must be given.');
  }
  const wanted = groupIds.map((groupId) => groupNamed(world, groupId).groupId);
  const was = isCutOff(world, instance);
  instance.securityGroups = [...new Set(wanted)];
  const is = isCutOff(world, instance);
  const { instanceId } = instance;
  if (is && !was) world.notify({ kind: 'cut-off', instanceId });
  if (was && !is) world.notify({ kind: 'reconnected', instanceId });
};
