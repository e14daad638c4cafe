type Json = Record<string, unknown>;

/**
 * Block Kit's documented limits, as far as the blocks are used here:
 * docs.slack.dev/reference/block-kit/blocks and .../composition-objects.
 */
const MAX = {
  blocks: 50,
  header: 150,
  section: 3_000,
  fields: 10,
  field: 2_000,
  contextElements: 10,
  actionElements: 25,
  buttonText: 75,
  buttonValue: 2_000,
  id: 255,
  confirmTitle: 100,
  confirmText: 300,
  confirmWord: 30,
} as const;

/**
 * All texts of a message together, and so much more for each block. Not documented: people met the
 * limit between 11,341 and 13,297 characters (slackapi/bolt-js#2509, #2867); the least is taken.
 */
const ALL_TEXT_MAX = 11_300;
const PER_BLOCK = 125;

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);

/** A problem in Slack's words, and where it is. */
type Problem = readonly [says: string, pointer: string];

const missing = (at: string): Problem => ['missing required field', at];
const atMostChars = (max: number, length: number, at: string): Problem[] =>
  length > max ? [[`must be less than ${max + 1} characters`, at]] : [];

/** A text object of one of the kinds, not empty and not too long. */
const text = (at: string, value: unknown, kinds: string[], charsMax: number): Problem[] => {
  if (!isObject(value)) return [missing(at)];
  if (!kinds.includes(String(value.type))) return [['unsupported type', `${at}/type`]];
  if (typeof value.text !== 'string') return [missing(`${at}/text`)];
  if (value.text === '') return [['must be more than 0 characters', `${at}/text`]];
  return atMostChars(charsMax, value.text.length, `${at}/text`);
};

const shortText = (at: string, value: unknown, charsMax: number): Problem[] =>
  typeof value === 'string' && value !== ''
    ? atMostChars(charsMax, value.length, at)
    : [missing(at)];

const confirm = (at: string, value: unknown): Problem[] =>
  isObject(value)
    ? [
        ...text(`${at}/title`, value.title, ['plain_text'], MAX.confirmTitle),
        ...text(`${at}/text`, value.text, ['plain_text', 'mrkdwn'], MAX.confirmText),
        ...text(`${at}/confirm`, value.confirm, ['plain_text'], MAX.confirmWord),
        ...text(`${at}/deny`, value.deny, ['plain_text'], MAX.confirmWord),
      ]
    : [['must be an object', at]];

const STYLES = [undefined, 'primary', 'danger'];

const button = (at: string, value: unknown): Problem[] => {
  if (!isObject(value) || value.type !== 'button') return [['unsupported type', `${at}/type`]];
  const isStyled = STYLES.some((style) => style === value.style);
  return [
    ...text(`${at}/text`, value.text, ['plain_text'], MAX.buttonText),
    ...shortText(`${at}/action_id`, value.action_id, MAX.id),
    ...(value.value === undefined ? [] : shortText(`${at}/value`, value.value, MAX.buttonValue)),
    ...(isStyled ? [] : [['must be a valid enum value', `${at}/style`] as const]),
    ...(value.confirm === undefined ? [] : confirm(`${at}/confirm`, value.confirm)),
  ];
};

const each = (
  at: string,
  value: unknown,
  max: number,
  check: (at: string, item: unknown) => Problem[],
): Problem[] => {
  const items = list(value);
  if (items.length === 0) return [['no fewer than 1 items allowed', at]];
  if (items.length > max) return [[`no more than ${max} items allowed`, at]];
  return items.flatMap((item, i) => check(`${at}/${i}`, item));
};

const repeated = (at: string, elements: unknown): Problem[] => {
  const ids = list(elements).map((element) => isObject(element) && element.action_id);
  return new Set(ids).size < ids.length ? [['`action_id` already exists', at]] : [];
};

const ANY_TEXT = ['plain_text', 'mrkdwn'];
const checks: Record<string, (at: string, block: Json) => Problem[]> = {
  header: (at, block) => text(`${at}/text`, block.text, ['plain_text'], MAX.header),
  divider: () => [],
  section: (at, { fields, text: said }) => [
    ...(said === undefined && fields !== undefined
      ? []
      : text(`${at}/text`, said, ANY_TEXT, MAX.section)),
    ...(fields === undefined
      ? []
      : each(`${at}/fields`, fields, MAX.fields, (where, field) =>
          text(where, field, ANY_TEXT, MAX.field),
        )),
  ],
  context: (at, { elements }) =>
    each(`${at}/elements`, elements, MAX.contextElements, (where, element) =>
      text(where, element, ANY_TEXT, MAX.section),
    ),
  actions: (at, { elements }) => [
    ...each(`${at}/elements`, elements, MAX.actionElements, button),
    ...repeated(`${at}/elements`, elements),
  ],
};

/** What is wrong with a message's blocks, in Slack's words; empty: nothing. */
export const blockProblems = (blocks: unknown): string[] => {
  if (!Array.isArray(blocks)) return ['[ERROR] must be an array [json-pointer:/blocks]'];
  const tooMany: Problem[] =
    blocks.length > MAX.blocks ? [[`no more than ${MAX.blocks} items allowed`, '/blocks']] : [];
  const wrong = blocks.flatMap((block: unknown, i): Problem[] => {
    const check = isObject(block) ? checks[String(block.type)] : undefined;
    return check && isObject(block)
      ? check(`/blocks/${i}`, block)
      : [['unsupported type', `/blocks/${i}/type`]];
  });
  return [...tooMany, ...wrong].map(([says, at]) => `[ERROR] ${says} [json-pointer:${at}]`);
};

const lengthOf = (value: unknown): number => {
  if (Array.isArray(value)) return value.reduce((sum: number, part) => sum + lengthOf(part), 0);
  if (!isObject(value)) return 0;
  return Object.entries(value).reduce(
    (sum, [key, part]) =>
      sum + (key === 'text' && typeof part === 'string' ? part.length : lengthOf(part)),
    0,
  );
};

/** More than a message may say in all its blocks together. */
export const isTooLong = (blocks: unknown[]): boolean =>
  lengthOf(blocks) + blocks.length * PER_BLOCK > ALL_TEXT_MAX;
