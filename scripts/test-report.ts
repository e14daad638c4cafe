import * as z from 'zod';

/** What vitest's JSON reporter writes, as far as it is counted here. */
const Report = z.looseObject({
  numPassedTests: z.int().nonnegative(),
  numFailedTests: z.int().nonnegative(),
  testResults: z.array(
    z.looseObject({
      status: z.enum(['passed', 'failed']),
      assertionResults: z.array(z.looseObject({ status: z.string() })),
    }),
  ),
});

export interface Counts {
  readonly passed: number;
  readonly failed: number;
}

/**
 * Counts the tests of a vitest JSON report. A file that could not even be loaded has no tests to
 * fail and counts as one failure.
 *
 * @throws ZodError when the report has another shape
 */
export const countTests = (json: string): Counts => {
  const report = Report.parse(JSON.parse(json));
  const brokenFiles = report.testResults.filter(
    ({ status, assertionResults }) =>
      status === 'failed' && !assertionResults.some((test) => test.status === 'failed'),
  );
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests + brokenFiles.length,
  };
};
