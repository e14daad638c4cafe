import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Minutes of simulated worlds: npm run test:sim.
    exclude: process.env.SIM ? [] : ['test/sim/{directed,seeds}.test.ts'],
    // A test that runs alone, or no test at all, is not a green run.
    allowOnly: false,
    passWithNoTests: false,
    // Machines that test may be slow and busy; what hangs still ends.
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // .ci/run counts from this report; see scripts/ci.ts.
    reporters: process.env.TEST_REPORT
      ? ['default', ['json', { outputFile: process.env.TEST_REPORT }]]
      : ['default'],
  },
});
