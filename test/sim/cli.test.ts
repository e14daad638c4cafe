import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

const run = promisify(execFile);
const cli = (...args: string[]) =>
  run(process.execPath, ['emulator/sim/cli.ts', ...args]).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    (error: { code: number; stdout: string; stderr: string }) => error,
  );

describe('npm run sim', () => {
  it('prints one document with --json', async () => {
    const { code, stdout } = await cli('--seeds', '1', '--faults', 'none', '--json');
    const document = JSON.parse(stdout) as Record<string, unknown>;
    expect(code).toBe(0);
    expect(document).toMatchObject({ seeds: 1, violations: [] });
    expect(Object.keys(document)).toEqual(
      expect.arrayContaining(['events', 'simulatedHours', 'wallMs', 'faults', 'pending']),
    );
  }, 30_000);

  it('ends without a word when nobody reads on', async () => {
    const command = `'${process.execPath}' emulator/sim/cli.ts --seeds 1..2 --faults none | head -1`;
    const { stdout, stderr } = await run('sh', ['-c', command]);
    expect(stdout.split('\n')).toHaveLength(2);
    expect(stderr).toBe('');
  }, 30_000);

  it.each([
    [['--seeds', '5..1'], "--seeds takes A..B or one number, not '5..1'"],
    [['--faults', 'ZZ-01'], '--faults: ZZ-01 cannot be injected'],
    [['--scenario', 'flood'], 'Allowed choices are hung'],
    [['--sdk', 'fast'], 'Allowed choices are lean, real'],
  ])(
    'refuses %j in one line',
    async (args, says) => {
      const { code, stderr, stdout } = await cli(...args);
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      expect(stderr).toContain(says);
    },
    30_000,
  );
});
