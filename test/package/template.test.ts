import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { inflateRawSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { type Package, packageService } from '../../scripts/package-service.ts';
import { allowedActions, unboundedChanges } from '../support/iam.ts';
import { projectDir } from '../support/project-files.ts';
import {
  ofType,
  readTemplate,
  rolesOf,
  type Statement,
  type Template,
} from '../support/template.ts';
import { alarmsSuite } from './alarms.ts';

const BUNDLE_BYTES_MAX = 428 * 1024;
/** No failover waits for these. */
const PATIENT = ['sweep', 'assessDrain', 'drainAgent'];
const PATIENT_BYTES_MAX = 450 * 1024;

interface ListedFunction {
  readonly handler: string;
  readonly timeout: number;
  readonly role: unknown;
  readonly environment: Record<string, unknown>;
}
const yaml = (path: string) => parse(readFileSync(join(projectDir, path), 'utf8'), { merge: true });
const functionList: Record<string, ListedFunction> = yaml('infra/functions.yml');
const workflow = readFileSync(join(projectDir, 'statemachines/failover.asl.json'), 'utf8');

const logicalId = (key: string): string => `${key[0]?.toUpperCase()}${key.slice(1)}LambdaFunction`;

let dir: string;
let built: Package;
let template: Template;

const propertiesOf = (id: string): Record<string, unknown> => {
  const resource = template.Resources[id];
  if (resource === undefined) throw new Error(`the template has no ${id}`);
  return resource.Properties;
};

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'ebs-failover-package-'));
  for (const path of ['serverless.yml', 'infra', 'statemachines']) {
    cpSync(join(projectDir, path), join(dir, path), { recursive: true });
  }
  built = await packageService(projectDir, dir);
  template = readTemplate(built.templatePath);
}, 300_000);

afterAll(() => rmSync(dir, { recursive: true, force: true }));

describe('the ledger table', () => {
  it('survives its stack and can be restored', () => {
    expect(template.Resources.LedgerTable).toMatchObject({
      DeletionPolicy: 'Retain',
      UpdateReplacePolicy: 'Retain',
      Properties: {
        BillingMode: 'PAY_PER_REQUEST',
        PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
        SSESpecification: { SSEEnabled: true },
        DeletionProtectionEnabled: true,
      },
    });
  });

  it('DB-07: deletes nothing by itself', () => {
    expect(propertiesOf('LedgerTable')).not.toHaveProperty('TimeToLiveSpecification');
  });
});

describe('functions', () => {
  it.each(Object.entries(functionList))('deploys %s as the function list says', (key, listed) => {
    expect(propertiesOf(logicalId(key))).toMatchObject({
      Handler: listed.handler,
      Runtime: 'nodejs24.x',
      Architectures: ['arm64'],
      Timeout: listed.timeout,
      Role: listed.role,
    });
    expect(propertiesOf(logicalId(key)).Environment).toEqual({ Variables: listed.environment });
  });

  it('gives every function a role of its own', () => {
    const roles = Object.values(functionList).map(({ role }) => JSON.stringify(role));
    expect(new Set(roles).size).toBe(roles.length);
  });

  it('deploys no function that the list does not name', () => {
    const deployed = ofType(template, 'AWS::Lambda::Function').map(([id]) => id);
    expect(deployed.sort()).toEqual(Object.keys(functionList).map(logicalId).sort());
  });

  it('keeps no log for ever', () => {
    const groups = ofType(template, 'AWS::Logs::LogGroup');
    expect(groups.length).toBe(Object.keys(functionList).length + 1);
    for (const [, { Properties }] of groups) expect(Properties.RetentionInDays).toBe(90);
  });
});

describe('bundles', () => {
  it('stay small where EC2 is used, for the sake of cold starts', () => {
    const withEc2 = built.bundles.filter((b) => b.bytesByPackage.has('@aws-sdk/client-ec2'));
    const tooLarge = withEc2.filter(
      ({ bundleBytes, name }) =>
        bundleBytes > (PATIENT.includes(name) ? PATIENT_BYTES_MAX : BUNDLE_BYTES_MAX),
    );
    expect(withEc2).not.toEqual([]);
    expect(tooLarge.map(({ name, bundleBytes }) => `${name} ${bundleBytes}`)).toEqual([]);
  });

  it.each(Object.entries(functionList))('load in Node as Lambda loads %s', async (key, listed) => {
    const zip = readFileSync(join(dir, `.build/${key}.zip`));
    const contentAt = 30 + zip.readUInt16LE(26);
    const path = zip.subarray(30, contentAt).toString();
    const packed = zip.subarray(contentAt, contentAt + zip.readUInt32LE(18));
    expect(path).toBe(listed.handler.replace(/\.handler$/, '.mjs'));
    const file = join(dir, `unzipped/${path}`);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, inflateRawSync(packed));
    expect(await import(pathToFileURL(file).href)).toHaveProperty('handler', expect.any(Function));
  });

  it('come without their source maps, which would only slow the cold start', () => {
    for (const key of Object.keys(functionList)) {
      expect(existsSync(join(dir, `.build/${key}.mjs.map`))).toBe(true);
      expect(readFileSync(join(dir, `.build/${key}.zip`)).includes('.map')).toBe(false);
    }
  });
});

describe('rules', () => {
  it('never deliver an order older than ten minutes, and never drop one silently', () => {
    const rules = ofType(template, 'AWS::Events::Rule');
    expect(rules.length).toBeGreaterThanOrEqual(4);
    for (const [id, { Properties }] of rules) {
      expect(Properties.Targets, id).toEqual([
        expect.objectContaining({
          RetryPolicy: expect.objectContaining({ MaximumEventAgeInSeconds: 600 }),
          DeadLetterConfig: { Arn: expect.anything() },
        }),
      ]);
    }
  });

  it('may invoke their target: every rule has its permission', () => {
    const permitted = ofType(template, 'AWS::Lambda::Permission').map(([, { Properties }]) =>
      JSON.stringify([Properties.SourceArn, Properties.FunctionName]),
    );
    for (const [id, { Properties }] of ofType(template, 'AWS::Events::Rule')) {
      const [target] = Properties.Targets as { Arn: { 'Fn::GetAtt': [string, string] } }[];
      const pair = [{ 'Fn::GetAtt': [id, 'Arn'] }, { Ref: target?.Arn['Fn::GetAtt'][0] }];
      expect(permitted).toContain(JSON.stringify(pair));
    }
  });

  it('may write to their dead-letter queues', () => {
    const { PolicyDocument } = propertiesOf('DeadLetterQueuePolicy');
    const queues = ofType(template, 'AWS::SQS::Queue').map(([id]) => ({
      'Fn::GetAtt': [id, 'Arn'],
    }));
    expect(PolicyDocument).toMatchObject({
      Statement: [{ Effect: 'Allow', Principal: { Service: 'events.amazonaws.com' } }],
    });
    expect(PolicyDocument).toHaveProperty('Statement.0.Resource', queues);
  });

  it('sweep every minute, without repeating a sweep that failed', () => {
    expect(propertiesOf('SweepSchedule')).toMatchObject({
      ScheduleExpression: 'rate(1 minute)',
      Target: {
        Arn: { 'Fn::GetAtt': ['SweepLambdaFunction', 'Arn'] },
        RetryPolicy: { MaximumRetryAttempts: 0 },
      },
    });
  });
});

describe('rights', () => {
  const rolesThatMay = (action: string): string[] =>
    Object.entries(rolesOf(template))
      .filter(([, statements]) => allowedActions(statements).includes(action))
      .map(([id]) => id);

  it('let no role change what does not carry the cluster tag', () => {
    const unbounded = Object.entries(rolesOf(template)).flatMap(([id, statements]) =>
      unboundedChanges(statements).map((action) => `${id}: ${action}`),
    );
    expect(unbounded).toEqual([]);
  });

  it.each<[string, Omit<Statement, 'Effect'>]>([
    ['a mutation on everything', { Action: ['ec2:StopInstances'], Resource: ['*'] }],
    [
      'a mutation on every volume',
      {
        Action: ['ec2:DetachVolume'],
        Resource: [{ 'Fn::Join': ['', ['arn:', { Ref: 'AWS::Partition' }, ':volume/*']] }],
      },
    ],
    ['an action by wildcard', { Action: ['ec2:Describe*'], Resource: ['*'] }],
    [
      'a condition on something else than the tag of the resource',
      {
        Action: ['ec2:StopInstances'],
        Resource: ['*'],
        Condition: { StringEquals: { 'aws:RequestTag/ebs-failover:cluster': 'x' } },
      },
    ],
    [
      'a condition that asks for another tag value',
      {
        Action: ['ec2:StopInstances'],
        Resource: ['*'],
        Condition: { StringNotEquals: { 'aws:ResourceTag/ebs-failover:cluster': 'x' } },
      },
    ],
  ])('would be refused by that check for %s', (_, statement) => {
    expect(unboundedChanges([{ Effect: 'Allow', ...statement }])).toEqual(statement.Action);
  });

  it('are named one by one, without wildcards', () => {
    const actions = Object.values(rolesOf(template)).flatMap(allowedActions);
    expect(actions.filter((action) => action.includes('*'))).toEqual([]);
  });

  it.each([
    ['ec2:StopInstances', ['FenceAgentRole']],
    ['ec2:TerminateInstances', ['FenceAgentRole']],
    ['states:SendTaskSuccess', ['AwaitApprovalRole', 'OperateRole']],
    ['ec2:DetachVolume', ['ReleaseVolumeRole']],
    [
      'ec2:CreateTags',
      [
        'AdoptRole',
        'ProtectDataRole',
        'FenceAgentRole',
        'VerifyRecoveryRole',
        'CloseIncidentRole',
        'QuarantineAgentRole',
      ],
    ],
    ['ec2:ModifyInstanceAttribute', ['AdoptRole', 'ProtectDataRole']],
    ['autoscaling:EnterStandby', ['ProtectDataRole']],
    ['ec2:AttachVolume', []],
    ['ec2:DeleteVolume', []],
    ['ec2:DeleteTags', ['UnfenceRole']],
  ])('give %s to %j and nobody else', (action, roles) => {
    expect(rolesThatMay(action)).toEqual(roles);
  });
});

describe('the alarms', () => alarmsSuite(() => template));

describe('the workflow', () => {
  const placeholders = new Set([...workflow.matchAll(/\$\{(\w+)\}/g)].map(([, name]) => name));
  const substitutions = (): Record<string, unknown> =>
    propertiesOf('FailoverStateMachine').DefinitionSubstitutions as Record<string, unknown>;

  it('is the very file of the project', () => {
    expect(propertiesOf('FailoverStateMachine')).toMatchObject({
      StateMachineType: 'STANDARD',
      Definition: JSON.parse(workflow),
    });
  });

  it('has a function for every placeholder, and no placeholder too many', () => {
    expect(placeholders.size).toBeGreaterThan(0);
    expect(Object.keys(substitutions()).sort()).toEqual([...placeholders].sort());
  });

  it('may invoke its steps and nothing else', () => {
    const role = rolesOf(template).FailoverStateMachineRole ?? [];
    const invokes = role.filter(({ Action }) => Action.includes('lambda:InvokeFunction'));
    const steps = Object.values(substitutions());
    expect(invokes.flatMap(({ Resource }) => Resource)).toEqual(steps);
  });

  it('writes no execution data to its log', () => {
    expect(propertiesOf('FailoverStateMachine').LoggingConfiguration).toMatchObject({
      IncludeExecutionData: false,
    });
  });
});

describe('the template', () => {
  // No entry, and so no test, where cfn-lint is not installed: it is a Python tool of its own.
  const linters = spawnSync('cfn-lint', ['--version']).status === 0 ? ['cfn-lint'] : [];
  it.each(linters)(
    'is accepted by %s',
    (lint) => {
      const { stdout } = spawnSync(lint, [built.templatePath], { encoding: 'utf8' });
      expect(stdout.split('\n').filter((line) => line.startsWith('E'))).toEqual([]);
    },
    60_000,
  );

  it('takes the settings of a cluster, with a value for each that has no default', () => {
    const example: { ParameterKey: string }[] = yaml('clusters/example.yml');
    const given = example.map(({ ParameterKey }) => ParameterKey);
    const parameters: Record<string, { Default?: unknown }> = yaml('infra/parameters.yml');
    expect(template.Parameters).toEqual(parameters);
    expect(given.filter((name) => !(name in parameters))).toEqual([]);
    for (const [name, { Default }] of Object.entries(parameters)) {
      if (Default === undefined) expect(given).toContain(name);
    }
  });

  it('has the outputs an operator needs', () => {
    expect(Object.keys(template.Outputs)).toEqual(
      expect.arrayContaining(['FailoverStateMachineArn', 'LedgerTableName', 'EventBusName']),
    );
  });
});
