import type { SlackMessage } from './model.ts';

interface Block {
  type: string;
  text?: { text: string };
  elements?: {
    text: string | { text: string };
    style?: string;
    confirm?: { title: { text: string }; text: { text: string } };
  }[];
}

const ENTITIES: [RegExp, string][] = [
  [/&lt;/g, '<'],
  [/&gt;/g, '>'],
  [/&amp;/g, '&'],
];
const shown = (text: string): string =>
  ENTITIES.reduce((said, [entity, char]) => said.replaceAll(entity, char), text);

const linesOf = ({ elements = [], text, type }: Block): string[] => {
  if (type === 'header') return [`# ${shown(text?.text ?? '')}`];
  if (type === 'section') return shown(text?.text ?? '').split('\n');
  if (type !== 'actions') return elements.map((element) => `_${shown(String(element.text))}_`);
  return elements.map(({ confirm, text: words }) => {
    const said = typeof words === 'string' ? words : words.text;
    return confirm ? `[${said}]  asks: ${confirm.title.text} ${confirm.text.text}` : `[${said}]`;
  });
};

/** A message as a person reads it, one line of it a line. */
export const messageLines = ({ blocks }: Pick<SlackMessage, 'blocks'>): string[] =>
  (blocks as Block[]).flatMap(linesOf);
