import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { renderLines, renderMessage } from '../../../../src/adapters/slack/render.ts';
import type { Button } from '../../../../src/domain/buttons.ts';
import type { IncidentMessage } from '../../../../src/domain/message.ts';

const render = (more: Partial<IncidentMessage>) =>
  renderMessage({ title: 'title', lines: [], mood: 'working', buttons: [], ...more }, true);

const textsOf = (rendered: ReturnType<typeof renderMessage>) =>
  rendered.blocks.map((block) => {
    if (block.type === 'context' || block.type === 'actions') {
      return { type: block.type, text: JSON.stringify(block.elements) };
    }
    return { type: block.type, text: block.text?.text ?? '' };
  });

describe('a message in Block Kit', () => {
  it('has a header, its lines and a word on the mood', () => {
    expect(render({ title: 'i-1 is down', lines: ['one', 'two'], mood: 'good' })).toEqual({
      text: 'i-1 is down',
      blocks: [
        {
          type: 'header',
          text: { type: 'plain_text', text: ':white_check_mark: i-1 is down', emoji: true },
        },
        { type: 'section', text: { type: 'mrkdwn', text: 'one\ntwo' } },
        { type: 'context', elements: [{ type: 'mrkdwn', text: 'ebs-failover: done' }] },
      ],
    });
  });

  it('says at a glance whether a person is needed', () => {
    const moods = (['working', 'waiting', 'good', 'calm'] as const).map((mood) => render({ mood }));
    const headers = new Set(moods.map((rendered) => textsOf(rendered)[0]?.text));
    const contexts = new Set(moods.map((rendered) => textsOf(rendered).at(-1)?.text));
    expect([headers.size, contexts.size]).toEqual([4, 4]);
  });

  it('cannot be made to mention, link or format by what it reports', () => {
    const rendered = render({ title: '<!channel> & co', lines: ['<https://evil|ok> & <@U1>'] });
    expect(rendered.text).toBe('&lt;!channel&gt; &amp; co');
    expect(textsOf(rendered)[1]?.text).toBe('&lt;https://evil|ok&gt; &amp; &lt;@U1&gt;');
  });

  it('cuts a header at 150 characters and says so', () => {
    const header = textsOf(render({ title: 'x'.repeat(200) }))[0]?.text;
    expect(header).toHaveLength(150);
    expect(header).toMatch(/x…$/);
  });

  it('starts another section where the next line would make one too long', () => {
    const lines = ['a'.repeat(2_000), 'b'.repeat(999), 'c'];
    const sections = textsOf(render({ lines })).filter(({ type }) => type === 'section');
    expect(sections.map(({ text }) => text)).toEqual([lines.slice(0, 2).join('\n'), 'c']);
  });

  it('points to the ledger for what does not fit', () => {
    const lines = Array.from({ length: 60 }, () => 'x'.repeat(3_000));
    const texts = textsOf(render({ lines }));
    expect(texts.map(({ text }) => text).join('').length).toBeLessThan(9_500);
    expect(texts.at(-2)?.text).toContain('the rest is in the ledger');
  });

  it('leaves no empty section, which Slack refuses', () => {
    expect(textsOf(render({ lines: ['', ' '] })).map(({ type }) => type)).toEqual([
      'header',
      'context',
    ]);
  });

  it('stays within every limit, and whole in every entity and character, whatever it says', () => {
    const text = fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 400 }),
      fc.string({ unit: fc.constantFrom('&', '<', 'x', '😀'), maxLength: 5_000 }),
    );
    const mood = fc.constantFrom('working', 'waiting', 'good', 'calm');
    fc.assert(
      fc.property(text, fc.array(text, { maxLength: 70 }), mood, (title, lines, mood) => {
        const rendered = render({ title, lines, mood });
        const texts = textsOf(rendered);
        expect(texts.length).toBeLessThanOrEqual(50);
        expect(texts.map(({ text: shown }) => shown).join('').length).toBeLessThan(9_600);
        for (const { type, text: shown } of texts) {
          expect(shown.length).toBeLessThanOrEqual(type === 'header' ? 150 : 3_000);
          expect(shown).not.toMatch(/[<>]/);
          expect(shown.replaceAll(/&(?:amp|lt|gt);/g, '')).not.toContain('&');
          expect(shown.isWellFormed()).toBe(true);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('sets off the label of a line', () => {
    const texts = textsOf(render({ lines: ['Why: it hangs', 'Way out: wait', 'i-1: down'] }));
    expect(texts[1]?.text).toBe('*Why:* it hangs\n*Way out:* wait\ni-1: down');
  });
});

describe('buttons', () => {
  const approve: Button = {
    action: 'approve',
    words: 'Approve',
    about: { incidentId: 'prod#i-1#1', approvalId: 'a1' },
    style: 'primary',
    confirm: { title: 'Approve a1?', text: 'fence it & move mysql', yes: 'Do it' },
  };

  it('stand above the last line, and say what they are about', () => {
    const blocks = render({ lines: ['one'], buttons: [approve] }).blocks;
    expect(blocks.map(({ type }) => type)).toEqual(['header', 'section', 'actions', 'context']);
    const plain = (text: string) => ({ type: 'plain_text', text });
    expect(blocks[2]).toEqual({
      type: 'actions',
      elements: [
        {
          type: 'button',
          action_id: 'approve',
          text: plain('Approve'),
          value: '{"incidentId":"prod#i-1#1","approvalId":"a1"}',
          style: 'primary',
          confirm: {
            title: plain('Approve a1?'),
            text: plain('fence it & move mysql'),
            confirm: plain('Do it'),
            deny: plain('Cancel'),
          },
        },
      ],
    });
  });

  it('ask within what Slack lets them say', () => {
    const long = 'x'.repeat(4_000);
    const words = { ...approve, words: long, confirm: { title: long, text: long, yes: long } };
    const [, actions] = render({ buttons: [words] }).blocks;
    expect(actions).toMatchObject({
      elements: [
        {
          text: { text: expect.stringMatching(/^x{29}…$/) },
          confirm: {
            title: { text: expect.stringMatching(/^x{99}…$/) },
            text: { text: expect.stringMatching(/^x{299}…$/) },
            confirm: { text: expect.stringMatching(/^x{29}…$/) },
          },
        },
      ],
    });
  });

  it('are none where nobody would hear of them', () => {
    const message = { title: 't', lines: [], mood: 'working', buttons: [approve] } as const;
    expect(renderMessage(message, false).blocks.map(({ type }) => type)).toEqual([
      'header',
      'context',
    ]);
  });
});

it('lines by themselves are as short as a message', () => {
  const { blocks, text } = renderLines(Array.from({ length: 60 }, () => `<${'x'.repeat(500)}`));
  expect(text).toMatch(/^&lt;x/);
  expect(JSON.stringify(blocks).length).toBeLessThan(9_800);
  expect(JSON.stringify(blocks)).toContain('the rest is in the ledger');
});
