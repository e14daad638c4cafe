import { describe, expect, it } from 'vitest';
import { type ProjectFile, projectFiles } from './support/project-files.ts';

interface Habit {
  readonly why: string;
  readonly banned: RegExp;
  readonly where: (path: string) => boolean;
  /** Lines that must be caught, each in a file the habit looks at. */
  readonly planted: readonly ProjectFile[];
}

/**
 * The seams where real time may enter the emulated world, what people start by hand, what stands
 * for the SDK, which dates its requests by the clock of the process, and the script that others run
 * instead of the service: it is played as a function, on the clock and the chance of its process.
 */
const REAL_TIME =
  /^emulator\/(?:core\/(?:virtual|wall)-time\.ts|local-server\.ts|[a-z-]+-cli\.ts|sim\/(?:lean-sdk\/client|controls\/script)\.ts)$/;
const isDeterministic = (path: string): boolean =>
  /^(?:src\/(?:domain|application)|emulator)\/.*\.ts$/.test(path) && !REAL_TIME.test(path);
const isCode = (path: string): boolean => /\.(?:ts|mts|js|mjs)$/.test(path);
const ships = (path: string): boolean => /^(?:src|functions)\//.test(path);
/** This file has to spell out what it bans. */
const isElsewhere = (path: string): boolean => path !== 'test/tidy.test.ts';

const HABITS: readonly Habit[] = [
  {
    why: 'time, chance and ids are arguments: a seed is worthless if anything else is random',
    banned: /\bMath\.random\b|\bDate\.now\b|\bnew Date\(\)|\brandomUUID\b|\bsetTimeout\b/,
    where: isDeterministic,
    planted: [
      { path: 'src/domain/x.ts', text: 'const jitter = Math.random();' },
      { path: 'src/domain/x.ts', text: 'const at = Date.now();' },
      { path: 'src/application/x.ts', text: 'const at = new Date();' },
      { path: 'emulator/services/x.ts', text: 'const id = randomUUID();' },
      { path: 'emulator/core/x.ts', text: 'setTimeout(look, 5);' },
    ],
  },
  {
    why: 'types and checks are not switched off',
    banned: /\bas any\b|@ts-ignore|@ts-nocheck|biome-ignore/,
    where: isCode,
    planted: [
      { path: 'src/runtime/x.ts', text: 'send(event as any);' },
      { path: 'test/unit/x.test.ts', text: '// @ts-ignore' },
      { path: 'scripts/x.mjs', text: '// @ts-nocheck' },
    ],
  },
  {
    why: 'the compiler refuses something only where a test shows that it does',
    banned: /@ts-expect-error/,
    where: (path) => isCode(path) && !path.startsWith('test/'),
    planted: [{ path: 'src/runtime/x.ts', text: '// @ts-expect-error: it works' }],
  },
  {
    why: 'every test runs, and none runs alone',
    banned: /\b(?:it|test|describe)\.(?:only|skip|todo|fails|skipIf|runIf)\b|\bx(?:it|describe)\(/,
    where: isCode,
    planted: [
      { path: 'test/unit/x.test.ts', text: "it.only('holds', () => {});" },
      { path: 'test/unit/x.test.ts', text: "describe.skip('release', () => {});" },
      { path: 'test/unit/x.test.ts', text: "it.todo('holds');" },
    ],
  },
  {
    why: 'the project is the same on every machine',
    banned: /(?<![\w./-])\/(?:work|root|tmp|home)\/|https?:\/\/(?:registry|deb)\.|\.\.\/shared\//,
    where: () => true,
    planted: [
      { path: 'docs/x.md', text: 'see /work/notes' },
      { path: 'src/runtime/x.ts', text: "readFileSync('/tmp/ca.pem')" },
      { path: 'README.md', text: 'https://registry.example.org/' },
      { path: 'emulator/x.ts', text: "import '../shared/x.ts';" },
    ],
  },
  {
    why: 'only the door to middy imports it, so its wrapper cannot be forgotten',
    banned: /from '@middy\//,
    where: (path) => ships(path) && !path.startsWith('src/runtime/'),
    planted: [{ path: 'functions/x.ts', text: "import middy from '@middy/core';" }],
  },
  {
    why: 'zod as a namespace: `import { z }` brings every language of its messages',
    banned: /import \{ z \} from 'zod'/,
    where: ships,
    planted: [{ path: 'src/contracts/x.ts', text: "import { z } from 'zod';" }],
  },
  {
    why: 'AWS errors are told by name: bundles leave out the classes of those without details',
    banned:
      /^(?!.*import type).*(?<!ConditionalCheckFailed|Service)(?:Exception|Fault)\b.*@aws-sdk\//,
    where: ships,
    planted: [
      {
        path: 'src/adapters/step-functions/x.ts',
        text: "import { ExecutionAlreadyExistsException } from '@aws-sdk/client-sfn';",
      },
      {
        path: 'src/adapters/auto-scaling/x.ts',
        text: "import { ResourceContentionFault, AutoScalingClient } from '@aws-sdk/client-auto-scaling';",
      },
    ],
  },
];

/** `path:line`, the line and the reason, for each line that breaks a habit. */
const untidyLines = (habit: Habit, files: readonly ProjectFile[]): string[] =>
  files
    .filter(({ path }) => isElsewhere(path) && habit.where(path))
    .flatMap(({ path, text }) =>
      text
        .split('\n')
        .map((line, index) => ({ line, at: `${path}:${index + 1}` }))
        .filter(({ line }) => habit.banned.test(line))
        .map(({ line, at }) => `${at}: ${line.trim()}`),
    );

describe.each(HABITS)('$why', (habit) => {
  it('holds in every file', () => {
    expect(untidyLines(habit, projectFiles())).toEqual([]);
  });

  it.each(habit.planted)('does not overlook "$text" in $path', (file) => {
    expect(untidyLines(habit, [file])).toEqual([`${file.path}:1: ${file.text}`]);
  });
});

describe('exceptions', () => {
  it('lets real time into the emulated world at its seams', () => {
    const [deterministic] = HABITS;
    const text = 'setTimeout(look, 5);';
    const files = ['emulator/core/wall-time.ts', 'emulator/scene-cli.ts'].map((path) => ({
      path,
      text,
    }));
    expect(deterministic && untidyLines(deterministic, files)).toEqual([]);
  });
});
