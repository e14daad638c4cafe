import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { type ProjectFile, projectDir, projectFiles } from '../support/project-files.ts';

/** What the texts promise about the project is compared with the project. */
const read = (path: string): string => readFileSync(join(projectDir, path), 'utf8');
const texts = projectFiles().filter(({ path }) => path.endsWith('.md'));
const exists = (path: string): boolean => existsSync(join(projectDir, path));

const withoutCode = (text: string): string =>
  text.replace(/^```[\s\S]*?^```$/gm, '').replace(/`[^`\n]*`/g, '');

/** As GitHub makes them: lower case, punctuation dropped, spaces to hyphens. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');
const headingsOf = (text: string): string[] =>
  [...text.replace(/^```[\s\S]*?^```$/gm, '').matchAll(/^#+ (.+)$/gm)].map(([, title = '']) =>
    title.trim(),
  );
const anchorsOf = (text: string): string[] => headingsOf(text).map(anchorOf);

/** Relative links whose file or heading does not exist. */
const deadLinks = ({ path, text }: ProjectFile): string[] =>
  [...withoutCode(text).matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, link = '']) => link)
    .filter((link) => !/^[a-z]+:/.test(link))
    .filter((link) => {
      const [file = '', anchor] = link.split('#');
      const target = file === '' ? path : normalize(join(dirname(path), file));
      if (target !== path && !exists(target)) return true;
      if (anchor === undefined) return false;
      const there = target === path ? text : read(target);
      return !anchorsOf(there).includes(anchor);
    });

const scripts: Record<string, string> = JSON.parse(read('package.json')).scripts;

/** Commands of npm that the project does not have. */
const unknownScripts = ({ text }: ProjectFile): string[] =>
  [...text.matchAll(/\bnpm (?:run (?:--?\S+ )*([a-z][\w:-]*)|(start|test)\b)/g)]
    .map(([, script, builtIn]) => script ?? builtIn ?? '')
    .filter((script) => !(script in scripts));

const backticked = /`((?:src|functions|statemachines|infra|emulator|test|docs|bench)\/[^`\s]*)`/g;
/** Files and folders named in the text that are not there. */
const missingFiles = ({ text }: ProjectFile): string[] =>
  [...text.replace(/^```[\s\S]*?^```$/gm, '').matchAll(backticked)]
    .map(([, path = '']) => path)
    .filter((path) => !/[*<]/.test(path) && !exists(path));

const holdReasons = [
  ...(
    /type HoldReason =((?:\s+\| '[a-z-]+')+);/.exec(read('src/domain/incident.ts'))?.[1] ?? ''
  ).matchAll(/'([a-z-]+)'/g),
].map(([, reason = '']) => reason);

const sectionOf = (text: string, heading: string): string =>
  new RegExp(`^### ${heading}\\n([\\s\\S]*?)(?=^#|(?![\\s\\S]))`, 'm').exec(text)?.[1] ?? '';

/** Reasons that the runbook does not explain to its end. */
const unexplained = (runbook: string, reasons: readonly string[]): string[] =>
  reasons.filter((reason) => {
    const section = sectionOf(runbook, reason);
    return !/\*\*Do(?: not)?\*\*/.test(section) || !/\*\*(?:Ends|Does not end)\*\*/.test(section);
  });

interface Parameter {
  readonly Default?: string | number;
  readonly AllowedValues?: readonly string[];
}
const parameters: Record<string, Parameter> = parse(read('infra/parameters.yml'));

/** Parameters whose row is missing, or has another default or not every allowed value. */
const wrongRows = (readme: string, of: Record<string, Parameter>): string[] =>
  Object.entries(of)
    .filter(([name, { Default, AllowedValues = [] }]) => {
      const row = readme.split('\n').find((line) => line.startsWith(`| \`${name}\` |`));
      const cells = row?.split('|').map((cell) => cell.trim().replaceAll('`', '')) ?? [];
      const isDefault = cells[2] === String(Default ?? 'none');
      const missing = AllowedValues.filter((value) => !cells[3]?.split(', ').includes(value));
      return !isDefault || missing.length > 0;
    })
    .map(([name]) => name);

const decisions = texts.filter(({ path }) => /^docs\/adr\/\d{4}-/.test(path));

/** What a decision lacks of its form. */
const lacks = ({ text }: ProjectFile): string[] =>
  [/^# \d{4}: \S/m, /^Date: \d{4}-\d{2}-\d{2}$/m, /^## Context$/m, /^## Decision$/m]
    .concat(/^## Consequences$/m)
    .filter((part) => !part.test(text))
    .map(String);

const planted = (text: string): ProjectFile => ({ path: 'docs/planted.md', text });

describe('the texts', () => {
  it.each(texts)('link from $path to what exists', (file) => {
    expect(deadLinks(file)).toEqual([]);
  });

  it('do not link to a file or heading that is not there', () => {
    const text = '[a](gone.md) [b](ledger.md#gone) [c](ledger.md#items) [d](#here)\n\n# Here\n';
    expect(deadLinks(planted(text))).toEqual(['gone.md', 'ledger.md#gone']);
  });

  it.each(texts)('name in $path only npm scripts the project has', (file) => {
    expect(unknownScripts(file)).toEqual([]);
  });

  it('do not name a script that is not there', () => {
    const text = 'npm run bench, `npm run fly -- --far`, npm start';
    expect(unknownScripts(planted(text))).toEqual(['fly']);
  });

  it.each(texts)('name in $path only files the project has', (file) => {
    expect(missingFiles(file)).toEqual([]);
  });

  it('do not name a file that is not there', () => {
    expect(missingFiles(planted('`src/domain/ids.ts` and `src/gone.ts`'))).toEqual(['src/gone.ts']);
  });

  it.each(['README.md', 'docs/architecture.md', 'docs/runbook.md', 'docs/emulator.md'])(
    'show in %s code no wider than a terminal of 80 columns',
    (path) => {
      const blocks = read(path).match(/^ *```(?:sh|text)$[\s\S]*?^ *```$/gm) ?? [];
      const lines = blocks.flatMap((block) => block.split('\n'));
      expect(lines.filter((line) => line.length > 80)).toEqual([]);
    },
  );
});

describe('the runbook', () => {
  const runbook = read('docs/runbook.md');

  it('says of every hold what to do and how it ends', () => {
    expect(holdReasons.length).toBeGreaterThan(20);
    expect(unexplained(runbook, holdReasons)).toEqual([]);
  });

  it('would miss a reason without a section, or one that does not say how it ends', () => {
    const text = '### paused\n\n**Do**: wait.\n\n### blind\n\n**Do**: look. **Ends** soon.\n';
    expect(unexplained(text, ['paused', 'blind', 'new'])).toEqual(['paused', 'new']);
  });

  it('explains every alarm of the service', () => {
    const alarms = [...read('infra/alarms.yml').matchAll(/^ {2}(\w+Alarm):$/gm)].map(([, n]) => n);
    expect(alarms.length).toBeGreaterThan(3);
    expect(alarms.filter((name) => !runbook.includes(`\`${name}\``))).toEqual([]);
  });
});

describe('the README', () => {
  it('shows every parameter with its default and its allowed values', () => {
    expect(wrongRows(read('README.md'), parameters)).toEqual([]);
  });

  it('would miss another default, a forgotten value and a forgotten parameter', () => {
    const readme = '| `A` | 60 | any | a |\n| `B` | `x` | `x` | b |\n';
    const of = { A: { Default: 61 }, B: { Default: 'x', AllowedValues: ['x', 'y'] }, C: {} };
    expect(wrongRows(readme, of)).toEqual(['A', 'B', 'C']);
  });
});

describe('decisions', () => {
  it.each(decisions)('have in $path a date, a context, a decision and consequences', (file) => {
    expect(lacks(file)).toEqual([]);
  });

  it('do not pass without consequences', () => {
    const text = '# 0042: x\n\nDate: 2026-11-23\n\n## Context\n\n## Decision\n';
    expect(lacks(planted(text))).toEqual([String(/^## Consequences$/m)]);
  });

  it('are all in the list, by their titles in order', () => {
    const listed = [...read('docs/adr/README.md').matchAll(/\((\d{4}-[a-z0-9-]+\.md)\)/g)];
    const files = decisions.map(({ path }) => path.replace('docs/adr/', ''));
    expect(listed.map(([, file]) => file)).toEqual(files);
  });
});
