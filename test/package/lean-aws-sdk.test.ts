import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type BuildOptions, build, type Plugin } from 'esbuild';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import {
  dropDerivedNames,
  forgetPlainErrors,
  inlineComputedKeys,
  leanAwsSdk,
} from '../../scripts/lean-aws-sdk.ts';
import { leftOut } from '../../scripts/left-out.ts';
import { projectDir } from '../support/project-files.ts';

/** Sends one call with lists, booleans and a time in it, and answers what went over the wire. */
const CALLER = `
  import { HttpResponse } from '@smithy/core/protocols';
  import { EC2Client, DescribeVolumesCommand, StopInstancesCommand } from '@aws-sdk/client-ec2';
  import { DynamoDBClient, GetItemCommand, PutItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
  import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
  import { LambdaClient, InvokeCommand } from '@aws-sdk/client-lambda';

  const VOLUMES = '<DescribeVolumesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">' +
    '<requestId>r</requestId><volumeSet><item><volumeId>vol-1</volumeId><size>5</size>' +
    '<createTime>2026-11-22T21:29:54.000Z</createTime><attachmentSet/></item></volumeSet>' +
    '</DescribeVolumesResponse>';
  const REFUSAL = '<Response><Errors><Error><Code>IncorrectInstanceState</Code>' +
    '<Message>no</Message></Error></Errors><RequestID>r</RequestID></Response>';

  const LOST_RACE = '{"__type":"com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException",' +
    '"Message":"lost","Item":{"token":{"N":"7"}}}';
  const THROTTLED = '{"__type":"com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException",' +
    '"message":"slower"}';
  const told = ({ name, message, $fault, $metadata, Item }) =>
    ({ name, message, $fault, status: $metadata?.httpStatusCode, Item });

  export const talk = async (credentials) => {
    const sent = [];
    const requestHandler = {
      handle: async ({ hostname, path, headers, body }) => {
        const [scope] = /us-east-1\\/\\w+\\/aws4_request/.exec(headers.authorization) ?? [];
        sent.push([hostname, path, scope, typeof body === 'string' ? body : new TextDecoder().decode(body)]);
        const ec2 = hostname.startsWith('ec2.');
        const refused = ec2 && String(body).includes('StopInstances');
        const error = { PutItem: LOST_RACE, GetItem: THROTTLED }[headers['x-amz-target']?.split('.')[1]];
        if (error) return { response: new HttpResponse({
          statusCode: 400, headers: {}, body: new TextEncoder().encode(error),
        }) };
        return { response: new HttpResponse({
          statusCode: refused ? 400 : 200,
          headers: {},
          body: new TextEncoder().encode(ec2 ? (refused ? REFUSAL : VOLUMES) : '{"Attributes":{"n":{"N":"1"}}}'),
        }) };
      },
    };
    const config = { region: 'us-east-1', maxAttempts: 1, requestHandler, ...credentials };
    const ec2 = new EC2Client(config);
    const volumes = await ec2.send(new DescribeVolumesCommand({
      Filters: [{ Name: 'volume-id', Values: ['vol-1', 'vol-2'] }], MaxResults: 500,
    }));
    const refusal = await ec2.send(new StopInstancesCommand({
      InstanceIds: ['i-1'], SkipOsShutdown: true,
    })).catch(told);
    const item = await new DynamoDBClient(config).send(new UpdateItemCommand({
      TableName: 't', Key: { pk: { S: 'a' }, sk: { S: 'b' } },
      UpdateExpression: 'SET #n = :n', ExpressionAttributeNames: { '#n': 'n' },
      ExpressionAttributeValues: { ':n': { N: '1' } }, ReturnValues: 'ALL_NEW',
    }));
    const ledger = new DynamoDBClient(config);
    const key = { pk: { S: 'a' }, sk: { S: 'b' } };
    const lostRace = await ledger.send(new PutItemCommand({ TableName: 't', Item: key })).catch(told);
    const throttled = await ledger.send(new GetItemCommand({ TableName: 't', Key: key })).catch(told);
    await new EventBridgeClient(config).send(new PutEventsCommand({ Entries: [{ Source: 's' }] }));
    const { Payload } = await new LambdaClient(config).send(new InvokeCommand({
      FunctionName: 'f', Payload: new TextEncoder().encode('{"warm":true}'),
    }));
    const payload = new TextDecoder().decode(Payload);
    return { sent, volumes: volumes.Volumes, refusal, item: item.Attributes, lostRace, throttled, payload };
  };
`;
const KEYS = { credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret' } };

const containing = (text: string): unknown => expect.stringContaining(text);
const signed = (service: string): string => `us-east-1/${service}/aws4_request`;

interface Caller {
  talk(credentials: object): Promise<{ sent: string[][]; volumes: unknown; refusal: unknown }>;
}

let dir: string;
const bundle = async (name: string, plugins: Plugin[]): Promise<[Caller, number]> => {
  const outfile = join(dir, `${name}.mjs`);
  const options: BuildOptions = {
    stdin: { contents: CALLER, resolveDir: projectDir },
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    mainFields: ['module', 'main'],
    minify: true,
    banner: {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
    },
    metafile: true,
    plugins,
  };
  const { metafile } = await build(options);
  const [output] = Object.values(metafile?.outputs ?? {});
  return [await import(pathToFileURL(outfile).href), output?.bytes ?? 0];
};

describe('a bundle with the lean SDK', () => {
  let lean: Caller;
  let leanBytes: number;
  let full: Caller;
  let fullBytes: number;

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'ebs-failover-lean-'));
    [lean, leanBytes] = await bundle('lean', [leanAwsSdk, leftOut]);
    [full, fullBytes] = await bundle('full', []);
  });
  afterEach(() => vi.unstubAllEnvs());
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  it('says and hears on the wire exactly what the full one does', async () => {
    const answer = await lean.talk(KEYS);
    expect(answer).toEqual(await full.talk(KEYS));
    expect(answer).toMatchObject({
      sent: [
        ['ec2.us-east-1.amazonaws.com', '/', signed('ec2'), containing('Filter.1.Value.2=vol-2')],
        ['ec2.us-east-1.amazonaws.com', '/', signed('ec2'), containing('SkipOsShutdown=true')],
        [containing('dynamodb'), '/', signed('dynamodb'), containing('"SET #n = :n"')],
        [containing('dynamodb'), '/', signed('dynamodb'), expect.anything()],
        [containing('dynamodb'), '/', signed('dynamodb'), expect.anything()],
        ['events.us-east-1.amazonaws.com', '/', signed('events'), '{"Entries":[{"Source":"s"}]}'],
        [containing('lambda'), containing('/functions/f/'), signed('lambda'), '{"warm":true}'],
      ],
      volumes: [{ VolumeId: 'vol-1', CreateTime: new Date('2026-11-22T21:29:54.000Z') }],
      refusal: { name: 'IncorrectInstanceState', message: 'no' },
      item: { n: { N: '1' } },
      lostRace: {
        name: 'ConditionalCheckFailedException',
        message: 'lost',
        Item: { token: { N: '7' } },
      },
      throttled: {
        name: 'ProvisionedThroughputExceededException',
        message: 'slower',
        $fault: 'client',
      },
    });
  });

  it('finds its credentials in the environment, as a function does', async () => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIDEXAMPLE');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret');
    expect(await lean.talk({})).toHaveProperty('refusal.name', 'IncorrectInstanceState');
  });

  it('is a fraction of the full one', () => {
    expect(leanBytes).toBeLessThan(fullBytes / 3);
  });
});

describe('inlineComputedKeys', () => {
  it('writes named strings into computed keys', () => {
    const source = 'const _eQN = "ec2QueryName";\nx = { [_eQN]: `Min`, [_xN]: _m };';
    expect(inlineComputedKeys(source)).toBe(source.replace('[_eQN]:', '"ec2QueryName":'));
  });

  it('keeps an escaped quote in the string', () => {
    expect(inlineComputedKeys('const _q = "a\\"b";\nx = { [_q]: 1 };')).toContain('{ "a\\"b": 1 }');
  });

  it('leaves values, arrays and names it does not know alone', () => {
    const source = 'const _M = "Min";\nx = [_M];\ny = _M;\nz = { [other]: _M, [_unknown]: 1 };';
    expect(inlineComputedKeys(source)).toBe(source);
  });
});

describe('dropDerivedNames', () => {
  const names = 'const _iI = "instanceId";\nconst _gS = "groupSet";\n';

  it('drops a name the protocol derives by itself', () => {
    const member = (name: string): string => `${names}[0, { ${name}"xmlName": _iI }]`;
    expect(dropDerivedNames(member('"ec2QueryName": `InstanceId`,\n  '))).toBe(member(''));
  });

  it('keeps a name that is another one', () => {
    const source = `${names}[0, { "ec2QueryName": \`SecurityGroupId\`, "xmlName": _gS }]`;
    expect(dropDerivedNames(source)).toBe(source);
  });
});

describe('forgetPlainErrors', () => {
  const error = (traits: string, names: string, types: string): string =>
    `export var X$ = [-3, n0, _X,\n    { ${traits} },\n    [${names}],\n    [${types}]\n];\n`;
  const registered = 'n0_registry.registerError(X$, X);';

  it.each([
    ['"error": _c', '_m', '0'],
    ['"error": _c, "httpError": 404', '_T, _M', '0, 0'],
    ['"error": _se', '', ''],
  ])('forgets an error with { %s } [%s] [%s]', (...parts) => {
    expect(forgetPlainErrors(error(...parts) + registered).trimEnd()).toBe(
      error(...parts).trimEnd(),
    );
  });

  it.each([
    ['details', '"error": _c', '_m, _I', '0, () => AttributeMap'],
    ['another name on the wire', '"error": _c, "awsQueryError": [`Busy`, 400]', '_m', '0'],
  ])('remembers an error with %s', (_, ...parts) => {
    expect(forgetPlainErrors(error(...parts) + registered)).toContain(registered);
  });
});
