import * as z from 'zod';
import { hang, type Terminal, table } from '../terminal.ts';
import { colourOf } from '../words.ts';

const texts = z.array(z.string()).default([]);

/** What the page shows of a plan; what else is in it goes to programs only. */
const PlanShown = z.looseObject({
  agent: z.looseObject({ instanceId: z.string(), state: z.string().optional() }),
  verdict: z.looseObject({ kind: z.string(), why: texts, whyNot: texts }).optional(),
  volumes: z
    .array(z.looseObject({ volumeId: z.string(), name: z.string(), appIds: texts }))
    .default([]),
  leftAlone: z.array(z.looseObject({ volumeId: z.string(), why: z.string() })).default([]),
  candidates: z.record(z.string(), z.array(z.string())).default({}),
  calls: z
    .array(
      z.looseObject({
        by: z.string(),
        call: z.string(),
        target: z.string(),
        parameters: z.record(z.string(), z.unknown()).default({}),
        allowed: z.string(),
        says: z.string().optional(),
      }),
    )
    .default([]),
  holds: z.array(z.looseObject({ reason: z.string(), says: z.string() })).default([]),
  predictedSeconds: z.looseObject({ usual: z.number(), most: z.number() }).optional(),
});
type PlanShown = z.infer<typeof PlanShown>;

/** How the execution of a dry run ends. */
export const PlannedOutput = z.looseObject({
  status: z.string(),
  summary: z.string(),
  plan: PlanShown.optional(),
});
export type PlannedOutput = z.infer<typeof PlannedOutput>;

const allowedWords: Readonly<Record<string, string>> = {
  yes: 'allowed',
  no: 'refused',
  'not-asked': 'not asked',
};

const showCalls = ({ calls }: PlanShown, terminal: Terminal): string =>
  table(
    terminal,
    ['STEP', 'MAY IT', 'CALL'],
    calls.map(({ allowed, by, call, parameters, says, target }) => [
      by,
      colourOf(allowedWords[allowed] ?? allowed, terminal.paint),
      [
        call,
        target,
        ...Object.entries(parameters).map(([name, value]) => `${name}=${String(value)}`),
        ...(says === undefined ? [] : [`(${says})`]),
      ].join(' '),
    ]),
  );

const showBody = (plan: PlanShown, terminal: Terminal): readonly string[] => {
  const { columns, paint } = terminal;
  const line = (head: string, says: string): string => hang(head.padEnd(13), says, columns);
  const { candidates, holds, leftAlone, predictedSeconds, verdict, volumes } = plan;
  return [
    ...(verdict === undefined
      ? []
      : [
          line('verdict', verdict.kind),
          ...verdict.why.map((says) => line('  for', says)),
          ...verdict.whyNot.map((says) => line('  against', says)),
        ]),
    ...holds.map(({ reason, says }) => paint.red(line('would hold', `${reason}: ${says}`))),
    ...volumes.map(({ appIds, name, volumeId }) =>
      line('would move', `${name} (${volumeId}) of ${appIds.join(', ')}`),
    ),
    ...Object.entries(candidates).map(([app, hosts]) =>
      line('could run', `${app}: ${hosts.join(', ') || 'nobody'}`),
    ),
    ...leftAlone.map(({ volumeId, why }) => paint.dim(line('left alone', `${volumeId}: ${why}`))),
    ...(predictedSeconds === undefined
      ? []
      : [
          line(
            'takes',
            `${predictedSeconds.usual} s as a rule, ${predictedSeconds.most} s at most`,
          ),
        ]),
    ...(plan.calls.length === 0 ? [] : ['', showCalls(plan, terminal)]),
  ];
};

/** What a dry run came to. */
export const showPlan = ({ plan, summary }: PlannedOutput, terminal: Terminal): string =>
  [
    terminal.paint.bold(hang('', summary, terminal.columns)),
    ...(plan === undefined ? [] : ['', ...showBody(plan, terminal)]),
  ].join('\n');
