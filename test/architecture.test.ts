import { describe, expect, it } from 'vitest';
import { type Import, importsOf } from './support/imports.ts';
import { type ProjectFile, projectFiles } from './support/project-files.ts';

interface Rule {
  readonly says: string;
  /** The part of the project it binds. */
  readonly binds: RegExp;
  readonly allows: (found: Import) => boolean;
  readonly planted: readonly ProjectFile[];
}

const into =
  (...folders: readonly string[]) =>
  ({ to }: Import): boolean =>
    folders.some((folder) => to.startsWith(folder));
const isPackage = ({ to }: Import): boolean =>
  !/^(?:src|functions|cli|emulator|test|bench|scripts)\//.test(to);
const adapterOf = (path: string): string | undefined => /^src\/adapters\/([^/]+)\//.exec(path)?.[1];

const planted = (path: string, ...imports: readonly string[]): ProjectFile[] =>
  imports.map((specifier) => ({ path, text: `import { x } from '${specifier}';` }));

const RULES: readonly Rule[] = [
  {
    says: 'domain imports only domain',
    binds: /^src\/domain\//,
    allows: into('src/domain/'),
    planted: planted('src/domain/x.ts', '../ports/x.ts', 'zod', 'node:fs', '@aws-sdk/client-ec2'),
  },
  {
    says: 'ports import only ports and domain, and only types',
    binds: /^src\/ports\//,
    allows: (found) => into('src/domain/', 'src/ports/')(found) && found.typeOnly,
    planted: [
      ...planted('src/ports/x.ts', '../domain/x.ts', '@aws-sdk/client-ec2'),
      { path: 'src/ports/x.ts', text: "import type { X } from '../adapters/ec2/x.ts';" },
    ],
  },
  {
    says: 'application imports only application, ports and domain',
    binds: /^src\/application\//,
    allows: into('src/application/', 'src/ports/', 'src/domain/'),
    planted: planted('src/application/x.ts', '../adapters/ec2/x.ts', 'zod', '@middy/core'),
  },
  {
    says: 'contracts import only contracts, domain and zod',
    binds: /^src\/contracts\//,
    allows: (found) => into('src/contracts/', 'src/domain/')(found) || found.to === 'zod',
    planted: planted('src/contracts/x.ts', '../application/x.ts', '@aws-sdk/client-ec2'),
  },
  {
    says: 'adapters import ports, domain, packages, what all AWS adapters share, never each other',
    binds: /^src\/adapters\//,
    allows: (found) =>
      into('src/ports/', 'src/domain/')(found) ||
      isPackage(found) ||
      into('src/adapters/aws-sdk/')(found) ||
      (into('src/adapters/')(found) && adapterOf(found.to) === adapterOf(found.from)),
    planted: [
      ...planted('src/adapters/ec2/x.ts', '../dynamodb/x.ts', '../../application/x.ts'),
      ...planted('src/adapters/aws-sdk/x.ts', '../ec2/x.ts'),
    ],
  },
  {
    says: 'configuration imports only configuration, domain and zod',
    binds: /^src\/config\//,
    allows: (found) => into('src/config/', 'src/domain/')(found) || found.to === 'zod',
    planted: planted('src/config/x.ts', '../adapters/ec2/x.ts', 'node:process'),
  },
  {
    says: 'what ships imports nothing that does not',
    binds: /^(?:src|functions)\//,
    allows: (found) => into('src/')(found) || isPackage(found),
    planted: [
      ...planted('src/runtime/x.ts', '../../emulator/world.ts'),
      ...planted('functions/x.ts', '../test/support/x.ts', './y.ts'),
      { path: 'functions/x.ts', text: "await import('../emulator/world.ts');" },
    ],
  },
  {
    says: 'the command line shares contracts with the functions, and nothing else',
    binds: /^cli\//,
    allows: (found) =>
      into('cli/', 'src/contracts/')(found) ||
      isPackage(found) ||
      (found.from === 'cli/ebs-failover.mjs' && found.to === 'scripts/require-node.mjs'),
    planted: [
      ...planted('cli/x.ts', '../emulator/world.ts', '../src/application/sweep.ts'),
      ...planted('cli/commands/x.ts', '../../src/domain/ids.ts', '../../test/support/x.ts'),
      ...planted('cli/x.ts', '../scripts/require-node.mjs', '../functions/look.ts'),
    ],
  },
  {
    says: 'the emulator imports nothing of what it judges',
    binds: /^emulator\//,
    allows: (found) => into('emulator/')(found) || isPackage(found),
    planted: [
      ...planted('emulator/world.ts', '../src/domain/ids.ts', '../functions/intake.ts'),
      { path: 'emulator/x.ts', text: "import type { X } from '../src/domain/ids.ts';" },
      { path: 'emulator/x.ts', text: "export { x } from '../src/domain/ids.ts';" },
      { path: 'emulator/x.ts', text: "import {\n  a,\n  b,\n} from '../src/domain/ids.ts';" },
    ],
  },
];

const violations = ({ binds, allows }: Rule, files: readonly ProjectFile[]): string[] =>
  files
    .filter(({ path }) => binds.test(path))
    .flatMap(importsOf)
    .filter((found) => !allows(found))
    .map(({ from, to }) => `${from} -> ${to}`);

const code = projectFiles().filter(({ path }) => path.endsWith('.ts'));

describe.each(RULES)('$says', (rule) => {
  it('holds in every file', () => {
    expect(violations(rule, code)).toEqual([]);
  });

  it.each(rule.planted)('does not overlook $text in $path', (file) => {
    expect(violations(rule, [file])).toHaveLength(1);
  });
});

describe('the check itself', () => {
  it('sees as many imports as the files have lines that import', () => {
    const lines = code.flatMap(({ text }) => text.match(/^(?:import|\} from) .*'[^']+';$/gm) ?? []);
    const seen = code.flatMap(importsOf);
    expect(lines.length).toBeGreaterThan(100);
    expect(seen.length).toBeGreaterThanOrEqual(lines.filter((l) => !l.includes('import(')).length);
  });

  it.each(['src/domain', 'src/ports', 'cli', 'emulator'])(
    'finds files to check in %s',
    (folder) => {
      expect(code.some(({ path }) => path.startsWith(`${folder}/`))).toBe(true);
    },
  );
});
