import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

type Json = unknown;
export type JsonObject = Record<string, Json>;

/** One resource of the stack with every reference resolved. */
export interface Resource {
  logicalId: string;
  type: string;
  /** What {Ref} to it gives: a name, an ARN or a URL, by type. */
  ref: string;
  arn: string;
  properties: JsonObject;
}

/** One entry of the function list with its environment resolved. */
export interface FunctionSpec {
  /** `openIncident` */
  key: string;
  /** The deployed function's name. */
  name: string;
  arn: string;
  /** `functions/open-incident.handler`: module path without extension, then the export. */
  handler: string;
  timeoutSeconds: number;
  /** So many at once and no more; absent: what the account has left. */
  reservedConcurrency?: number;
  environment: Record<string, string>;
  roleArn: string;
}

export interface Infra {
  account: string;
  region: string;
  parameters: Record<string, string>;
  functions: FunctionSpec[];
  /** Resources of a CloudFormation type, in file order. */
  ofType(type: string): Resource[];
  resource(logicalId: string): Resource;
}

/** The infrastructure files contradict themselves or an operator's setting is not acceptable. */
export class InfraError extends Error {
  override readonly name = 'InfraError';
}

const isObject = (value: Json): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Parsing is half of making a world, and a simulation makes thousands from the same few files. */
const parsed = new Map<string, JsonObject>();

/** Nobody changes what it answers: resolving copies. */
const readYaml = (file: string): JsonObject => {
  const source = readFileSync(file, 'utf8');
  const known = parsed.get(source);
  if (known) return known;
  const document: Json = parse(source, { merge: true });
  if (!isObject(document)) throw new InfraError(`${file} is not a mapping`);
  parsed.set(source, document);
  return document;
};

/** Defaults overridden by the operator's values, each checked as CloudFormation would. */
const readParameters = (declared: JsonObject, given: Record<string, string>) => {
  const unknown = Object.keys(given).find((name) => !(name in declared));
  if (unknown) throw new InfraError(`parameter ${unknown} is not declared`);
  return Object.fromEntries(
    Object.entries(declared).map(([name, spec]) => {
      if (!isObject(spec)) throw new InfraError(`parameter ${name} is not a mapping`);
      const raw = given[name] ?? spec.Default;
      if (raw === undefined) throw new InfraError(`parameter ${name} has no default and no value`);
      const value = String(raw);
      const { AllowedPattern, AllowedValues, MinValue, MaxValue } = spec;
      const acceptable =
        (typeof AllowedPattern !== 'string' || new RegExp(AllowedPattern).test(value)) &&
        (!Array.isArray(AllowedValues) || AllowedValues.map(String).includes(value)) &&
        (spec.Type !== 'Number' || Number.isFinite(Number(value))) &&
        (MinValue === undefined || Number(value) >= Number(MinValue)) &&
        (MaxValue === undefined || Number(value) <= Number(MaxValue));
      if (!acceptable) throw new InfraError(`parameter ${name} does not accept ${value}`);
      return [name, value];
    }),
  );
};

const pascal = (key: string): string => `${key.charAt(0).toUpperCase()}${key.slice(1)}`;

interface Scope {
  account: string;
  region: string;
  stack: string;
}

/** Ref and Arn of a resource, as CloudFormation's reference pages give them per type. */
const identify = (
  { account, region, stack }: Scope,
  logicalId: string,
  type: string,
  given: JsonObject,
): { ref: string; arn: string } => {
  const arn = (service: string, rest: string, where = region): string =>
    `arn:aws:${service}:${where}:${account}:${rest}`;
  const named = (property: string): string => String(given[property] ?? `${stack}-${logicalId}`);
  const byName = (name: string, service: string, rest: string) => ({
    ref: name,
    arn: arn(service, rest),
  });
  const byArn = (service: string, rest: string) => {
    const both = arn(service, rest);
    return { ref: both, arn: both };
  };
  switch (type) {
    case 'AWS::DynamoDB::Table':
      return byName(named('TableName'), 'dynamodb', `table/${named('TableName')}`);
    case 'AWS::Events::EventBus':
      return byName(named('Name'), 'events', `event-bus/${named('Name')}`);
    case 'AWS::Events::Rule': {
      const bus = given.EventBusName ? `${String(given.EventBusName)}/` : '';
      return byName(named('Name'), 'events', `rule/${bus}${named('Name')}`);
    }
    case 'AWS::IAM::Role':
      return { ref: named('RoleName'), arn: arn('iam', `role/${named('RoleName')}`, '') };
    case 'AWS::Logs::LogGroup':
      return byName(named('LogGroupName'), 'logs', `log-group:${named('LogGroupName')}:*`);
    case 'AWS::Scheduler::Schedule':
      return byName(named('Name'), 'scheduler', `schedule/default/${named('Name')}`);
    case 'AWS::SNS::Topic':
      return byArn('sns', named('TopicName'));
    case 'AWS::SQS::Queue': {
      const name = named('QueueName');
      const ref = `https://sqs.${region}.amazonaws.com/${account}/${name}`;
      return { ref, arn: arn('sqs', name) };
    }
    case 'AWS::StepFunctions::StateMachine':
      return byArn('states', `stateMachine:${named('StateMachineName')}`);
    default:
      return byName(`${stack}-${logicalId}`, 'cloudformation', logicalId);
  }
};

/** Resolves the long-form intrinsics the files use; anything else is an error, not a guess. */
const createResolver = (
  refs: (name: string) => string,
  attributes: (name: string, attribute: string) => string,
  holds: (condition: string) => boolean,
) => {
  const resolve = (value: Json): Json => {
    if (Array.isArray(value)) return value.map(resolve);
    if (!isObject(value)) return value;
    const [key, ...others] = Object.keys(value);
    if (key === undefined || others.length > 0 || !(key === 'Ref' || key.startsWith('Fn::'))) {
      return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, resolve(v)]));
    }
    const argument = value[key];
    if (key === 'Ref') return refs(String(argument));
    if (key === 'Fn::GetAtt' && Array.isArray(argument)) {
      return attributes(String(argument[0]), String(argument[1]));
    }
    if (key === 'Fn::Join' && Array.isArray(argument) && Array.isArray(argument[1])) {
      return argument[1].map((part) => String(resolve(part))).join(String(argument[0]));
    }
    if (key === 'Fn::Sub' && typeof argument === 'string') {
      return argument.replaceAll(/\$\{([^}]+)\}/g, (_, name: string) => {
        const [id = '', attribute] = name.split('.');
        return attribute ? attributes(id, attribute) : refs(id);
      });
    }
    if (key === 'Fn::If' && Array.isArray(argument) && argument.length === 3) {
      return resolve(argument[holds(String(argument[0])) ? 1 : 2]);
    }
    throw new InfraError(`${key} is not understood here`);
  };
  return resolve;
};

const NOT_RESOURCES = ['functions.yml', 'parameters.yml'];

interface Declared {
  type: string;
  properties: JsonObject;
  /** It is made only where this condition holds. */
  condition: string | undefined;
}

const readResources = (folder: string) => {
  const found = new Map<string, Declared>();
  const conditions: JsonObject = {};
  const files = readdirSync(folder).filter((name) => name.endsWith('.yml'));
  for (const name of files.sort().filter((file) => !NOT_RESOURCES.includes(file))) {
    const { Conditions, Resources } = readYaml(join(folder, name));
    if (isObject(Conditions)) Object.assign(conditions, Conditions);
    for (const [logicalId, body] of Object.entries(isObject(Resources) ? Resources : {})) {
      if (!isObject(body)) throw new InfraError(`${name}: ${logicalId} is not a resource`);
      const properties = isObject(body.Properties) ? body.Properties : {};
      const condition = body.Condition === undefined ? undefined : String(body.Condition);
      found.set(logicalId, { type: String(body.Type), properties, condition });
    }
  }
  return { conditions, templates: found };
};

/** Whether a condition of the template holds, of those that are made of parameters alone. */
const createConditions = (conditions: JsonObject, parameters: Record<string, string>) => {
  const given = (value: Json): Json =>
    isObject(value) && 'Ref' in value ? parameters[String(value.Ref)] : value;
  const holds = (condition: Json): boolean => {
    const [key = '', ...others] = isObject(condition) ? Object.keys(condition) : [];
    const argument = isObject(condition) ? condition[key] : undefined;
    if (Array.isArray(argument) && others.length === 0) {
      const [first, second] = argument;
      if (key === 'Fn::Equals') return given(first) === given(second);
      if (key === 'Fn::Not') return !holds(first);
    }
    throw new InfraError(`the condition ${JSON.stringify(condition)} is not understood here`);
  };
  return (name: string): boolean => {
    if (!(name in conditions)) throw new InfraError(`no condition is called ${name}`);
    return holds(conditions[name]);
  };
};

/**
 * Reads the same files that the deployment is made from: parameters, function list and the plain
 * CloudFormation fragments beside them. Throws InfraError for a reference to nothing, an intrinsic
 * it does not know, or a parameter value CloudFormation would refuse.
 */
export const loadInfra = (options: {
  folder: string;
  account: string;
  region: string;
  stack: string;
  parameters: Record<string, string>;
}): Infra => {
  const { folder, account, region } = options;
  const declared = readYaml(join(folder, 'parameters.yml'));
  const parameters = readParameters(declared, options.parameters);
  const functions = readYaml(join(folder, 'functions.yml'));
  const { conditions, templates } = readResources(folder);
  const holds = createConditions(conditions, parameters);
  const keyOf = new Map(Object.keys(functions).map((k) => [`${pascal(k)}LambdaFunction`, k]));
  const functionName = (key: string): string => `${options.stack}-${key}`;
  const functionArn = (key: string): string =>
    `arn:aws:lambda:${region}:${account}:function:${functionName(key)}`;

  const pseudo: Record<string, string> = {
    'AWS::AccountId': account,
    'AWS::Region': region,
    'AWS::Partition': 'aws',
    'AWS::StackName': options.stack,
    'AWS::URLSuffix': 'amazonaws.com',
  };
  const identity = (logicalId: string): { ref: string; arn: string } => {
    const key = keyOf.get(logicalId);
    if (key) return { ref: functionName(key), arn: functionArn(key) };
    const template = templates.get(logicalId);
    if (!template) throw new InfraError(`nothing is called ${logicalId}`);
    if (template.condition && !holds(template.condition)) {
      throw new InfraError(`${logicalId} is not made: ${template.condition} does not hold`);
    }
    const names = Object.entries(template.properties).filter(([name]) => name.endsWith('Name'));
    const given = Object.fromEntries(names.map(([name, value]) => [name, resolve(value)]));
    return identify(options, logicalId, template.type, given);
  };
  const resolve = createResolver(
    (name) => pseudo[name] ?? parameters[name] ?? identity(name).ref,
    (name, attribute) => {
      const { arn } = identity(name);
      if (attribute === 'Arn') return arn;
      // QueueName, TopicName, Name: the last part of the ARN.
      if (attribute.endsWith('Name')) return arn.slice(arn.search(/[^:/]+$/));
      throw new InfraError(`${name} has no attribute ${attribute}`);
    },
    holds,
  );
  const resource = (logicalId: string): Resource => {
    const template = templates.get(logicalId);
    if (!template) throw new InfraError(`nothing is called ${logicalId}`);
    const properties = resolve(template.properties) as JsonObject;
    return { logicalId, type: template.type, ...identity(logicalId), properties };
  };
  return {
    account,
    region,
    parameters,
    resource,
    ofType: (type) =>
      [...templates]
        .filter(([, { condition, type: t }]) => t === type && (!condition || holds(condition)))
        .map(([id]) => resource(id)),
    functions: Object.entries(functions).map(([key, body]) => {
      if (!isObject(body)) throw new InfraError(`function ${key} is not a mapping`);
      const environment = resolve(body.environment ?? {}) as JsonObject;
      return {
        key,
        name: functionName(key),
        arn: functionArn(key),
        handler: String(body.handler),
        timeoutSeconds: Number(body.timeout),
        ...(body.reservedConcurrency === undefined
          ? {}
          : { reservedConcurrency: Number(body.reservedConcurrency) }),
        environment: Object.fromEntries(
          Object.entries(environment).map(([name, value]) => [name, String(value)]),
        ),
        roleArn: String(resolve(body.role)),
      };
    }),
  };
};
