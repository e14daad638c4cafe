import { describe, expect, it } from 'vitest';
import { dataRules } from './asl-data-rules.ts';
import { errorRules } from './asl-error-rules.ts';
import { routeRules } from './asl-route-rules.ts';
import { machineFiles } from './machine.ts';

describe.each(machineFiles)('$file', ({ machine }) => {
  describe.each([...routeRules, ...errorRules, ...dataRules])('$says', (rule) => {
    it('holds', () => {
      expect(rule.breaches(machine)).toEqual([]);
    });

    it.each(rule.planted)('does not overlook $what', ({ plant }) => {
      const broken = structuredClone(machine);
      plant(broken);
      expect(rule.breaches(broken)).not.toEqual([]);
    });
  });
});

it('finds the state machine to check', () => {
  expect(machineFiles.map(({ file }) => file)).toContain('failover.asl.json');
});
