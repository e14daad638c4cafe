import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

/** Tests of single parts that leave nothing behind for another; adapters' mock the SDK's classes. */
const PARTS =
  'test/{unit/{application,config,contracts,domain,runtime},contract,emulator}/**/*.test.ts';

export default defineConfig({
  test: {
    // A test that runs alone, or no test at all, is not a green run.
    allowOnly: false,
    passWithNoTests: false,
    // The default leaves one core idle; half of the tests wait for processes.
    maxWorkers: availableParallelism(),
    // Machines that test may be slow and busy; what hangs still ends.
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // .ci/run counts from this report; see scripts/ci.ts.
    reporters: process.env.TEST_REPORT
      ? ['default', ['json', { outputFile: process.env.TEST_REPORT }]]
      : ['default'],
    projects: [
      // Loading the SDK anew for each file would take as long as all the tests.
      { extends: true, test: { name: 'parts', include: [PARTS], isolate: false } },
      { extends: true, test: { name: 'whole', include: ['test/**/*.test.ts'], exclude: [PARTS] } },
    ],
  },
});
