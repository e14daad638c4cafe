import { describe, expect, it } from 'vitest';
import { countTests } from '../../scripts/test-report.ts';

const file = (status: string, ...tests: string[]) => ({
  status,
  assertionResults: tests.map((test) => ({ status: test })),
});
const report = (passed: number, failed: number, ...testResults: object[]): string =>
  JSON.stringify({ numPassedTests: passed, numFailedTests: failed, testResults });

describe('countTests', () => {
  it('counts what passed and what failed', () => {
    const files = [file('passed', 'passed', 'passed'), file('failed', 'passed', 'failed')];
    expect(countTests(report(3, 1, ...files))).toEqual({ passed: 3, failed: 1 });
  });

  it('counts a file that could not be loaded as a failure, though none of its tests failed', () => {
    const files = [file('passed', 'passed'), file('failed')];
    expect(countTests(report(1, 0, ...files))).toEqual({ passed: 1, failed: 1 });
  });

  it('does not take a report of another shape for a green one', () => {
    expect(() => countTests('{"numPassedTests":3}')).toThrow('numFailedTests');
  });
});
