import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { build } from 'esbuild';
import type { FunctionEntry } from './function-list.ts';
import { leanAwsSdk } from './lean-aws-sdk.ts';
import { leftOut } from './left-out.ts';
import { zipOf } from './zip.ts';

export interface Bundle {
  readonly name: string;
  readonly bundleBytes: number;
  readonly zipBytes: number;
  /** Bytes each package (or the project itself, as `.`) adds to the bundle. */
  readonly bytesByPackage: ReadonlyMap<string, number>;
}

/**
 * CommonJS packages inside an ES module still call `require` for Node's own modules, which an ES
 * module has not.
 */
const REQUIRE_BANNER =
  `import { createRequire as __createRequire } from 'node:module';` +
  `const require = __createRequire(import.meta.url);`;

const packageOf = (path: string): string => {
  const [, inside] = path.match(/.*node_modules\/((?:@[^/]+\/)?[^/]+)/) ?? [];
  return inside ?? '.';
};

const sumByPackage = (inputs: Record<string, { bytesInOutput: number }>): Map<string, number> => {
  const sums = new Map<string, number>();
  for (const [path, { bytesInOutput }] of Object.entries(inputs)) {
    const name = packageOf(path);
    sums.set(name, (sums.get(name) ?? 0) + bytesInOutput);
  }
  return sums;
};

/**
 * Bundles one function to one minified ES module and zips it. The source map is written next to the
 * zip: inside, it would be unpacked at every cold start.
 *
 * @param sourceDir where the handler's path begins
 * @param outDir where the artifact's path begins
 * @throws BuildFailure of esbuild, with the place in the source
 */
export const bundleFunction = async (
  name: string,
  entry: FunctionEntry,
  { sourceDir, outDir }: { readonly sourceDir: string; readonly outDir: string },
): Promise<Bundle> => {
  const path = entry.handler.replace(/\.handler$/, '');
  const zipPath = join(outDir, entry.package.artifact);
  const result = await build({
    entryPoints: [join(sourceDir, `${path}.ts`)],
    outfile: zipPath.replace(/zip$/, 'mjs'),
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    mainFields: ['module', 'main'],
    minify: true,
    legalComments: 'none',
    sourcemap: 'external',
    banner: { js: REQUIRE_BANNER },
    plugins: [leanAwsSdk, leftOut],
    metafile: true,
    write: false,
    logLevel: 'silent',
  });
  mkdirSync(dirname(zipPath), { recursive: true });
  const module = result.outputFiles.find(({ path: file }) => file.endsWith('.mjs'));
  const sourceMap = result.outputFiles.find(({ path: file }) => file.endsWith('.map'));
  const sizes = Object.values(result.metafile.outputs).find(({ entryPoint }) => entryPoint);
  if (module === undefined || sourceMap === undefined || sizes === undefined) {
    throw new Error(`esbuild wrote no module or no source map for ${name}`);
  }
  writeFileSync(sourceMap.path, sourceMap.contents);
  const zip = zipOf(`${path}.mjs`, Buffer.from(module.contents));
  writeFileSync(zipPath, zip);
  return {
    name,
    bundleBytes: module.contents.length,
    zipBytes: zip.length,
    bytesByPackage: sumByPackage(sizes.inputs),
  };
};
