import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { NormalizedSchema } from '@smithy/core/schema';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type ClientClass, leanClient } from '../../emulator/sim/lean-sdk/client.ts';
import { createXmlReaders } from '../../emulator/sim/lean-sdk/plain-xml.ts';
import { projectFiles } from '../support/project-files.ts';
import { distortion, jsonOf, valuesOf, type XmlStyle, xmlOf } from './lean-sdk/shapes.ts';
import { type Answer, type CommandClass, type Twins, twinsOf } from './lean-sdk/twins.ts';

const run = promisify(execFile);
const RUNS = 30;

interface Operation {
  readonly name: string;
  readonly protocol: 'ec2' | 'query' | 'json' | 'rest';
  readonly twins: Twins;
  readonly Command: CommandClass;
  readonly input: NormalizedSchema;
  readonly output: NormalizedSchema;
}

const PROTOCOLS: Readonly<Record<string, Operation['protocol']>> = {
  '@aws-sdk/client-ec2': 'ec2',
  '@aws-sdk/client-auto-scaling': 'query',
  '@aws-sdk/client-lambda': 'rest',
  '@aws-sdk/client-sns': 'query',
};

/** Every command that is imported by what ships, so that a new one is tried without being asked. */
const used = projectFiles()
  .filter(({ path }) => /^(?:src|functions)\/.*\.ts$/.test(path))
  .flatMap(({ text }) => [...text.matchAll(/import (\{[^}]*\}) from '(@aws-sdk\/client-[\w-]+)'/g)])
  .flatMap(([, names = '', from = '']) =>
    [...names.matchAll(/\b\w+Command\b/g)].map(([name]) => ({ name, from })),
  );

const classOf = (library: Record<string, unknown>): ClientClass => {
  const name = Object.keys(library).find((key) => /^[A-Z]\w+Client$/.test(key)) ?? '';
  return library[name] as ClientClass;
};

const operations: Operation[] = await Promise.all(
  used.map(async ({ name, from }) => {
    const library = (await import(from)) as Record<string, unknown>;
    const Command = library[name] as CommandClass;
    const [, , , , input, output] = new Command({}).schema;
    return {
      name: name.replace(/Command$/, ''),
      protocol: PROTOCOLS[from] ?? 'json',
      twins: twinsOf(classOf(library)),
      Command,
      input: NormalizedSchema.of(input as never),
      output: NormalizedSchema.of(output as never),
    };
  }),
);
const operationNamed = (name: string): Operation => {
  const found = operations.find((each) => each.name === name);
  if (found === undefined) throw new Error(`nothing that ships calls ${name}`);
  return found;
};

const HEADERS = { 'x-amzn-requestid': 'r-1' };
const style: fc.Arbitrary<XmlStyle> = fc.record({
  indented: fc.boolean(),
  numbered: fc.boolean(),
  short: fc.boolean(),
});

/** Not a bus of several regions. */
const inputsOf = ({ input }: Operation): fc.Arbitrary<unknown> =>
  valuesOf(input).map((value) => ({ ...(value as object), EndpointId: undefined }));

const good = ({ name, protocol, output }: Operation, value: unknown, how: XmlStyle): Answer => {
  if (protocol === 'json') {
    return { status: 200, headers: HEADERS, body: JSON.stringify(jsonOf(value ?? {})) };
  }
  if (protocol === 'rest') {
    const { StatusCode = 202, FunctionError, Payload } = value as Record<string, never>;
    const error = FunctionError === undefined ? {} : { 'x-amz-function-error': FunctionError };
    const body = new TextDecoder().decode(Payload);
    return {
      status: Math.abs(Number(StatusCode) % 100) + 200,
      headers: { ...HEADERS, ...error },
      body,
    };
  }
  const content = output.isUnitSchema() ? '<return>true</return>' : xmlOf(output, value, how);
  const inner = protocol === 'ec2' ? content : `<${name}Result>${content}</${name}Result>`;
  const body = `<?xml version="1.0" encoding="UTF-8"?>\n<${name}Response xmlns="http://aws/">${inner}<requestId>r-1</requestId></${name}Response>`;
  return { status: 200, headers: HEADERS, body };
};

const CODES = [
  'InternalError',
  'RequestLimitExceeded',
  'InvalidInstanceID.NotFound',
  'ResourceContention',
  'ConditionalCheckFailedException',
  'ResourceNotFoundException',
  'ExecutionDoesNotExist',
  'com.amazonaws.dynamodb.v20120810#ThrottlingException',
  'ServiceException',
];

const refused = (
  { protocol }: Operation,
  code: string,
  message: string,
  status: number,
): Answer => {
  const error = `<Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error>`;
  const bodies: Record<Operation['protocol'], string> = {
    ec2: `<Response><Errors>${error}</Errors><RequestID>r-1</RequestID></Response>`,
    query: `<ErrorResponse xmlns="http://aws/">${error}<RequestId>r-1</RequestId></ErrorResponse>`,
    json: JSON.stringify({ __type: code, message, Item: { pk: { S: 'a' } } }),
    rest: JSON.stringify({ message, Type: 'User' }),
  };
  const type = protocol === 'rest' ? { 'x-amzn-errortype': code } : {};
  return { status, headers: { ...HEADERS, ...type }, body: bodies[protocol] };
};

const HTML = '<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body><hr></body></html>';

const troubled = (operation: Operation): fc.Arbitrary<Answer> =>
  fc.oneof(
    fc
      .tuple(
        fc.constantFrom(...CODES),
        fc.constantFrom('no', 'You are not authorized', ''),
        fc.constantFrom(400, 403, 404, 429, 500, 503),
        distortion,
      )
      .map(([code, message, status, distort]) => {
        const answer = refused(operation, code, message, status) as Exclude<Answer, () => Error>;
        return { ...answer, body: distort(answer.body) };
      }),
    fc
      .tuple(
        fc.constantFrom(200, 302, 413, 500, 502),
        fc.constantFrom('', HTML, 'upstream', '{}', 'null'),
      )
      .map(([status, body]) => ({ status, headers: {}, body })),
    fc
      .constantFrom('ECONNRESET', 'ETIMEDOUT', 'ECONNREFUSED')
      .map((code) => () => Object.assign(new Error(`read ${code}`), { code })),
  );

/** Both are asked in turn; the clock stands and every uuid is the same. */
const bothSee = async (
  { twins: { real, lean }, Command }: Operation,
  input: unknown,
  answer: Answer,
  signal?: AbortSignal,
) => [
  await real(new Command(input), answer, signal),
  await lean(new Command(input), answer, signal),
];

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.parse('2026-11-23T03:00:00Z') });
  vi.spyOn(crypto, 'randomUUID').mockReturnValue('00000000-0000-4000-8000-000000000000');
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

describe('the lean SDK', () => {
  it('is tried with every operation of every service', () => {
    expect(operations.length).toBeGreaterThan(20);
    expect(new Set(operations.map(({ protocol }) => protocol)).size).toBe(4);
  });

  it.each(operations)(
    'sends $name and reads its answer as the SDK does',
    async (operation) => {
      const value = operation.output.isUnitSchema()
        ? fc.constant(undefined)
        : valuesOf(operation.output);
      const property = fc.asyncProperty(
        inputsOf(operation),
        value,
        style,
        distortion,
        async (input, output, how, distort) => {
          const answer = good(operation, output, how) as Exclude<Answer, () => Error>;
          const distorted = { ...answer, body: distort(answer.body) };
          const [real, lean] = await bothSee(operation, input, distorted);
          expect(lean).toStrictEqual(real);
        },
      );
      await fc.assert(property, { numRuns: RUNS, seed: 1 });
    },
    60_000,
  );

  it.each(operations)(
    'throws what the SDK throws when $name fails',
    async (operation) => {
      const property = fc.asyncProperty(
        inputsOf(operation),
        troubled(operation),
        async (input, answer) => {
          const [real, lean] = await bothSee(operation, input, answer);
          expect(lean).toStrictEqual(real);
        },
      );
      await fc.assert(property, { numRuns: RUNS, seed: 2 });
    },
    60_000,
  );

  it.each(['DescribeInstances', 'EnterStandby'])(
    'reads what services write to %s without the help of the SDK',
    (name) => {
      const { output, protocol } = operationNamed(name);
      const read = createXmlReaders((_, text) => new Date(text))(output);
      const property = fc.property(valuesOf(output), style, (value, how) => {
        const plain = { ...how, numbered: false };
        const content = xmlOf(output, value, plain);
        const child = protocol === 'query' ? 'Result' : undefined;
        const inner = child ? `<${child}>${content}</${child}><id>1</id>` : content;
        expect(read(`<Response xmlns="http://aws/">${inner}</Response>`, child)).toBeDefined();
      });
      fc.assert(property, { numRuns: RUNS, seed: 3 });
    },
  );

  it('gives up where the SDK does when a call is aborted', async () => {
    const operation = operationNamed('DetachVolume');
    const answer = good(operation, {}, { indented: false, numbered: false, short: true });
    const [real, lean] = await bothSee(operation, { VolumeId: 'v' }, answer, AbortSignal.abort());
    expect(lean).toStrictEqual(real);
    expect(real).toMatchObject({ error: { name: 'AbortError', message: 'Request aborted' } });
  });

  it.each([
    { endpoint: 'http://127.0.0.1:4566' },
    { region: 'eu-central-1' },
    { region: 'cn-north-1' },
    { credentials: { accessKeyId: 'AK', secretAccessKey: 's', accountId: '123456789012' } },
  ])('finds the service where the SDK finds it with %j', async (settings) => {
    const { DynamoDBClient, GetItemCommand } = await import('@aws-sdk/client-dynamodb');
    const Command = GetItemCommand as unknown as CommandClass;
    const twins = twinsOf(DynamoDBClient as unknown as ClientClass, settings);
    const operation = { ...operationNamed('GetItem'), twins, Command };
    const input = { TableName: 't', Key: { pk: { S: 'a' } } };
    const [real, lean] = await bothSee(operation, input, { status: 200, headers: {}, body: '{}' });
    expect(lean).toStrictEqual(real);
    expect(real?.requests).toHaveLength(1);
  });

  it('is not made with what it does not do', async () => {
    const { EC2Client } = await import('@aws-sdk/client-ec2');
    const Lean = leanClient(EC2Client as unknown as ClientClass);
    const credentials = { accessKeyId: 'a' };
    const usable = { region: 'us-east-1', maxAttempts: 1, credentials };
    const plain = { ...usable, useDualstackEndpoint: false, useFipsEndpoint: false };
    expect(() => new Lean(plain as never)).not.toThrow();
    for (const more of [
      { maxAttempts: 3 },
      { credentials: undefined },
      { useFipsEndpoint: true },
    ]) {
      expect(() => new Lean({ ...plain, ...more } as never)).toThrow(RangeError);
    }
  });

  it('does not sign for several regions, which needs a package that is not there', async () => {
    const operation = operationNamed('PutEvents');
    const answer = { status: 200, headers: {}, body: '{}' };
    const [real, lean] = await bothSee(operation, { EndpointId: 'abc.123' }, answer);
    expect(real).toMatchObject({
      requests: [],
      error: { message: expect.stringContaining('SigV4a') },
    });
    expect(lean).toMatchObject({ requests: [], error: { name: 'RangeError' } });
  });

  it('would be seen to differ if it did', async () => {
    const { real } = operationNamed('DetachVolume').twins;
    const { Command } = operationNamed('DetachVolume');
    const seen = (input: object, body: string) =>
      real(new Command(input), { status: 200, headers: {}, body });
    const one = await seen({ VolumeId: 'v' }, '<R><status>busy</status></R>');
    expect(await seen({ VolumeId: 'w' }, '<R><status>busy</status></R>')).not.toStrictEqual(one);
    expect(await seen({ VolumeId: 'v' }, '<R><status>idle</status></R>')).not.toStrictEqual(one);
  });
});

describe('the simulator', () => {
  const tracesWith = async (...options: string[]): Promise<string> => {
    const args = ['emulator/sim/cli.ts', '--seeds', '1..8', '--trace', ...options];
    const { stdout } = await run(process.execPath, args, { maxBuffer: 1 << 28 });
    // Threads end in their own order, and one line tells how long it took.
    const lines = stdout.split('\n').filter((line) => !line.includes(' seeds a minute'));
    return lines.sort().join('\n');
  };

  it('plays seeds with the lean SDK as with the real one, byte for byte', async () => {
    const [real, lean] = [await tracesWith('--sdk', 'real'), await tracesWith()];
    expect(lean === real).toBe(true);
    expect(real.length).toBeGreaterThan(1_000_000);
  }, 300_000);

  it('gives the functions lean clients, and the SDK for all else', async () => {
    const script = `
      import { installLeanSdk } from './emulator/sim/lean-sdk/install.ts';
      installLeanSdk();
      installLeanSdk();
      const { DynamoDBClient, ConditionalCheckFailedException } = await import('@aws-sdk/client-dynamodb');
      try { new DynamoDBClient({}); } catch ({ message }) { console.log(message); }
      console.log(ConditionalCheckFailedException.name);`;
    const { stdout } = await run(process.execPath, ['--input-type=module', '-e', script]);
    expect(stdout).toMatch(/^the lean SDK takes .*\nConditionalCheckFailedException\n$/);
  }, 30_000);
});
