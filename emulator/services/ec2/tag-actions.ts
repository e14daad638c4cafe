import type { QueryParams } from '../query-protocol.ts';
import type { Action, Resource } from './action.ts';
import { refuse, tagContext } from './action.ts';
import type { World } from './world.ts';

const TAGS_MAX = 50;

const tagsOf = (params: QueryParams): Record<string, string> =>
  Object.fromEntries(
    params.groups('Tag').map((tag) => [tag.required('Key'), tag.text('Value') ?? '']),
  );

/** What can carry tags, by id. Throws the `NotFound` refusal of its kind. */
const taggable = (world: World, resourceId: string): Resource => {
  if (resourceId.startsWith('i-')) {
    return { arn: world.instanceArn(resourceId), tags: world.instance(resourceId).tags };
  }
  if (resourceId.startsWith('vol-')) {
    return { arn: world.volumeArn(resourceId), tags: world.volume(resourceId).tags };
  }
  if (resourceId.startsWith('snap-')) {
    const { tags } = world.snapshot(resourceId);
    return { arn: `arn:aws:ec2:${world.region}::snapshot/${resourceId}`, tags };
  }
  return refuse('InvalidID', `The ID '${resourceId}' is not valid`);
};

export const createTagActions = (world: World): Record<string, Action> => {
  const resources = (params: QueryParams): Resource[] =>
    params.list('ResourceId').map((resourceId) => taggable(world, resourceId));
  const rejectReserved = (keys: string[]): void => {
    if (!keys.some((key) => key.startsWith('aws:'))) return;
    const message = "Tag keys starting with 'aws:' are reserved for internal use";
    refuse('InvalidParameterValue', message);
  };
  return {
    CreateTags: {
      resources,
      context: (params) => tagContext(tagsOf(params)),
      apply(params) {
        const added = tagsOf(params);
        rejectReserved(Object.keys(added));
        const targets = resources(params);
        for (const { tags } of targets) {
          const own = Object.keys({ ...tags, ...added }).filter((key) => !key.startsWith('aws:'));
          if (own.length > TAGS_MAX) refuse('TagLimitExceeded', 'More than 50 tags specified');
        }
        for (const { tags } of targets) Object.assign(tags, added);
        return { return: true };
      },
    },
    DeleteTags: {
      resources,
      context: (params) => tagContext(tagsOf(params)),
      /** Without `Tag.N` all go; with a value only the tag that has it. */
      apply(params) {
        const named = params.groups('Tag');
        rejectReserved(named.map((tag) => tag.required('Key')));
        for (const { tags } of resources(params)) {
          const keys = named.length === 0 ? Object.keys(tags) : named.map((t) => t.required('Key'));
          for (const key of keys) {
            const value = named.find((tag) => tag.text('Key') === key)?.text('Value');
            const kept = key.startsWith('aws:') || (value !== undefined && tags[key] !== value);
            if (!kept) delete tags[key];
          }
        }
        return { return: true };
      },
    },
  };
};
