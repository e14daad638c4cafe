import { Argument, type Command } from 'commander';
import { UnfenceOutput } from '../../src/contracts/functions.ts';
import { IncidentIdText } from '../../src/contracts/ids.ts';
import { OperateOutput, type OperateRequest } from '../../src/contracts/operate.ts';
import { holdReason, incident, type instanceId, moment, span } from '../arguments.ts';
import { confirm } from '../confirm.ts';
import { type Context, look, lookAtIncident } from '../context.ts';
import { Problem } from '../problem.ts';
import { byOf, withName, withSaid, withYes } from './executions.ts';
import { type Define, incidentArgument, instanceArgument } from './reading.ts';

type InstanceId = ReturnType<typeof instanceId>;
type Named = ReturnType<typeof incident>;
type HoldReason = ReturnType<typeof holdReason>;

/** An order without who gives it and why. */
type Order = OperateRequest extends infer Request
  ? Request extends OperateRequest
    ? Omit<Request, 'by' | 'reason'>
    : never
  : never;

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
const give = async (context: Context, options: Said, order: Order): Promise<void> => {
  const by = await byOf(context, options);
  const input = { ...order, by, reason: options.reason ?? noReason };
  tell(context, await context.cloud.invoke('operate', input, OperateOutput));
};

/** The incident that was meant, by its full id. */
const meant = async (context: Context, named: Named) => {
  const shown = await lookAtIncident(context, named);
  return { ...shown, id: IncidentIdText.parse(shown.id) };
};

const withWhy = (command: Command): Command => withName(command).option('--reason <text>', 'why');

const defineAnswers = (define: Define): void => {
  for (const [action, says] of [
    ['approve', 'let the plan that an incident asks for go on'],
    ['deny', 'refuse the plan that an incident asks for'],
  ] as const) {
    const command = define(
      action,
      says,
      async (context: Context, named: Named, options: Said & { readonly approval?: string }) => {
        const { approval, id } = await meant(context, named);
        const asked = approval?.status === 'pending' ? approval : undefined;
        const approvalId = options.approval ?? asked?.id;
        if (approvalId === undefined) {
          throw new Problem(`${id} asks for no approval`, { is: 'refused' });
        }
        if (action === 'approve') {
          const what = asked?.id === approvalId ? `: ${asked.says}` : '';
          await confirm(context.terminal, `Approve ${approvalId} of ${id}${what}?`, options.yes);
        }
        await give(context, options, { action, incidentId: id, approvalId });
      },
    ).addArgument(incidentArgument());
    withWhy(command).option('--approval <id>', 'which one, where it is not the one on record');
    if (action === 'approve') withYes(command);
  }
};

const defineHolds = (define: Define): void => {
  const holding = define(
    'hold',
    'stop an incident before its next change',
    async (context: Context, named: Named, options: Said) => {
      const { id } = await meant(context, named);
      await give(context, options, { action: 'hold', incidentId: id });
    },
  );
  withWhy(holding.addArgument(incidentArgument()));
  const resume = define(
    'resume',
    'let a held incident go on',
    async (context: Context, named: Named, options: Said) => {
      const { id, summary } = await meant(context, named);
      await confirm(context.terminal, `Let ${id} go on? ${summary}`, options.yes);
      await give(context, options, { action: 'resume', incidentId: id });
    },
  );
  withYes(withWhy(resume.addArgument(incidentArgument())));
};

const stormOr = (text: string): Named | 'storm' => (text === 'storm' ? text : incident(text));

const defineAck = (define: Define): void => {
  const command = define(
    'ack',
    'wave through what holds an incident, or all behind the storm brake',
    async (
      context: Context,
      named: Named | 'storm',
      options: Until & { readonly hold?: HoldReason },
    ) => {
      if (named === 'storm') {
        const until = requireEnd(options);
        const what = `Let everything through the storm brake until ${until}?`;
        await confirm(context.terminal, what, options.yes);
        await give(context, options, { action: 'acknowledge-storm', until });
        return;
      }
      const { hold, id } = await meant(context, named);
      const what = options.hold ?? hold?.reason ?? 'what holds it';
      const why = hold === undefined ? '' : ` ${hold.says}`;
      await confirm(context.terminal, `Wave ${what} through for ${id}?${why}`, options.yes);
      const which = options.hold === undefined ? {} : { hold: options.hold };
      await give(context, options, { action: 'acknowledge', incidentId: id, ...which });
    },
  ).addArgument(
    new Argument('<incident>', 'its id, that of its instance, or storm').argParser(stormOr),
  );
  withUntil(withYes(withWhy(command))).option(
    '--hold <reason>',
    'which hold; else the one it is in',
    holdReason,
  );
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
      const end = until === undefined ? {} : { until };
      await give(context, options, { action: 'pause', ...end });
    },
  );
  withUntil(withSaid(pause));
  const unpause = define('unpause', 'end the pause', (context: Context, options: Said) =>
    give(context, options, { action: 'unpause' }),
  );
  withWhy(unpause);
};

const defineMaintenance = (define: Define): void => {
  const begin = define(
    'begin',
    'its failure is expected: it is not acted upon',
    async (context: Context, instance: InstanceId, options: Until) => {
      const until = requireEnd(options);
      // Unknown instances are told here, before anything is switched for them.
      await look(context, { view: 'explain', instanceId: instance }, 'explain');
      const order = { action: 'begin-maintenance', instanceId: instance, until } as const;
      await give(context, options, order);
    },
  ).addArgument(instanceArgument());
  withUntil(withSaid(begin));
  const end = define(
    'end',
    'its failure is a failure again',
    (context: Context, instance: InstanceId, options: Said) =>
      give(context, options, { action: 'end-maintenance', instanceId: instance }),
  ).addArgument(instanceArgument());
  withWhy(end);
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
  defineAnswers(define);
  defineHolds(define);
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
