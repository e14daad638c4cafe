import type { LambdaClient } from '@aws-sdk/client-lambda';
import type { DescribeExecutionCommandOutput, SFNClient } from '@aws-sdk/client-sfn';
import type * as z from 'zod';
import { type Called, functionProblem, problemOf } from './cloud-problems.ts';
import { Problem } from './problem.ts';

export interface CloudSettings {
  /** The stage of the deployment: its functions are called after it. */
  readonly deployment: string;
  readonly region?: string | undefined;
  readonly profile?: string | undefined;
  readonly endpoint?: string | undefined;
}

/** Who asks, as AWS knows them. */
export interface Caller {
  readonly arn: string;
  readonly account: string;
}

export interface Execution {
  readonly arn: string;
  readonly status: string;
  /** What it ended with; of one that failed, error and cause. */
  readonly output?: unknown;
  readonly error?: string;
  readonly cause?: string;
}

/** What the command line asks of AWS. Every method throws Problem, in one line for people. */
export interface Cloud {
  readonly deployment: string;
  /** Invokes a function of the deployment and waits for its answer. */
  invoke<Answer>(name: string, input: object, answer: z.ZodType<Answer>): Promise<Answer>;
  caller(): Promise<Caller>;
  /** Starts an execution by hand, of the machine with this name; answers its ARN. */
  start(machine: string, input: object): Promise<string>;
  execution(arn: string): Promise<Execution>;
}

/** In all; what the SDK repeats is safe to repeat. */
const attemptsMax = 3;

const clientOptions = ({ endpoint, profile, region }: CloudSettings) => ({
  maxAttempts: attemptsMax,
  ...(region === undefined ? {} : { region }),
  ...(profile === undefined ? {} : { profile }),
  ...(endpoint === undefined ? {} : { endpoint }),
});

/** The region by the SDK's own rules, or what to set. */
const regionOf = async (client: LambdaClient | SFNClient): Promise<string> => {
  try {
    return await client.config.region();
  } catch (error) {
    const how = 'set AWS_REGION (or --region), or a profile that names one';
    throw new Problem(`no AWS region: ${how}`, { is: 'access', cause: error });
  }
};

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
};

const executionOf = (seen: DescribeExecutionCommandOutput): Execution => ({
  arn: seen.executionArn ?? '',
  status: seen.status ?? 'UNKNOWN',
  ...(seen.output === undefined ? {} : { output: parseJson(seen.output) }),
  ...(seen.error === undefined ? {} : { error: seen.error }),
  ...(seen.cause === undefined ? {} : { cause: seen.cause }),
});

/** Clients are loaded when they are first needed: `--help` needs none. */
const once = <Made>(make: () => Promise<Made>): (() => Promise<Made>) => {
  let made: Promise<Made> | undefined;
  return () => {
    made ??= make();
    return made;
  };
};

class AwsCloud implements Cloud {
  readonly deployment: string;
  readonly #settings: CloudSettings;
  readonly #lambda = once(async () => {
    const { LambdaClient } = await import('@aws-sdk/client-lambda');
    return new LambdaClient(clientOptions(this.#settings));
  });
  readonly #states = once(async () => {
    const { SFNClient } = await import('@aws-sdk/client-sfn');
    return new SFNClient(clientOptions(this.#settings));
  });
  readonly #caller = once(() => this.#askCaller());

  constructor(settings: CloudSettings) {
    this.#settings = settings;
    this.deployment = settings.deployment;
  }

  async invoke<Answer>(name: string, input: object, answer: z.ZodType<Answer>): Promise<Answer> {
    const client = await this.#lambda();
    const region = await regionOf(client);
    const functionName = `ebs-failover-${this.deployment}-${name}`;
    const what = `function ${functionName}`;
    const { InvokeCommand } = await import('@aws-sdk/client-lambda');
    const command = new InvokeCommand({
      FunctionName: functionName,
      Payload: new TextEncoder().encode(JSON.stringify(input)),
    });
    const { FunctionError, Payload } = await this.#tell(() => client.send(command), {
      what,
      right: `lambda:InvokeFunction on ${functionName}`,
      region,
    });
    const payload = parseJson(new TextDecoder().decode(Payload));
    if (FunctionError !== undefined) throw functionProblem(Object(payload), what);
    const parsed = answer.safeParse(payload);
    if (parsed.success) return parsed.data;
    const how = 'this command and the deployment are of different versions: deploy this one';
    throw new Problem(`the answer of ${functionName} is none I know: ${how}`, {
      is: 'unavailable',
      cause: parsed.error,
    });
  }

  caller(): Promise<Caller> {
    return this.#caller();
  }

  async #askCaller(): Promise<Caller> {
    const { GetCallerIdentityCommand, STSClient } = await import('@aws-sdk/client-sts');
    const region = await regionOf(await this.#states());
    const client = new STSClient({ ...clientOptions(this.#settings), region });
    const { Account, Arn } = await this.#tell(() => client.send(new GetCallerIdentityCommand({})), {
      what: 'STS',
      right: 'sts:GetCallerIdentity',
      region,
    });
    if (Account === undefined || Arn === undefined) {
      throw new Problem('STS does not say who asks: name yourself with --as', {
        is: 'unavailable',
      });
    }
    return { arn: Arn, account: Account };
  }

  async start(machine: string, input: object): Promise<string> {
    const client = await this.#states();
    const region = await regionOf(client);
    const { account, arn } = await this.caller();
    const partition = arn.split(':')[1] ?? 'aws';
    const stateMachineArn = `arn:${partition}:states:${region}:${account}:stateMachine:${machine}`;
    const { StartExecutionCommand } = await import('@aws-sdk/client-sfn');
    const command = new StartExecutionCommand({ stateMachineArn, input: JSON.stringify(input) });
    const what = `state machine ${machine}`;
    const right = `states:StartExecution on ${machine}`;
    const { executionArn } = await this.#tell(() => client.send(command), { what, right, region });
    if (executionArn === undefined)
      throw new Problem(`${what} did not start`, { is: 'unavailable' });
    return executionArn;
  }

  async execution(executionArn: string): Promise<Execution> {
    const client = await this.#states();
    const { DescribeExecutionCommand } = await import('@aws-sdk/client-sfn');
    const command = new DescribeExecutionCommand({ executionArn });
    const region = await regionOf(client);
    const right = 'states:DescribeExecution on its executions';
    const seen = await this.#tell(() => client.send(command), { what: 'execution', right, region });
    return executionOf(seen);
  }

  async #tell<Answer>(
    call: () => Promise<Answer>,
    called: Pick<Called, 'what' | 'right' | 'region'>,
  ): Promise<Answer> {
    try {
      return await call();
    } catch (error) {
      const { endpoint, profile } = this.#settings;
      throw problemOf(error, { ...called, deployment: this.deployment, endpoint, profile });
    }
  }
}

export const createCloud = (settings: CloudSettings): Cloud => new AwsCloud(settings);
