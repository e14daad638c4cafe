import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { projectDir } from '../support/project-files.ts';
import { contract, heldBy, kindsOf, yieldsTo } from './contract.ts';
import { edgesOf, machineFiles, placedStates } from './machine.ts';

const text = readFileSync(join(projectDir, 'statemachines/README.md'), 'utf8');
const { machine } = machineFiles.find(({ file }) => file === 'failover.asl.json') ?? {};
if (machine === undefined) throw new RangeError('no failover.asl.json');

/** The picture shows a task's decisions directly, without the Choice between. */
const ways = (): string[] => {
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
  return [...new Set([...decided, ...plain])]
    .filter((way) => way !== `ReleaseVolumes --> ${entry}`)
    .concat('ReleaseVolume --> LeaveVolume')
    .sort();
};

describe('the documentation of the workflow', () => {
  it('draws the ways the file has', () => {
    const drawn = [...text.matchAll(/^ +(\w+) --> (\w+)/gm)].map(([, a, b]) => `${a} --> ${b}`);
    expect(drawn.sort()).toEqual(ways());
  });

  it.each(Object.entries(contract))(
    'says what %s decides and what becomes of errors',
    (task, step) => {
      const row = text.split('\n').find((line) => line.startsWith(`| ${task} |`)) ?? '';
      const [, , handler = '', decisions = '', lost, other] = row.split('|').map((c) => c.trim());
      const kebab = task.replaceAll(/(?<=.)([A-Z])/g, '-$1').toLowerCase();
      expect(handler).toBe(`[${kebab}](../functions/${kebab}.ts)`);
      expect(decisions.split(', ').sort()).toEqual(kindsOf(step).sort());
      expect([lost, other]).toEqual([yieldsTo(task), heldBy(task)]);
    },
  );
});
