import { once } from 'node:events';
import { createInterface } from 'node:readline/promises';
import { Problem } from './problem.ts';
import type { Terminal } from './terminal.ts';

/**
 * Asks before something is done that cannot be taken back. Where nobody can be asked it takes --yes;
 * everything but `yes` means no.
 */
export const confirm = async (
  { canAsk, tell }: Pick<Terminal, 'canAsk' | 'tell'>,
  what: string,
  yes: boolean | undefined,
): Promise<void> => {
  if (yes === true) return;
  if (!canAsk) {
    throw new Problem(`${what} Nobody can be asked here: repeat it with --yes.`, { is: 'usage' });
  }
  tell(what);
  const asking = createInterface({ input: process.stdin, output: process.stderr });
  try {
    // Ctrl-D closes without an answer.
    const closed = once(asking, 'close').then(() => '');
    const answer = await Promise.race([asking.question('Type yes to go on: '), closed]);
    if (answer.trim().toLowerCase() !== 'yes') {
      throw new Problem('nothing was done', { is: 'refused' });
    }
  } finally {
    asking.close();
  }
};
