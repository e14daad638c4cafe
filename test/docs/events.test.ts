import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { matchesPattern } from '../../emulator/services/events/pattern.ts';
import { PhaseEvent } from '../../src/contracts/phase-event.ts';
import type { Phase } from '../../src/ports/events.ts';
import { projectDir } from '../support/project-files.ts';

const page = readFileSync(join(projectDir, 'docs/events.md'), 'utf8');
const { detail: Detail } = PhaseEvent.shape;
const contracted = Detail.shape.phase.options;

/** Every phase the code can send; a new one does not compile before it is here. */
const sent: Record<Phase, true> = {
  assessed: true,
  protected: true,
  fenced: true,
  released: true,
  'handed-off': true,
  recovered: true,
  cancelled: true,
  held: true,
  failed: true,
  'approval-requested': true,
  approved: true,
  denied: true,
  storm: true,
};

/** The example in the section of each phase. */
const examplesIn = (text: string): Map<string, unknown> =>
  new Map(
    [...text.matchAll(/^### (\S+)\n(?:(?!^###)[\s\S])*?^```json\n([\s\S]*?)^```$/gm)].map(
      ([, phase = '', json = '']) => [phase, JSON.parse(json)],
    ),
  );

/** Phases without a section and an example of their own, or whose example breaks the contract. */
const wrongPhases = (text: string): string[] => {
  const examples = examplesIn(text);
  return contracted.filter((phase) => {
    const { data } = Detail.safeParse(examples.get(phase));
    return data?.phase !== phase;
  });
};

/** Fields of the contract without a row, and rows without a field. */
const wrongFields = (text: string): string[] => {
  const rows = [...text.matchAll(/^\| (`\w+`(?:, `\w+`)*) \| (?:all|once|while)/gm)];
  const told = rows.flatMap(([, names = '']) => names.replaceAll('`', '').split(', '));
  const fields = Object.keys(Detail.shape);
  return [
    ...fields.filter((field) => !told.includes(field)),
    ...told.filter((field) => !fields.includes(field)),
  ];
};

describe('the page of events', () => {
  it('and the contract know every phase that can be sent', () => {
    expect([...contracted].sort()).toEqual(Object.keys(sent).sort());
  });

  it('has for each phase when it is sent, what it carries, and an example that holds', () => {
    expect(wrongPhases(page)).toEqual([]);
    for (const phase of contracted) {
      expect(page).toMatch(
        new RegExp(`### ${phase}\n[^#]*\\*\\*Sent\\*\\*[^#]*\\*\\*Carries\\*\\*`),
      );
    }
    expect([...examplesIn(page).keys()]).toEqual([...contracted]);
  });

  it.each([
    ['a section that is gone', page.replace('### held', '### gone')],
    ['an example of another phase', page.replace('"phase": "held"', '"phase": "storm"')],
    ['an example without a version', page.replaceAll('"version": 1,', '')],
    ['a field nobody sends', page.replaceAll('"token": 1,', '"token": 1, "mood": "good",')],
  ])('would be refused for %s', (_, text) => {
    expect(wrongPhases(text)).not.toEqual([]);
  });

  it('explains every field, and no other', () => {
    expect(wrongFields(page)).toEqual([]);
    expect(wrongFields(page.replace('| `token` | all', '| `mood` | all'))).toEqual([
      'token',
      'mood',
    ]);
  });

  it('shows a whole event, and a rule that it matches', () => {
    const [, json = ''] = /## The event\n\n```json\n([\s\S]*?)```/.exec(page) ?? [];
    const event: unknown = JSON.parse(json);
    expect(PhaseEvent.safeParse(event).error).toBeUndefined();
    const [, pattern = ''] = /--event-pattern '([\s\S]*?)'/.exec(page) ?? [];
    expect(matchesPattern(JSON.parse(pattern), event)).toBe(true);
    expect(matchesPattern(JSON.parse(pattern), { source: 'ebs-failover' })).toBe(false);
  });
});
