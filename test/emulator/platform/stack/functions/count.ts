import { DynamoDBClient, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { HttpResponse } from '@smithy/core/protocols';
import type { HttpRequest } from '@smithy/types';
import type {
  LambdaContext,
  Platform,
} from '../../../../../emulator/services/lambda/environment.ts';

interface Input {
  key: string;
  /** What to do beside counting. */
  act?: 'fail' | 'sleep' | 'env' | 'echo' | 'refuse';
  value?: string;
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Counts calls per key in the table, with a real SDK client over the injected network. */
export const createHandler = (env: Record<string, string | undefined>, platform: Platform) => {
  let callsHere = 0;
  const client = new DynamoDBClient({
    region: env.AWS_REGION ?? '',
    maxAttempts: 1,
    credentials: {
      accessKeyId: env.AWS_ACCESS_KEY_ID ?? '',
      secretAccessKey: env.AWS_SECRET_ACCESS_KEY ?? '',
    },
    requestHandler: {
      handle: async (request: HttpRequest) => {
        const { method, protocol, hostname, path, headers, body } = request;
        const response = await platform.send({
          method,
          url: `${protocol}//${hostname}${path}`,
          headers,
          body,
        });
        return {
          response: new HttpResponse({
            statusCode: response.status,
            headers: response.headers,
            body: new TextEncoder().encode(response.body),
          }),
        };
      },
    },
  });
  return async (event: unknown, context: LambdaContext): Promise<unknown> => {
    const input = event as Input;
    // The workflow hands on nothing but a key, which may name an act: `a!refuse`.
    const [key = '', act = input.act] = (input.key ?? 'event').split('!');
    callsHere += 1;
    platform.log(`counting ${key} with ${context.getRemainingTimeInMillis()} ms left`);
    if (act === 'env') return { env, callsHere, id: context.awsRequestId };
    if (act === 'echo') return event;
    if (act === 'refuse') throw Object.assign(new Error('not now'), { name: 'TryAgainError' });
    if (input.value) platform.log(`token ${input.value}`);
    if (input.value) return { token: input.value };
    const { Attributes } = await client.send(
      new UpdateItemCommand({
        TableName: env.TABLE,
        Key: { pk: { S: key }, sk: { S: 'COUNT' } },
        UpdateExpression: 'ADD calls :one',
        ExpressionAttributeValues: { ':one': { N: '1' } },
        ReturnValues: 'ALL_NEW',
      }),
    );
    if (act === 'fail') throw new TypeError(`no more of ${key}`);
    if (act === 'sleep') await sleep(60_000);
    return { key, calls: Number(Attributes?.calls?.N), callsHere };
  };
};
