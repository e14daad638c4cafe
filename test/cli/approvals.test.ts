import { afterAll, beforeAll, expect, it } from 'vitest';
import { IncidentDocument } from '../../src/contracts/incident-document.ts';
import { launchReady, type Running } from '../local/process.ts';
import { bare, type Ended, ended, spawnCli } from './process-kit.ts';

/*
 * A deployment whose policy asks a person before an order is carried out, and that person at the
 * command line.
 */
let local: Running;
let failing = '';
beforeAll(async () => {
  const policy = ['ApprovalVerdicts=Ordered', 'ApprovalSeconds=600'];
  const settings = policy.flatMap((setting) => ['--set', setting]);
  local = await launchReady('--port', '0', '--seed', '3', ...settings);
  failing = local.variables.INSTANCE_ID ?? '';
});
afterAll(() => void local.child.kill('SIGINT'));

const cli = (...argv: string[]): Promise<Ended> =>
  ended(spawnCli(argv, { ...bare(), ...local.variables }));
const shown = async (): Promise<IncidentDocument> =>
  IncidentDocument.parse(JSON.parse((await cli('show', failing, '--json')).stdout));
const asks = async (id: string): Promise<void> => {
  const isAsked = async (): Promise<boolean> => {
    const { approval } = await shown();
    return approval?.id === id && approval.status === 'pending';
  };
  await expect.poll(isAsked, { timeout: 20_000, interval: 200 }).toBe(true);
};

it('a person is asked, denies, is asked again, approves, and the failover is done', async () => {
  const nobody = await cli('approve', failing, '--yes');
  expect(nobody).toMatchObject({ code: 3, stdout: '' });
  const order = ['failover', failing, '--reason', 'drill', '--as', 'ben', '--yes', '--no-wait'];
  expect(await cli(...order)).toMatchObject({ code: 0 });
  await asks('a1');

  const page = (await cli('show', failing)).stdout.replace(/\s+/g, ' ');
  expect(page).toContain('Asked: a1, to fence it and move mysql (Ordered: ben asked for');
  expect(page).toContain('Nobody has answered; an execution waits until');
  expect((await cli('explain', failing)).stdout).toContain('guard        approval: a person');

  const unconfirmed = await cli('approve', failing);
  expect(unconfirmed).toMatchObject({ code: 2, stdout: '' });
  expect(unconfirmed.stderr).toContain('Nobody can be asked here: repeat it with --yes');
  const stale = await cli('approve', failing, '--approval', 'a7', '--yes');
  expect(stale).toMatchObject({ code: 1, stderr: expect.stringContaining('a7 is not asked') });

  const denied = await cli('deny', failing, '--as', 'ana', '--reason', 'it is well', '--json');
  expect(denied).toMatchObject({ code: 0, stderr: '' });
  expect(JSON.parse(denied.stdout)).toMatchObject({ kind: 'done' });
  expect(await cli('approve', failing, '--yes')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('asks for no approval'),
  });
  expect(await shown()).toMatchObject({
    status: 'held',
    calls: [],
    approval: { id: 'a1', status: 'denied', by: 'ana', reason: 'it is well' },
  });

  expect(await cli('resume', failing, '--yes')).toMatchObject({ code: 0 });
  await asks('a2');
  const approved = await cli('approve', failing, '--as', 'ana', '--yes');
  expect(approved).toMatchObject({ code: 0, stdout: expect.stringContaining('a2 of demo#i-') });
  const isOver = async (): Promise<string> => (await shown()).status;
  await expect.poll(isOver, { timeout: 120_000, interval: 1_000 }).toBe('recovered');
  const { orders } = await shown();
  expect(orders.map(({ action, by, outcome }) => `${by}: ${action} ${outcome}`)).toEqual([
    expect.stringContaining('approve refused'),
    'ana: deny done',
    expect.stringContaining('resume done'),
    'ana: approve done',
  ]);
}, 200_000);
