import { relative } from 'node:path';
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import type { Bundle } from './bundle.ts';
import { packageService } from './package-service.ts';

const kilobytes = (bytes: number): string => (bytes / 1024).toFixed(0);

const heaviest = ({ bytesByPackage }: Bundle): string =>
  [...bytesByPackage]
    .sort(([, a], [, b]) => b - a)
    .slice(0, 5)
    .map(([name, bytes]) => `${name} ${kilobytes(bytes)}`)
    .join(', ');

const { values } = parseArgs({
  options: {
    stage: { type: 'string' },
    region: { type: 'string' },
    sizes: { type: 'boolean', default: false },
  },
});
const projectDir = process.cwd();
const { bundles, templatePath } = await packageService(projectDir, projectDir, values);
const table = new Table({
  head: ['function', 'bundle KB', 'zip KB', ...(values.sizes ? ['heaviest, KB'] : [])],
  colAligns: ['left', 'right', 'right'],
  style: { head: [], border: [] },
  chars: { mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '' },
});
for (const bundle of bundles) {
  table.push([
    bundle.name,
    kilobytes(bundle.bundleBytes),
    kilobytes(bundle.zipBytes),
    ...(values.sizes ? [heaviest(bundle)] : []),
  ]);
}
process.stdout.write(`${table.toString()}\ntemplate: ${relative(projectDir, templatePath)}\n`);
