import type { Statement } from './template.ts';

const READS = /^[a-z0-9-]+:(?:Describe|Get|BatchGet|List|Query)[A-Z]/;
/** Log delivery knows no resources: AWS documents these for "*" only. */
const LOG_DELIVERY =
  /^logs:(?:CreateLogDelivery|UpdateLogDelivery|DeleteLogDelivery|PutResourcePolicy)$/;

/** Without a resource in IAM's list of actions: whoever may answer must have been given the task's token. */
const TASK_ANSWER = /^states:SendTaskSuccess$/;

/** The end of the resource's ARN, whatever references it is joined from. */
const ending = (resource: unknown): string => {
  if (typeof resource === 'string') return resource;
  const last = JSON.stringify(resource).match(/"([^"]*)"\]*\}*$/)?.[1];
  return last ?? '';
};

/** `*`, or every resource of a kind such as `instance/*`. */
const isBroad = (resource: unknown): boolean => /(?:^\*|\/\*)$/.test(ending(resource));

const asksForTag = ({ Condition = {} }: Statement): boolean =>
  Object.entries(Condition).some(
    ([operator, keys]) =>
      /^(?:StringEquals|Null)$/.test(operator) &&
      Object.keys(keys).some((key) => key.startsWith('aws:ResourceTag/')),
  );

/**
 * Changes a role may make to things it cannot know: mutating actions, or actions by wildcard, on
 * every resource (or every resource of a kind) without a condition on the thing's own tag.
 */
export const unboundedChanges = (statements: readonly Statement[]): string[] =>
  statements
    .filter(({ Effect, Resource }) => Effect === 'Allow' && Resource.some(isBroad))
    .filter((statement) => !asksForTag(statement))
    .flatMap(({ Action }) => Action)
    .filter((action) => action.includes('*') || !READS.test(action))
    .filter((action) => !LOG_DELIVERY.test(action) && !TASK_ANSWER.test(action));

/** Every action a role may take, by name. */
export const allowedActions = (statements: readonly Statement[]): string[] => [
  ...new Set(statements.flatMap(({ Effect, Action }) => (Effect === 'Allow' ? Action : []))),
];
