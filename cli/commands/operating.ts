import { Argument, type Command } from 'commander';
import * as z from 'zod';
import { UnfenceOutput } from '../../src/contracts/functions.ts';
import { incident, type instanceId, moment, span } from '../arguments.ts';
import { confirm } from '../confirm.ts';
import { type Context, look, lookAtIncident } from '../context.ts';
import { Problem } from '../problem.ts';
import { byOf, withName, withSaid, withYes } from './executions.ts';
import { type Define, incidentArgument, instanceArgument } from './reading.ts';

type InstanceId = ReturnType<typeof instanceId>;
type Named = ReturnType<typeof incident>;

/** What Operate answers. */
const Answer = z.object({
  kind: z.enum(['done', 'unchanged', 'refused']),
  says: z.string(),
  execution: z.string().optional(),
});

interface Said {
  readonly reason?: string;
  readonly as?: string;
  readonly yes?: boolean;
}
interface Until extends Said {
  readonly for?: number;
  readonly until?: number;
}

/** Kept where a person gave none. */
const noReason = 'none given, by command line';

/** The end that was asked for, as Operate reads it. */
const endOf = ({ for: ms, until }: Until): string | undefined => {
  if (ms !== undefined && until !== undefined) {
    throw new Problem('--for and --until are two ways to say the same: give one', { is: 'usage' });
  }
  const at = until ?? (ms === undefined ? undefined : Date.now() + ms);
  return at === undefined ? undefined : new Date(at).toISOString();
};

const requireEnd = (options: Until): string => {
  const until = endOf(options);
  if (until !== undefined) return until;
  throw new Problem('say how long: --for 2h, or --until 2026-11-30T18:00Z', { is: 'usage' });
};

const tell = ({ json, terminal }: Context, answer: { kind: string; says: string }): void => {
  if (json || answer.kind !== 'refused') {
    terminal.print(json ? JSON.stringify(answer) : answer.says);
  }
  if (answer.kind === 'refused') throw new Problem(answer.says, { is: 'refused' });
};

/** Gives the order in the name of whoever asks. */
const order = async (
  context: Context,
  action: string,
  options: Said,
  more: Readonly<Record<string, unknown>> = {},
): Promise<void> => {
  const by = await byOf(context, options);
  const input = { action, by, reason: options.reason ?? noReason, ...more };
  tell(context, await context.cloud.invoke('operate', input, Answer));
};

const defineOrders = (define: Define): void => {
  const orders = [
    ['approve', 'let the plan that an incident asks for go on', 'Go on with the plan of'],
    ['deny', 'refuse the plan that an incident asks for', undefined],
    ['hold', 'stop an incident before its next change', undefined],
    ['resume', 'let a held incident go on', 'Let go on'],
  ] as const;
  for (const [action, says, question] of orders) {
    const command = define(
      action,
      says,
      async (context: Context, named: Named, options: Said & { readonly approval?: string }) => {
        const shown = await lookAtIncident(context, named);
        if (question !== undefined) {
          const what = `${question} ${shown.id}? ${shown.summary}`;
          await confirm(context.terminal, what, options.yes);
        }
        const approval = action === 'approve' || action === 'deny';
        const approvalId = approval ? approvalOf(shown, options.approval) : undefined;
        await order(context, action, options, {
          incidentId: shown.id,
          ...(approvalId === undefined ? {} : { approvalId }),
        });
      },
    );
    withName(command.addArgument(incidentArgument())).option('--reason <text>', 'why');
    if (question !== undefined) withYes(command);
    if (action === 'approve' || action === 'deny') {
      command.option('--approval <id>', 'which one, where it is not the one on record');
    }
  }
};

/** The approval an incident waits for. */
const approvalOf = ({ id }: { readonly id: string }, given: string | undefined): string => {
  if (given !== undefined) return given;
  throw new Problem(`${id} asks for no approval`, { is: 'refused' });
};

const stormOr = (text: string): Named | 'storm' => (text === 'storm' ? text : incident(text));

const defineAck = (define: Define): void => {
  const command = define(
    'ack',
    'wave through what holds an incident, or all behind the storm brake',
    async (
      context: Context,
      named: Named | 'storm',
      options: Until & { readonly hold?: string },
    ) => {
      if (named === 'storm') {
        const until = requireEnd(options);
        const what = `Let everything through the storm brake until ${until}?`;
        await confirm(context.terminal, what, options.yes);
        await order(context, 'acknowledge-storm', options, { until });
        return;
      }
      const { hold, id } = await lookAtIncident(context, named);
      const what = options.hold ?? hold?.reason ?? 'what holds it';
      const why = hold === undefined ? '' : ` ${hold.says}`;
      await confirm(context.terminal, `Wave ${what} through for ${id}?${why}`, options.yes);
      const which = options.hold === undefined ? {} : { hold: options.hold };
      await order(context, 'acknowledge', options, { incidentId: id, ...which });
    },
  ).addArgument(
    new Argument('<incident>', 'its id, that of its instance, or storm').argParser(stormOr),
  );
  withUntil(withYes(withName(command)))
    .option('--reason <text>', 'why')
    .option('--hold <reason>', 'which hold; else the one it is in');
};

const withUntil = (command: Command): Command =>
  command
    .option('--for <span>', 'for so long, such as 90m or 2h', span)
    .option('--until <time>', 'until then, such as 2026-11-30T18:00Z', moment);

const defineSwitches = (define: Define): void => {
  const pause = define(
    'pause',
    'change nothing in the whole cluster',
    async (context: Context, options: Until) => {
      const until = endOf(options);
      await order(context, 'pause', options, until === undefined ? {} : { until });
    },
  );
  withUntil(withSaid(pause));
  const unpause = define('unpause', 'end the pause', (context: Context, options: Said) =>
    order(context, 'unpause', options),
  );
  withName(unpause).option('--reason <text>', 'why');
};

const defineMaintenance = (define: Define): void => {
  const begin = define(
    'begin',
    'its failure is expected: it is not acted upon',
    async (context: Context, instance: InstanceId, options: Until) => {
      const until = requireEnd(options);
      // Unknown instances are told here, before anything is switched for them.
      await look(context, { view: 'explain', instanceId: instance }, 'explain');
      await order(context, 'begin-maintenance', options, { instanceId: instance, until });
    },
  ).addArgument(instanceArgument());
  withUntil(withSaid(begin));
  const end = define(
    'end',
    'its failure is a failure again',
    (context: Context, instance: InstanceId, options: Said) =>
      order(context, 'end-maintenance', options, { instanceId: instance }),
  ).addArgument(instanceArgument());
  withName(end).option('--reason <text>', 'why');
};

const unfence = async (context: Context, id: InstanceId, options: Said): Promise<void> => {
  const what = `Let the fenced host ${id} work again?`;
  await confirm(context.terminal, what, options.yes);
  const requestedBy = await byOf(context, options);
  const input = { instanceId: id, requestedBy, reason: options.reason };
  const answer = await context.cloud.invoke('unfence', input, UnfenceOutput);
  if (answer.kind === 'unfenced') {
    tell(context, answer);
    return;
  }
  tell(context, { ...answer, says: answer.why.join('; ') });
};

/** The commands that give orders: to an incident, to the cluster, to a fenced host. */
export const defineOperating = (
  define: Define,
  group: (name: string, says: string) => Define,
): void => {
  defineOrders(define);
  defineAck(define);
  defineSwitches(define);
  defineMaintenance(group('maintenance', 'an agent whose failure is expected'));
  const command = define(
    'unfence',
    'give a fenced host its work back, if nothing speaks against it',
    unfence,
  );
  withYes(withSaid(command.addArgument(instanceArgument())));
};
