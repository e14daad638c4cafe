import { Ec2Refusal } from '../../core/machines.ts';
import type { Caller } from '../../core/wire.ts';
import type { QueryParams, XmlElement } from '../query-protocol.ts';
import type { World } from './world.ts';

/** What a right is needed on. `arn` is `*` for actions without resource-level rights. */
export interface Resource {
  arn: string;
  tags: Record<string, string>;
}

/**
 * Throws `Ec2Refusal('UnauthorizedOperation', ...)` when the caller may not. `context` holds the
 * condition keys of the request itself (`aws:RequestTag/<key>`, `aws:TagKeys`, `ec2:Attribute`).
 */
export type Authorize = (
  action: string,
  resources: Resource[],
  caller: Caller,
  context: Record<string, string[]>,
) => void;

/** One API action. Rights are asked for all of `resources` before `DryRun` is answered. */
export interface Action {
  /** Throws the `NotFound` refusals. */
  resources(params: QueryParams): Resource[];
  context?(params: QueryParams): Record<string, string[]>;
  apply(params: QueryParams): XmlElement;
}

/** Describe actions know no resource-level rights. */
export const onEverything = (): Resource[] => [{ arn: '*', tags: {} }];

export const instanceResource = (world: World, instanceId: string): Resource => ({
  arn: world.instanceArn(instanceId),
  tags: world.instance(instanceId).tags,
});

export const volumeResource = (world: World, volumeId: string): Resource => ({
  arn: world.volumeArn(volumeId),
  tags: world.volume(volumeId).tags,
});

export const refuse = (code: string, message: string): never => {
  throw new Ec2Refusal(code, message);
};

/** `TagSpecification.N` of the given resource type, as one map. */
export const launchTags = (params: QueryParams, resourceType: string): Record<string, string> =>
  Object.fromEntries(
    params
      .groups('TagSpecification')
      .filter((specification) => specification.text('ResourceType') === resourceType)
      .flatMap((specification) => specification.groups('Tag'))
      .map((tag) => [tag.required('Key'), tag.text('Value') ?? '']),
  );

/** The condition keys a request's new tags stand for. */
export const tagContext = (tags: Record<string, string>): Record<string, string[]> => {
  const keys = Object.keys(tags);
  if (keys.length === 0) return {};
  const pairs = Object.entries(tags).map(([key, value]) => [`aws:RequestTag/${key}`, [value]]);
  return { ...Object.fromEntries(pairs), 'aws:TagKeys': keys };
};
