import { writeFile } from 'node:fs/promises';
import type { incident } from '../arguments.ts';
import { type Context, lookAtIncident } from '../context.ts';
import { Problem } from '../problem.ts';
import { pageOf } from '../report/page.ts';
import { type Define, incidentArgument } from './reading.ts';

interface Options {
  readonly html?: string;
}

/** As other tools name the standard output. */
const output = '-';

const errnoOf = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : String(error);

/** @throws Problem when the file cannot be written */
const writePage = async (file: string, page: string): Promise<void> => {
  try {
    await writeFile(file, page);
  } catch (error) {
    throw new Problem(`cannot write ${file}: ${errnoOf(error)}`, { is: 'usage', cause: error });
  }
};

/** The command that leaves something behind for a post-mortem. */
export const defineReport = (define: Define): void => {
  define(
    'report',
    'one incident as a page of its own, for the post-mortem',
    async (context: Context, named: ReturnType<typeof incident>, { html: file }: Options) => {
      const { json, terminal } = context;
      if (file === undefined && !json) {
        throw new Problem(`say where: --html FILE, or --html ${output} for the output`, {
          is: 'usage',
        });
      }
      if (file === output && json) {
        throw new Problem('--html - and --json both want the output: name a file', { is: 'usage' });
      }
      const shown = await lookAtIncident(context, named);
      if (file === output) terminal.print(pageOf(shown));
      else if (file !== undefined) await writePage(file, pageOf(shown));
      if (json) terminal.print(JSON.stringify(shown));
      else if (file !== output) terminal.print(`Report of ${shown.id} (${shown.status}): ${file}`);
    },
  )
    .addArgument(incidentArgument())
    .option('--html <file>', `where to write the page, ${output} for the output`);
};
