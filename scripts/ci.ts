import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { type Counts, countTests } from './test-report.ts';

/** Each is an npm script; all of them run, so that one look shows everything that is wrong. */
const CHECKS = ['lint', 'typecheck', 'unused', 'asl', 'package', 'start'];
const REPORT = '.build/tests.json';

const succeeds = (script: string, env: NodeJS.ProcessEnv = {}): boolean => {
  process.stdout.write(`\n== npm run ${script}\n`);
  const options = { stdio: 'inherit', env: { ...process.env, ...env } } as const;
  return spawnSync('npm', ['run', '--silent', script], options).status === 0;
};

/** A run that failed without a failed test (an unhandled error, no report) is a failure too. */
const runTests = (): Counts => {
  mkdirSync('.build', { recursive: true });
  rmSync(REPORT, { force: true });
  const green = succeeds('test', { TEST_REPORT: REPORT });
  const { passed, failed } = existsSync(REPORT)
    ? countTests(readFileSync(REPORT, 'utf8'))
    : { passed: 0, failed: 0 };
  return { passed, failed: green ? failed : Math.max(1, failed) };
};

const broken = CHECKS.filter((script) => !succeeds(script));
const tests = runTests();
const passed = tests.passed + CHECKS.length - broken.length;
const failed = tests.failed + broken.length;
if (broken.length > 0) process.stdout.write(`\nfailed: npm run ${broken.join(', npm run ')}\n`);
process.stdout.write(`\n${passed} passed, ${failed} failed\n`);
process.exitCode = failed === 0 ? 0 : 1;
