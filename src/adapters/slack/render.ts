import type { ContextBlock, HeaderBlock, SectionBlock } from '@slack/web-api';
import type { IncidentMessage } from '../../domain/message.ts';

/** Limits of Block Kit; a message beyond them is refused whole (`invalid_blocks`). */
const HEADER_CHARS_MAX = 150;
const SECTION_CHARS_MAX = 3_000;
const BLOCKS_MAX = 50;
/** All but the header and the context. */
const SECTIONS_MAX = BLOCKS_MAX - 2;

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

/** Lines packed into as few sections as hold them. */
const packLines = (lines: readonly string[]): string[] => {
  const sections: string[] = [];
  for (const line of lines.map((text) => clip(text, SECTION_CHARS_MAX))) {
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

export interface RenderedMessage {
  /** For notifications and screen readers. */
  readonly text: string;
  readonly blocks: (HeaderBlock | SectionBlock | ContextBlock)[];
}

/** An incident message in Block Kit: header, lines, and a line on what to expect. */
export const renderMessage = ({ title, lines, mood }: IncidentMessage): RenderedMessage => {
  const { emoji, words } = MOODS[mood];
  const sections = packLines(lines);
  const shown =
    sections.length <= SECTIONS_MAX
      ? sections
      : [...sections.slice(0, SECTIONS_MAX - 1), '… the rest is in the ledger.'];
  const header = clip(title, HEADER_CHARS_MAX - emoji.length - 1);
  return {
    text: clip(title, SECTION_CHARS_MAX),
    blocks: [
      { type: 'header', text: { type: 'plain_text', text: `${emoji} ${header}`, emoji: true } },
      ...shown.map(sectionOf),
      { type: 'context', elements: [{ type: 'mrkdwn', text: `ebs-failover: ${words}` }] },
    ],
  };
};
