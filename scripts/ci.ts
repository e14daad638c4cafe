import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { type Counts, countTests } from './test-report.ts';
import { installMissing } from './tools.ts';

/** Each is an npm script; all of them run, so that one look shows everything that is wrong. */
const CHECKS = ['lint', 'typecheck', 'unused', 'asl', 'package', 'start'];
const REPORT = '.build/tests.json';

const succeeds = (
  script: string,
  env: NodeJS.ProcessEnv = {},
  args: readonly string[] = [],
): boolean => {
  process.stdout.write(`\n== npm run ${[script, ...args].join(' ')}\n`);
  const options = { stdio: 'inherit', env: { ...process.env, ...env } } as const;
  return spawnSync('npm', ['run', '--silent', script, '--', ...args], options).status === 0;
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

/** These come after the seeds that `npm test` plays: the range that was seen clean. */
const SEEDS = ['--seeds', '301..600', '--minutes', '20'];

installMissing({
  isRoot: process.getuid?.() === 0,
  run: (command, args) => {
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    const stdio: ['ignore', 'ignore', 'inherit'] = ['ignore', 'ignore', 'inherit'];
    return spawnSync(command, args, { env, stdio, timeout: 600_000 }).status === 0;
  },
  say: (line) => void process.stdout.write(`\nnote: ${line}\n`),
});
const broken = CHECKS.filter((script) => !succeeds(script));
const tests = runTests();
if (!succeeds('sim', {}, SEEDS)) broken.push('sim');
const passed = tests.passed + CHECKS.length + 1 - broken.length;
const failed = tests.failed + broken.length;
if (broken.length > 0) process.stdout.write(`\nfailed: npm run ${broken.join(', npm run ')}\n`);
process.stdout.write(`\n${passed} passed, ${failed} failed\n`);
process.exitCode = failed === 0 ? 0 : 1;
