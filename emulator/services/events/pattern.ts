import { wildcardMatch } from '../iam/policy.ts';

type Filter = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Filter =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : [value]);

const isText = (value: unknown, holds: (text: string) => boolean): boolean =>
  typeof value === 'string' && holds(value);

/** Comparison operators on one present value (EventBridge guide, content-based filtering). */
const OPERATORS: Record<string, (wanted: unknown, value: unknown) => boolean> = {
  prefix: (wanted, value) => isText(value, (text) => text.startsWith(String(wanted))),
  suffix: (wanted, value) => isText(value, (text) => text.endsWith(String(wanted))),
  wildcard: (wanted, value) => isText(value, (text) => wildcardMatch(String(wanted), text)),
  'equals-ignore-case': (wanted, value) =>
    isText(value, (text) => text.toLowerCase() === String(wanted).toLowerCase()),
  'anything-but': (wanted, value) => !list(wanted).some((one) => matchesOne(one, value)),
};

/** One alternative of a leaf against one value. */
const matchesOne = (alternative: unknown, value: unknown): boolean => {
  if (!isObject(alternative)) return alternative === value;
  return Object.entries(alternative).every(([name, wanted]) => {
    const operator = OPERATORS[name];
    if (!operator) throw new Error(`event pattern operator ${name} is not emulated`);
    return operator(wanted, value);
  });
};

const matchesLeaf = (alternatives: readonly unknown[], value: unknown): boolean =>
  alternatives.some((alternative) => {
    if (isObject(alternative) && 'exists' in alternative) {
      return (value !== undefined) === alternative.exists;
    }
    if (value === undefined) return false;
    // A list in the event matches when any of its members does.
    return list(value).some((member) => matchesOne(alternative, member));
  });

/**
 * Whether an event matches a rule's pattern: every field named by the pattern must match, a list
 * is a choice, `$or` a choice of whole patterns, and an array of objects in the event matches
 * when one of its objects does. Throws for an operator the emulator does not know.
 */
export const matchesPattern = (pattern: Filter, event: unknown): boolean => {
  if (Array.isArray(event)) return event.some((member) => matchesPattern(pattern, member));
  const fields = isObject(event) ? event : {};
  return Object.entries(pattern).every(([key, wanted]) => {
    if (key === '$or') return list(wanted).some((p) => isObject(p) && matchesPattern(p, event));
    if (Array.isArray(wanted)) return matchesLeaf(wanted, fields[key]);
    if (isObject(wanted)) return matchesPattern(wanted, fields[key]);
    throw new Error(`event pattern field ${key} must be a list or an object`);
  });
};
