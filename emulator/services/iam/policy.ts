/** One statement of an identity policy, intrinsics already resolved. */
export interface Statement {
  Sid?: string;
  Effect: 'Allow' | 'Deny';
  Action?: string | string[];
  NotAction?: string | string[];
  Resource?: string | string[];
  NotResource?: string | string[];
  Condition?: Record<string, Record<string, string | string[] | boolean>>;
}

/** What a condition can look at: `aws:ResourceTag/x`, `aws:TagKeys`, `dynamodb:LeadingKeys`, ... */
export type ConditionContext = Readonly<Record<string, string | readonly string[]>>;

const list = <T>(value: T | T[] | undefined): T[] =>
  value === undefined ? [] : Array.isArray(value) ? value : [value];

const escaped = (text: string): string => text.replace(/[.+^${}()|[\]\\]/g, '\\$&');

/** Policies are few and asked often: compiled patterns are kept for the life of the process. */
const compiled = new Map<string, RegExp>();

/** IAM wildcards: `*` any run of characters, `?` exactly one. */
export const wildcardMatch = (pattern: string, text: string, flags = ''): boolean => {
  if (pattern === '*') return true;
  const known = compiled.get(`${flags}/${pattern}`);
  if (known) return known.test(text);
  const body = escaped(pattern).replaceAll('*', '[\\s\\S]*').replaceAll('?', '[\\s\\S]');
  const expression = new RegExp(`^${body}$`, flags);
  compiled.set(`${flags}/${pattern}`, expression);
  return expression.test(text);
};

type Compare = (wanted: string, actual: string) => boolean;
const equal: Compare = (wanted, actual) => wanted === actual;
const like: Compare = (wanted, actual) => wildcardMatch(wanted, actual);

/** Operator -> comparison, and whether it is the negation of it. */
const OPERATORS: Record<string, [Compare, negated: boolean]> = {
  StringEquals: [equal, false],
  StringNotEquals: [equal, true],
  StringLike: [like, false],
  StringNotLike: [like, true],
  ArnEquals: [like, false],
  ArnLike: [like, false],
  ArnNotEquals: [like, true],
  ArnNotLike: [like, true],
  Bool: [(wanted, actual) => wanted.toLowerCase() === actual.toLowerCase(), false],
};

/**
 * One condition key. Without a set operator a missing key fails a positive comparison and passes
 * a negated one; ForAllValues passes for a missing key; IfExists passes for a missing key.
 */
const holds = (operator: string, wanted: string[], actual: readonly string[] | undefined) => {
  const [, set, base = '', ifExists] =
    /^(?:(ForAllValues|ForAnyValue):)?([A-Za-z]+?)(IfExists)?$/.exec(operator) ?? [];
  if (base === 'Null') return wanted.some((value) => (value === 'true') === (actual === undefined));
  const known = OPERATORS[base];
  if (!known) throw new Error(`condition operator ${operator} is not known to the emulated IAM`);
  const [compare, negated] = known;
  if (actual === undefined) return ifExists !== undefined || set === 'ForAllValues' || negated;
  const one = (value: string): boolean => wanted.some((w) => compare(w, value)) !== negated;
  return set === 'ForAnyValue' ? actual.some(one) : actual.every(one);
};

const conditionHolds = (statement: Statement, context: ConditionContext): boolean =>
  Object.entries(statement.Condition ?? {}).every(([operator, keys]) =>
    Object.entries(keys).every(([key, wanted]) => {
      const value = context[key];
      const actual = value === undefined ? undefined : typeof value === 'string' ? [value] : value;
      return holds(operator, list(wanted).map(String), actual);
    }),
  );

const isOnAction = (statement: Statement, action: string): boolean => {
  const matches = (pattern: string): boolean => wildcardMatch(pattern, action, 'i');
  return statement.NotAction
    ? !list(statement.NotAction).some(matches)
    : list(statement.Action).some(matches);
};

const isOnResource = (statement: Statement, resource: string): boolean => {
  const matches = (pattern: string): boolean => wildcardMatch(pattern, resource);
  return statement.NotResource
    ? !list(statement.NotResource).some(matches)
    : list(statement.Resource).some(matches);
};

/** A role asks the same few actions all its life: which statements are about them is kept. */
const byAction = new WeakMap<readonly Statement[], Map<string, Statement[]>>();

const statementsOn = (statements: readonly Statement[], action: string): Statement[] => {
  const known = byAction.get(statements) ?? new Map<string, Statement[]>();
  byAction.set(statements, known);
  const found = known.get(action) ?? statements.filter((one) => isOnAction(one, action));
  known.set(action, found);
  return found;
};

/** IAM's rule for one action on one resource: an explicit Deny wins, then any Allow, else no. */
export const evaluate = (
  statements: readonly Statement[],
  action: string,
  resource: string,
  context: ConditionContext,
): 'allowed' | 'denied' | 'explicitly denied' => {
  const matching = statementsOn(statements, action).filter(
    (one) => isOnResource(one, resource) && conditionHolds(one, context),
  );
  if (matching.some((s) => s.Effect === 'Deny')) return 'explicitly denied';
  return matching.some((s) => s.Effect === 'Allow') ? 'allowed' : 'denied';
};
