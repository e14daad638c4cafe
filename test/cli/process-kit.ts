import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url));
/** The command itself. */
export const program = fileURLToPath(new URL('../../cli/ebs-failover.mjs', import.meta.url));

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Nothing of this machine's own AWS settings reaches the command. */
export const bare = (): NodeJS.ProcessEnv => ({
  PATH: process.env.PATH,
  HOME: root,
  AWS_CONFIG_FILE: `${root}/none`,
  AWS_SHARED_CREDENTIALS_FILE: `${root}/none`,
  AWS_EC2_METADATA_DISABLED: 'true',
});

export const ended = (child: ChildProcess): Promise<Ended> => {
  const read = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.setEncoding('utf8').on('data', (text: string) => {
      read[name] += text;
    });
  }
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, ...read })));
};

/** The command as a process whose output is read. */
export const spawnCli = (argv: readonly string[], env: NodeJS.ProcessEnv): ChildProcess =>
  spawn(process.execPath, [program, ...argv], {
    cwd: root,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
