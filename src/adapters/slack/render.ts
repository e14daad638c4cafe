import type {
  ActionsBlock,
  Button as ButtonElement,
  ContextBlock,
  HeaderBlock,
  SectionBlock,
} from '@slack/web-api';
import type { Button, Confirm } from '../../domain/buttons.ts';
import type { IncidentMessage } from '../../domain/message.ts';

/** Limits of Block Kit; a message beyond them is refused whole (`invalid_blocks`). */
const HEADER_CHARS_MAX = 150;
const SECTION_CHARS_MAX = 3_000;
const CONFIRM_TITLE_CHARS_MAX = 100;
const CONFIRM_TEXT_CHARS_MAX = 300;
const WORDS_CHARS_MAX = 30;
/**
 * Of all sections together. Slack refuses a message of about 12,000 characters in its blocks
 * (`msg_blocks_too_long`), a limit that it does not document: slackapi/bolt-js#2509, #2867.
 */
const MESSAGE_CHARS_MAX = 9_000;

const MOODS: Readonly<Record<IncidentMessage['mood'], { emoji: string; words: string }>> = {
  working: { emoji: ':hourglass_flowing_sand:', words: 'working on it' },
  waiting: {
    emoji: ':raised_hand:',
    words: 'holding: everything is kept safe until this is decided',
  },
  good: { emoji: ':white_check_mark:', words: 'done' },
  calm: { emoji: ':information_source:', words: 'nothing more to do' },
};

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };

/** Escaped for Slack and cut to `charsMax` of the result, never within an entity or a character. */
const clip = (text: string, charsMax: number): string => {
  const parts = Array.from(text, (char) => ENTITIES[char] ?? char);
  if (parts.join('').length <= charsMax) return parts.join('');
  let clipped = '';
  for (const part of parts) {
    if (clipped.length + part.length > charsMax - 1) break;
    clipped += part;
  }
  return `${clipped}…`;
};

/** `Why: it hangs` with its label in bold. */
const emphasised = (line: string): string => line.replace(/^[A-Z][a-z ]{1,15}:(?= )/, '*$&*');

/** As many of the lines as one message may hold. */
const fitting = (lines: readonly string[]): readonly string[] => {
  let length = 0;
  const count = lines.findIndex((line) => {
    length += line.length + 1;
    return length > MESSAGE_CHARS_MAX;
  });
  return count === -1 ? lines : [...lines.slice(0, count), '… the rest is in the ledger.'];
};

/** Lines packed into as few sections as hold them. */
const packLines = (lines: readonly string[]): string[] => {
  const sections: string[] = [];
  const clipped = lines.map((text) => emphasised(clip(text, SECTION_CHARS_MAX - 2)));
  for (const line of fitting(clipped)) {
    const last = sections.at(-1);
    const joined = `${last}\n${line}`;
    if (last !== undefined && joined.length <= SECTION_CHARS_MAX)
      sections[sections.length - 1] = joined;
    else sections.push(line);
  }
  return sections.filter((text) => text.trim() !== '');
};

const sectionOf = (text: string): SectionBlock => ({
  type: 'section',
  text: { type: 'mrkdwn', text },
});

const plain = (text: string, charsMax: number) => ({
  type: 'plain_text' as const,
  // Slack shows plain text as it is, entities too.
  text: text.length <= charsMax ? text : `${text.slice(0, charsMax - 1)}…`,
});

const confirmOf = ({ text, title, yes }: Confirm): NonNullable<ButtonElement['confirm']> => ({
  title: plain(title, CONFIRM_TITLE_CHARS_MAX),
  text: plain(text, CONFIRM_TEXT_CHARS_MAX),
  confirm: plain(yes, WORDS_CHARS_MAX),
  deny: plain('Cancel', WORDS_CHARS_MAX),
});

const elementOf = ({ about, action, confirm, style, words }: Button): ButtonElement => ({
  type: 'button',
  action_id: action,
  text: plain(words, WORDS_CHARS_MAX),
  value: JSON.stringify(about),
  ...(style === undefined ? {} : { style }),
  ...(confirm === undefined ? {} : { confirm: confirmOf(confirm) }),
});

export interface RenderedMessage {
  /** For notifications and screen readers. */
  readonly text: string;
  readonly blocks: (HeaderBlock | SectionBlock | ContextBlock | ActionsBlock)[];
}

/** An incident message in Block Kit: header, lines, buttons, and a line on what to expect. */
export const renderMessage = (
  { buttons, lines, mood, title }: IncidentMessage,
  withButtons: boolean,
): RenderedMessage => {
  const { emoji, words } = MOODS[mood];
  const header = clip(title, HEADER_CHARS_MAX - emoji.length - 1);
  const elements = withButtons ? buttons.map(elementOf) : [];
  return {
    text: clip(title, SECTION_CHARS_MAX),
    blocks: [
      { type: 'header', text: { type: 'plain_text', text: `${emoji} ${header}`, emoji: true } },
      ...packLines(lines).map(sectionOf),
      ...(elements.length > 0 ? [{ type: 'actions' as const, elements }] : []),
      { type: 'context', elements: [{ type: 'mrkdwn', text: `ebs-failover: ${words}` }] },
    ],
  };
};

/** Lines by themselves: a reply in a thread, or an answer to one person. */
export const renderLines = (lines: readonly string[]): RenderedMessage => ({
  text: clip(lines[0] ?? '', SECTION_CHARS_MAX),
  blocks: packLines(lines).map(sectionOf),
});
