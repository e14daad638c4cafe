import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { exitCodes } from '../../cli/problem.ts';
import { programFor } from '../../cli/program.ts';
import { fakeCloud, fakeTerminal } from './fake.ts';

const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
const section = /^## The command line$[\s\S]*?(?=^## )/m.exec(readme)?.[0] ?? '';
const program = programFor({
  connect: fakeCloud().connect,
  env: {},
  terminal: fakeTerminal().terminal,
  sleep: async () => {},
});

/** Commands that no row of the table names. */
const unnamed = (text: string): string[] =>
  program.commands
    .flatMap((command) =>
      command.commands.length === 0
        ? [command.name()]
        : command.commands.map((sub) => `${command.name()} ${sub.name()}`),
    )
    .filter((name) => !new RegExp(`^\\|.*\`${name}[ \`].*\\|.*\\|$`, 'm').test(text));

describe('the README', () => {
  it('has a row for every command', () => {
    expect(unnamed(section)).toEqual([]);
  });

  it('would miss a command without one', () => {
    expect(unnamed(section.replace(/^\| `explain .*$/m, ''))).toEqual(['explain']);
  });

  it('has every exit code', () => {
    for (const code of Object.values(exitCodes)) {
      expect(section).toMatch(new RegExp(`^\\| ${code} \\| .+ \\|$`, 'm'));
    }
  });
});
