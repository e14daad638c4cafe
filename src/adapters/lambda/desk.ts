import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import * as z from 'zod';
import { CloudUnavailableError } from '../../domain/errors.ts';
import type { Desk } from '../../ports/press.ts';
import { changing } from '../aws-sdk/calls.ts';
import { invokeLater } from './functions.ts';

export interface DeskDeps {
  readonly client: LambdaClient;
  /** Names of the functions. */
  readonly names: {
    readonly own: string;
    readonly operate: string;
    readonly look: string;
    readonly notify: string;
  };
}

const OrderAnswer = z.looseObject({
  kind: z.enum(['done', 'unchanged', 'refused']),
  says: z.string(),
});

const said = z.looseObject({ reason: z.string(), says: z.string() });
const Explanation = z.discriminatedUnion('kind', [
  z.looseObject({ kind: z.literal('refused'), says: z.string() }),
  z.looseObject({
    kind: z.literal('explain'),
    instanceId: z.string(),
    says: z.string(),
    witnesses: z.record(z.string(), z.string()),
    verdict: z.looseObject({
      kind: z.string(),
      why: z.array(z.string()),
      whyNot: z.array(z.string()),
    }),
    guards: z.array(said),
    warnings: z.array(said),
  }),
]);

/** The answer first, then what it comes from. */
const linesOf = (explanation: z.infer<typeof Explanation>): readonly string[] => {
  if (explanation.kind === 'refused') return [explanation.says];
  const { guards, instanceId, says, verdict, warnings, witnesses } = explanation;
  return [
    `${instanceId}: ${says}`,
    ...Object.entries(witnesses).map(([witness, word]) => `${witness}: ${word}`),
    `Verdict: ${verdict.kind}`,
    ...(verdict.why.length > 0 ? [`Why: ${verdict.why.join('; ')}`] : []),
    ...(verdict.whyNot.length > 0 ? [`Against: ${verdict.whyNot.join('; ')}`] : []),
    ...guards.map(({ reason, says: why }) => `Guard: ${reason}: ${why}`),
    ...warnings.map(({ reason, says: why }) => `Warning: ${reason}: ${why}`),
  ];
};

/** The function's answer; one that failed has given none. */
const invokeNow = async <T>(
  client: LambdaClient,
  functionName: string,
  payload: object,
  schema: z.ZodType<T>,
): Promise<T> => {
  const command = new InvokeCommand({
    FunctionName: functionName,
    Payload: new TextEncoder().encode(JSON.stringify(payload)),
  });
  const answer = await changing('Invoke', () => client.send(command));
  const text = new TextDecoder().decode(answer.Payload);
  if (answer.FunctionError !== undefined) {
    const { data } = z.looseObject({ errorType: z.string() }).safeParse(JSON.parse(text));
    const code = data?.errorType ?? answer.FunctionError;
    throw new CloudUnavailableError(`Invoke ${functionName}`, code);
  }
  return schema.parse(JSON.parse(text));
};

/** What a press needs of the other functions, each by its own rights. */
export const createDesk = ({ client, names }: DeskDeps): Desk => ({
  later: (press) => invokeLater(client, names.own, { press }),
  operate: (order) => invokeNow(client, names.operate, order, OrderAnswer),
  async explain(instanceId) {
    const asked = { view: 'explain', instanceId };
    return linesOf(await invokeNow(client, names.look, asked, Explanation));
  },
  retell: (incidentId) => invokeLater(client, names.notify, { detail: { version: 1, incidentId } }),
});
