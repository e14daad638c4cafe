import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { projectDir } from '../support/project-files.ts';
import { contracts, heldBy, kindsOf, type MachineFile, type Step, yieldsTo } from './contract.ts';
import { edgesOf, type Machine, machineFiles, placedStates } from './machine.ts';

const text = readFileSync(join(projectDir, 'statemachines/README.md'), 'utf8');
/** The page has a chapter for each machine, headed by its file. */
const chapterOf = (file: string): string =>
  text.split(/^## /m).find((chapter) => chapter.startsWith(`\`${file}\``)) ?? '';

/** The picture shows a task's decisions directly, without the Choice between. */
const ways = (machine: Machine, contract: Readonly<Record<string, Step>>): string[] => {
  const choices = new Set(
    placedStates(machine)
      .filter(({ name, state }) => state.Type === 'Choice' && name !== machine.StartAt)
      .map(({ name }) => name),
  );
  const isError = (on = ''): boolean => /Error$|\./.test(on);
  const decided = Object.entries(contract).flatMap(([from, step]) =>
    Object.values(step.routes).map((to) => `${from} --> ${to}`),
  );
  const plain = edgesOf(machine)
    .filter(({ from, to, on }) => !choices.has(from) && !choices.has(to) && !isError(on))
    .map(({ from, to }) => `${from} --> ${to}`);
  const entry = machine.States.ReleaseVolumes?.ItemProcessor?.StartAt;
  const drawn = [...new Set([...decided, ...plain])];
  if (entry === undefined) return drawn.sort();
  return drawn
    .filter((way) => way !== `ReleaseVolumes --> ${entry}`)
    .concat('ReleaseVolume --> LeaveVolume')
    .sort();
};

describe.each(machineFiles)('the documentation of $file', ({ file, machine }) => {
  const contract: Readonly<Record<string, Step>> = contracts[file as MachineFile];
  const chapter = chapterOf(file);

  it('draws the ways the file has', () => {
    const drawn = [...chapter.matchAll(/^ +(\w+) --> (\w+)/gm)].map(([, a, b]) => `${a} --> ${b}`);
    expect(drawn.sort()).toEqual(ways(machine, contract));
  });

  it.each(Object.entries(contract))(
    'says what %s decides and what becomes of errors',
    (task, step) => {
      const row = chapter.split('\n').find((line) => line.startsWith(`| ${task} |`)) ?? '';
      const [, , handler = '', decisions = '', lost, other] = row.split('|').map((c) => c.trim());
      const kebab = task.replaceAll(/(?<=.)([A-Z])/g, '-$1').toLowerCase();
      expect(handler).toBe(`[${kebab}](../functions/${kebab}.ts)`);
      expect(decisions.split(', ').sort()).toEqual(kindsOf(step).sort());
      expect([lost, other]).toEqual([yieldsTo(task), heldBy(task)]);
    },
  );
});
