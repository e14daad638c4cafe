import { Command } from 'commander';
import { deployment } from './arguments.ts';
import { completionFor, shellArgument } from './commands/completion.ts';
import { defineExecutions } from './commands/executions.ts';
import { defineOperating } from './commands/operating.ts';
import { type Define, defineReading } from './commands/reading.ts';
import { defineReport } from './commands/report.ts';
import { defineWatch } from './commands/watch.ts';
import { contextOf, type Surroundings } from './context.ts';

const endings = `
Exit codes:
  0  done, or shown, as asked
  1  refused, not confirmed, or it ended otherwise than asked
  2  the command was written wrongly; nothing was asked of anybody
  3  there is no such incident, instance or volume
  4  no credentials, no region, or no right
  5  the deployment is not there, cannot be reached, or failed

AWS is found as the AWS CLI finds it: AWS_REGION, AWS_PROFILE, keys in the
environment, AWS_ENDPOINT_URL. To look takes lambda:InvokeFunction on
ebs-failover-<cluster>-look.`;

/** What every command takes, before or after its name. */
const withCommon = (command: Command): Command =>
  command
    .option(
      '--cluster <name>',
      'the deployment, by its stage (or EBS_FAILOVER_CLUSTER)',
      deployment,
    )
    .option('--region <region>', 'AWS region (or AWS_REGION)')
    .option('--profile <name>', 'AWS profile (or AWS_PROFILE)')
    .option('--json', 'one JSON document instead of a page');

/** The whole command line. Whatever goes wrong is thrown: Problem or CommanderError. */
export const programFor = (surroundings: Surroundings): Command => {
  const strict = (command: Command): Command =>
    command
      .allowExcessArguments(false)
      .exitOverride()
      .configureOutput({ writeErr: () => {} });
  const program = strict(new Command('ebs-failover'))
    .description('Looks after the failover of stateful DC/OS services, and steps in.')
    .usage('<command> [options]')
    .addHelpText('after', endings);
  withCommon(program);

  const defineUnder =
    (parent: Command): Define =>
    (name, says, run) => {
      const command = withCommon(strict(parent.command(name).description(says)));
      command.action(async (...given) => {
        // Commander passes the arguments, then the options, then the command.
        const own = given.slice(0, -1);
        await run(contextOf(command, surroundings), ...(own as never[]));
      });
      return command;
    };
  const define = defineUnder(program);
  defineReading(define);
  defineReport(define);
  defineWatch(define);
  defineExecutions(define);
  defineOperating(define, (name, says) =>
    defineUnder(strict(program.command(name).description(says))),
  );
  strict(program.command('completion').description('a script that teaches a shell the commands'))
    .addArgument(shellArgument())
    .action((shell) => surroundings.terminal.print(completionFor(shell, program)));
  return program;
};
