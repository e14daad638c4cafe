import { describe, expect, it } from 'vitest';
import { dataRules } from './asl-data-rules.ts';
import { errorRules } from './asl-error-rules.ts';
import { routeRules } from './asl-route-rules.ts';
import { type Machine, machineFiles } from './machine.ts';

/** A fault in a state that only the failover has cannot be planted in a drain. */
const canPlant = (machine: Machine, plant: (machine: Machine) => void): boolean => {
  try {
    plant(structuredClone(machine));
    return true;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
};

describe.each(machineFiles)('$file', ({ file, machine }) => {
  describe.each([...routeRules, ...errorRules, ...dataRules])('$says', (rule) => {
    it('holds', () => {
      expect(rule.breaches(machine)).toEqual([]);
    });

    const meant = rule.planted.filter(({ only = file }) => only === file);
    const planted = meant.filter(({ plant }) => canPlant(machine, plant));

    if (file === 'failover.asl.json') {
      it('is seen broken by every planted fault', () => {
        expect(planted).toEqual(meant);
      });
    }

    it.each(planted)('does not overlook $what', ({ plant }) => {
      const broken = structuredClone(machine);
      plant(broken);
      expect(rule.breaches(broken)).not.toEqual([]);
    });
  });
});

it('finds the state machines to check', () => {
  const files = machineFiles.map(({ file }) => file);
  expect(files.sort()).toEqual(['drain.asl.json', 'failover.asl.json']);
});
