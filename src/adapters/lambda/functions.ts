import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import type { Log, Metrics } from '../../ports/system.ts';
import type { Adoption, Functions } from '../../ports/workflow.ts';
import { changing } from '../aws-sdk/calls.ts';

/** Asynchronous: Lambda queues the event and answers at once; nobody waits for the function. */
export const invokeLater = async (
  client: LambdaClient,
  functionName: string,
  payload: Readonly<Record<string, unknown>>,
): Promise<void> => {
  const command = new InvokeCommand({
    FunctionName: functionName,
    InvocationType: 'Event',
    Payload: new TextEncoder().encode(JSON.stringify(payload)),
  });
  await changing('Invoke', () => client.send(command));
};

export interface FunctionsDeps {
  readonly client: LambdaClient;
  /** Names of the functions to keep warm. */
  readonly names: readonly string[];
  readonly metrics: Metrics;
  readonly log: Log;
}

/** Warming is a help: what goes wrong counts as `WarmUpFailed` and stops nothing. */
export const createFunctions = ({ client, names, metrics, log }: FunctionsDeps): Functions => ({
  async warm() {
    const warmed = names.map((name) =>
      invokeLater(client, name, { warmUp: true }).catch((error: Error) => {
        metrics.count('WarmUpFailed');
        log.warn('function not warmed', { functionName: name, error: error.message });
      }),
    );
    await Promise.all(warmed);
  },
});

/** Throws the domain's cloud errors. */
export const createAdoption = ({
  client,
  functionName,
}: {
  readonly client: LambdaClient;
  readonly functionName: string;
}): Adoption => ({
  request: () => invokeLater(client, functionName, {}),
});
