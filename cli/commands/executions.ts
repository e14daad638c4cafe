import { type Command, Option } from 'commander';
import { type instanceId, volumeId } from '../arguments.ts';
import { confirm } from '../confirm.ts';
import { type Context, look, show } from '../context.ts';
import { failureOf, follow } from '../follow.ts';
import { Problem } from '../problem.ts';
import { PlannedOutput, showPlan } from '../views/plan.ts';
import { type Define, instanceArgument } from './reading.ts';

type InstanceId = ReturnType<typeof instanceId>;

interface Said {
  readonly reason: string;
  readonly as?: string;
  readonly yes?: boolean;
}
/** How it is to be done, where not by policy. */
interface Wish {
  readonly fence?: 'stop' | 'terminate';
  readonly force?: boolean;
  readonly volume?: readonly ReturnType<typeof volumeId>[];
}
interface Followed extends Said, Wish {
  readonly wait: boolean;
}

/** Who asks: by name if one is given, else as AWS knows them. */
export const byOf = async (
  { cloud }: Pick<Context, 'cloud'>,
  { as }: { readonly as?: string },
): Promise<string> => as ?? (await cloud.caller()).arn;

/** Machines are called after the cluster, which Look knows; the drain's has a suffix. */
const machineOf = (cluster: string, mode: 'failover' | 'drain'): string =>
  `ebs-failover-${cluster}${mode === 'drain' ? '_drain' : ''}`;

const wishIn = ({ fence, force, volume }: Wish) => ({
  ...(fence === undefined ? {} : { fence }),
  ...(force === undefined ? {} : { force }),
  ...(volume === undefined ? {} : { volumes: volume }),
});

const planEveryMs = 1_000;
/** A dry run changes nothing, so it waits for nothing long. */
const planLooksMax = 300;

/** What is there to be moved, asked before anybody is asked to confirm. */
const lookAt = (context: Context, id: InstanceId) =>
  look(context, { view: 'explain', instanceId: id }, 'explain');

const describe = (what: string, shown: Awaited<ReturnType<typeof lookAt>>): string => {
  const names = shown.volumes.map(({ name }) => name).join(', ');
  const apps = [...new Set(shown.volumes.flatMap(({ appIds }) => appIds))].join(', ');
  const data = names === '' ? 'no volume of the cluster' : `${names} of ${apps}`;
  return `${what} ${shown.instanceId} of cluster ${shown.cluster}, which has ${data}?`;
};

const runByHand = async (
  context: Context,
  id: InstanceId,
  mode: 'failover' | 'drain',
  options: Followed,
): Promise<void> => {
  const { cloud, json, terminal } = context;
  const shown = await lookAt(context, id);
  const question = mode === 'drain' ? 'Move everything off' : 'Cut the power of';
  await confirm(terminal, describe(question, shown), options.yes);
  const requestedBy = await byOf(context, options);
  const { reason } = options;
  const input = { instanceId: id, reason, requestedBy, mode, ...wishIn(options) };
  const executionArn = await cloud.start(machineOf(shown.cluster, mode), input);
  if (!options.wait) {
    const started = { kind: 'started', executionArn };
    terminal.print(json ? JSON.stringify(started) : `Started ${executionArn}`);
    return;
  }
  terminal.tell(`Started ${executionArn}; Ctrl-C ends the watching, not the work.`);
  const ended = await follow(context, executionArn, id);
  terminal.print(json ? JSON.stringify({ kind: 'ended', ...ended }) : ended.says);
  if (ended.status !== 'recovered') {
    throw new Problem(`it ended ${ended.status}`, { is: 'refused' });
  }
};

interface Planned extends Said, Wish {
  readonly mode: 'failover' | 'drain';
}

const plan = async (context: Context, id: InstanceId, options: Planned): Promise<void> => {
  const { cloud } = context;
  const { cluster } = await lookAt(context, id);
  const requestedBy = await byOf(context, options);
  const { mode, reason } = options;
  const wish = wishIn(options);
  const input = { instanceId: id, reason, requestedBy, mode, ...wish, dryRun: true };
  const executionArn = await cloud.start(machineOf(cluster, mode), input);
  for (let n = 0; n < planLooksMax; n += 1) {
    const execution = await cloud.execution(executionArn);
    if (execution.status === 'SUCCEEDED') {
      const planned = PlannedOutput.safeParse(execution.output);
      if (planned.success && planned.data.plan !== undefined) {
        show(context, planned.data, showPlan);
        return;
      }
      throw new Problem('the dry run ended without a plan', { is: 'unavailable' });
    }
    if (execution.status !== 'RUNNING') throw failureOf(execution);
    await context.sleep(planEveryMs);
  }
  throw new Problem(`the dry run does not end: ${executionArn}`, { is: 'unavailable' });
};

const withReason = (command: Command): Command =>
  command.requiredOption('--reason <text>', 'why; kept with what is done');
export const withName = (command: Command): Command =>
  command.option('--as <name>', 'who asks (default: your ARN, from STS)');
export const withYes = (command: Command): Command =>
  command.option('--yes', 'do not ask for confirmation');
export const withSaid = (command: Command): Command => withName(withReason(command));

type VolumeIds = readonly ReturnType<typeof volumeId>[];

const withWish = (command: Command): Command =>
  command
    .option('--force', 'pass the guards that only keep things orderly, none that keeps data safe')
    .option(
      '--volume <id>',
      'only this one; repeat it for more',
      (text: string, before: VolumeIds = []): VolumeIds => [...before, volumeId(text)],
    );

const withFence = (command: Command): Command =>
  command.addOption(new Option('--fence <method>', 'how').choices(['stop', 'terminate']));

/** The commands that start an execution by hand. */
export const defineExecutions = (define: Define): void => {
  const planning = define('plan', 'what a failover would do now; nothing is changed', plan);
  withFence(withWish(withName(planning.addArgument(instanceArgument()))))
    .addOption(
      new Option('--mode <mode>', 'of which').choices(['failover', 'drain']).default('failover'),
    )
    .option('--reason <text>', 'why; kept with the execution', 'plan');

  for (const [mode, says] of [
    ['failover', 'cut the power of an agent and move its volumes and services'],
    ['drain', 'move everything off an agent that works'],
  ] as const) {
    const command = define(mode, says, (context: Context, id: InstanceId, options: Followed) =>
      runByHand(context, id, mode, options),
    );
    if (mode === 'failover') withFence(command);
    withYes(withWish(withSaid(command.addArgument(instanceArgument())))).option(
      '--no-wait',
      'do not follow it to its end',
    );
  }
};
