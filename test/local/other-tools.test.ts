import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { DescribeVolumesCommand } from '@aws-sdk/client-ec2';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { findAwsCli, findBoto3 } from '../../scripts/tools.ts';
import { clientsOf } from './clients.ts';
import { launchReady, type Running } from './process.ts';

/** Other people's programs start the executions, as an operator would. */

type Answer = Readonly<Record<string, string>>;
/** One operation of Step Functions, by a program of somebody else's. */
type Ask = (operation: string, parameters: Readonly<Record<string, string>>) => Promise<Answer>;

const script = fileURLToPath(new URL('driver.py', import.meta.url));
const kebab = (name: string): string => name.replace(/[A-Z]/g, (big) => `-${big.toLowerCase()}`);
const snake = (name: string): string => kebab(name).replaceAll('-', '_');

interface Tool {
  readonly name: string;
  readonly program: string;
  /** What it is told, to ask for the same. */
  readonly wordsOf: (endpoint: string, ...asked: Parameters<Ask>) => string[];
}

const awsCli = (program: string): Tool => ({
  name: 'the AWS CLI',
  program,
  wordsOf: (endpoint, operation, parameters) => [
    ...['stepfunctions', kebab(operation), '--endpoint-url', endpoint, '--output', 'json'],
    ...Object.entries(parameters).flatMap(([name, value]) => [`--${kebab(name)}`, value]),
  ],
});
const boto3 = (program: string): Tool => ({
  name: 'boto3',
  program,
  wordsOf: (_, operation, parameters) => [script, snake(operation), JSON.stringify(parameters)],
});

const [aws, python] = [findAwsCli(), findBoto3()];
/** One of the two is enough: each call is a program that starts. Undefined: none is installed. */
const [tool] = [
  ...(aws === undefined ? [] : [awsCli(aws)]),
  ...(python === undefined ? [] : [boto3(python)]),
];

const askBy =
  ({ program, wordsOf }: Tool, { variables }: Running): Ask =>
  async (...asked) => {
    const endpoint = variables.AWS_ENDPOINT_URL ?? '';
    // Nothing of this machine's own AWS settings reaches the program.
    const none = `${script}.none`;
    const nowhere = { AWS_CONFIG_FILE: none, AWS_SHARED_CREDENTIALS_FILE: none };
    const env = { PATH: process.env.PATH, HOME: process.env.HOME, ...variables, ...nowhere };
    const { stdout } = await promisify(execFile)(program, wordsOf(endpoint, ...asked), { env });
    return JSON.parse(stdout);
  };

const pollMs = 1_000;
const endMs = 120_000;

describe(`by ${tool?.name ?? 'other tools'}`, () => {
  let local: Running | undefined;
  let ask: Ask;
  let failing: string;
  let machines: Readonly<Record<'failover' | 'drain', string>>;
  beforeAll(async () => {
    if (tool === undefined) return;
    local = await launchReady('--port', '0', '--seed', '5');
    ask = askBy(tool, local);
    failing = local.variables.INSTANCE_ID ?? '';
    const failover = local.variables.STATE_MACHINE_ARN ?? '';
    machines = { failover, drain: `${failover}_drain` };
  });
  beforeEach(({ skip }) => {
    skip(tool === undefined, 'neither the AWS CLI nor boto3 is installed');
  });
  afterAll(() => void local?.child.kill('SIGINT'));

  /** Starts it by hand and waits for its end. */
  const run = async (machine: keyof typeof machines, input: unknown): Promise<Answer> => {
    const { executionArn = '' } = await ask('startExecution', {
      stateMachineArn: machines[machine],
      input: JSON.stringify(input),
    });
    const describeIt = () => ask('describeExecution', { executionArn });
    await expect
      .poll(async () => (await describeIt()).status, { timeout: endMs, interval: pollMs })
      .not.toBe('RUNNING');
    return describeIt();
  };
  const outputOf = ({ output = '', status }: Answer) => {
    expect(status).toBe('SUCCEEDED');
    return JSON.parse(output);
  };

  it.each([
    [{}, 'must be an EC2 instance id'],
    [{ instanceId: 'i-1', reason: 'drill' }, 'must be an EC2 instance id'],
    [{ instanceId: 'i-0a1b2c3d4e5f60718', dry_run: true }, 'did you mean dryRun?'],
    [{ instanceId: 'i-0a1b2c3d4e5f60718', dryRun: 'true' }, 'must be true or false'],
    [{ instanceId: 'i-0a1b2c3d4e5f60718', mode: 'drain' }, 'mode names the other state machine'],
    [{ instanceId: 'i-0a1b2c3d4e5f60718', fence: 'axe' }, 'terminate'],
    ['i-0a1b2c3d4e5f60718', 'expected record'],
  ])('%j fails at once, and says why', async (input, why) => {
    expect(await run('failover', input)).toMatchObject({
      status: 'FAILED',
      error: 'ParseError',
      cause: expect.stringContaining(why),
    });
  });

  it('a machine of nobody is refused', async () => {
    const stranger = { instanceId: 'i-0a1b2c3d4e5f60718', reason: 'drill' };
    expect(await run('failover', stranger)).toMatchObject({
      status: 'FAILED',
      error: 'SignalRefusedError',
    });
  });

  it.each(['failover', 'drain'] as const)('a dry run of a %s ends with its plan', async (mode) => {
    const asked = { instanceId: failing, reason: 'what if', dryRun: true };
    expect(outputOf(await run(mode, asked))).toMatchObject({
      status: 'planned',
      summary: expect.stringContaining(`dry run of a ${mode} of ${failing}, nothing was done`),
      plan: { volumes: [{ name: 'mysql' }], holds: [] },
    });
  });

  /** Where the data is attached now. */
  const home = async (): Promise<string> => {
    const { Volumes = [] } = await clientsOf(local?.variables ?? {}).ec2.send(
      new DescribeVolumesCommand({ Filters: [{ Name: 'tag:Name', Values: ['mysql'] }] }),
    );
    return Volumes[0]?.Attachments?.[0]?.InstanceId ?? '';
  };

  it('a failover moves the app, and a drain moves it on', async () => {
    const failedOver = outputOf(await run('failover', { instanceId: failing, reason: 'drill' }));
    expect(failedOver).toMatchObject({
      status: 'recovered',
      summary: expect.stringMatching(/: Ordered; fenced \(skip, strong\), 1 volume moved, \/mysql/),
    });
    const first = await home();
    expect(first).not.toBe(failing);
    const drained = outputOf(await run('drain', { instanceId: first, reason: 'new kernel' }));
    expect(drained).toMatchObject({
      status: 'recovered',
      summary: expect.stringMatching(/: moved while it worked, 1 volume, \/mysql -> [\d.]+ in/),
    });
    expect([failing, first]).not.toContain(await home());
  }, 240_000);
});
