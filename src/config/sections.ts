import * as z from 'zod';
import { type ApprovalPolicy, approvableVerdicts } from '../domain/approval.ts';
import type { DrainPolicy } from '../domain/drain.ts';
import type { Policy } from '../domain/policy.ts';
import type { ReturnedAgent } from '../domain/quarantine.ts';
import type { Scope } from '../domain/scope.ts';
import type { StormPolicy } from '../domain/storm.ts';
import { count, functionName, oneOf, seconds, secretId, setting } from './setting.ts';

/**
 * One section per concern, so that a function asks only for what infra/functions.yml gives it. The
 * names are those of that file, the allowed values those of infra/parameters.yml.
 */
export type Section = z.ZodType;

const clusterName = setting(
  /^[a-z0-9][a-z0-9-]{0,62}$/,
  'the name of the cluster: lower case letters, digits and hyphens, at most 63',
);
const region = setting(/^[a-z]{2}(?:-[a-z]+)+-\d+$/, 'an AWS region such as us-east-1');
/** The literal that stands for an absent value becomes an absent value. */
const unless = (text: string, none: string): string | undefined =>
  text === none ? undefined : text;

/**
 * Where AWS is, and as whom. Lambda sets the three keys itself; without them the SDK looks for
 * credentials in its own ways.
 */
export const aws = z
  .object({
    AWS_REGION: region,
    AWS_ACCESS_KEY_ID: z.string().optional(),
    AWS_SECRET_ACCESS_KEY: z.string().optional(),
    AWS_SESSION_TOKEN: z.string().optional(),
  })
  .superRefine((env, context) => {
    const [named, other] =
      env.AWS_ACCESS_KEY_ID === undefined
        ? ['AWS_SECRET_ACCESS_KEY', 'AWS_ACCESS_KEY_ID']
        : ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'];
    const both = env.AWS_ACCESS_KEY_ID !== undefined && env.AWS_SECRET_ACCESS_KEY !== undefined;
    const none = env.AWS_ACCESS_KEY_ID === undefined && env.AWS_SECRET_ACCESS_KEY === undefined;
    if (both || none) return;
    const message = `is missing: set it to the other half of ${named}, or unset that one`;
    context.addIssue({ code: 'custom', path: [other], message });
  })
  .transform((env) => ({
    region: env.AWS_REGION,
    ...(env.AWS_ACCESS_KEY_ID !== undefined &&
      env.AWS_SECRET_ACCESS_KEY !== undefined && {
        credentials: {
          accessKeyId: env.AWS_ACCESS_KEY_ID,
          secretAccessKey: env.AWS_SECRET_ACCESS_KEY,
          ...(env.AWS_SESSION_TOKEN !== undefined && { sessionToken: env.AWS_SESSION_TOKEN }),
        },
      }),
  }));

/** The function itself, by the name that Lambda gives it. */
export const self = z
  .object({
    AWS_LAMBDA_FUNCTION_NAME: setting(functionName, 'the name of the function, as Lambda does'),
  })
  .transform((env) => ({ functionName: env.AWS_LAMBDA_FUNCTION_NAME }));

/** Which cluster this deployment looks after. */
export const cluster = z
  .object({ CLUSTER_NAME: clusterName })
  .transform((env) => ({ name: env.CLUSTER_NAME }));

/** The account and region whose events and machines are ours. */
export const home = z
  .object({
    ACCOUNT_ID: setting(/^\d{12}$/, 'the AWS account id: twelve digits'),
    AWS_REGION: region,
  })
  .transform((env) => ({ account: env.ACCOUNT_ID, region: env.AWS_REGION }));

/** What marks an instance as an agent of this cluster. */
export const scope = z
  .object({
    CLUSTER_NAME: clusterName,
    AGENT_TAG: setting(/^[^=*]+=[^=*]+$/, 'the tag of every agent, written key=value'),
  })
  .transform((env): Scope => {
    const at = env.AGENT_TAG.indexOf('=');
    return {
      cluster: env.CLUSTER_NAME,
      agentTag: { key: env.AGENT_TAG.slice(0, at), value: env.AGENT_TAG.slice(at + 1) },
    };
  });

/** The DynamoDB table that knows who may do what. */
export const ledger = z
  .object({ LEDGER_TABLE: setting(/^[\w.-]{3,255}$/, 'the name of the DynamoDB table') })
  .transform((env) => ({ tableName: env.LEDGER_TABLE }));

/** The event bus on which the phases of an incident are told. */
export const events = z
  .object({ EVENT_BUS: setting(/^[\w./:-]{1,1600}$/, 'the name or ARN of the event bus') })
  .transform((env) => ({ busName: env.EVENT_BUS }));

/** Admin Router of the cluster, how to log in and whose certificate to believe. */
export const dcos = z
  .object({
    DCOS_URL: setting(/^https?:\/\/[^/]+$/, 'the URL of Admin Router, without a path'),
    DCOS_TOKEN_SECRET_ID: secretId('the DC/OS authentication token'),
    DCOS_CA_CERTIFICATE: setting(
      /^(?:system|\s*-----BEGIN CERTIFICATE-----[\s\S]+-----END CERTIFICATE-----\s*)$/,
      'the PEM certificate that signed the one of Admin Router, or "system"',
    ),
  })
  .transform((env) => ({
    url: env.DCOS_URL,
    /** undefined: the cluster asks for no token. */
    tokenSecretId: unless(env.DCOS_TOKEN_SECRET_ID, 'none'),
    /** undefined: one of the public authorities signed it. */
    caCertificate: unless(env.DCOS_CA_CERTIFICATE, 'system'),
  }));

const impairedGrace = { IMPAIRED_GRACE_SECONDS: seconds(0, 900) };

const storm = {
  STORM_LIMIT: count(1, 1_000),
  STORM_LIMIT_PERCENT: count(1, 100),
  STORM_WINDOW_SECONDS: seconds(300, 86_400),
  STORM_COOL_DOWN_SECONDS: seconds(60, 3_600),
};

const stormOf = (env: z.infer<z.ZodObject<typeof storm>>): StormPolicy => ({
  stormLimit: env.STORM_LIMIT,
  stormLimitPercent: env.STORM_LIMIT_PERCENT,
  stormWindowMs: env.STORM_WINDOW_SECONDS,
  stormCoolDownMs: env.STORM_COOL_DOWN_SECONDS,
});

/** What a function needs that only finds failures and takes up what waits. */
export const grace = z
  .object({ ...impairedGrace, ...storm })
  .transform((env): Pick<Policy, 'impairedGraceMs'> & StormPolicy => ({
    impairedGraceMs: env.IMPAIRED_GRACE_SECONDS,
    ...stormOf(env),
  }));

/** What an operator decided once for the whole deployment. */
export const policy = z
  .object({
    ...impairedGrace,
    FENCE_TERMINATE: oneOf('never', 'when-stop-impossible'),
    WEAK_FENCE: oneOf('hold', 'settle'),
    WEAK_FENCE_SETTLE_SECONDS: seconds(30, 900),
    FORCE_DETACH: oneOf('never', 'after-proof'),
    PARTIAL_DEADLINE_SECONDS: seconds(10, 240),
    REXRAY_PREEMPT: oneOf('off', 'on'),
    PARTITIONED_AGENT: oneOf('ask', 'fence'),
    PARTITIONED_GRACE_SECONDS: seconds(30, 240),
    BLIND_LIMIT: count(1, 1_000),
    BLIND_LIMIT_PERCENT: count(1, 100),
    ...storm,
    BLOCK_PERIOD_SECONDS: seconds(0, 86_400),
    DRAIN_RESERVE_SECONDS: seconds(30, 900),
  })
  .transform(
    (env): Policy => ({
      impairedGraceMs: env.IMPAIRED_GRACE_SECONDS,
      fenceTerminate: env.FENCE_TERMINATE,
      weakFence: env.WEAK_FENCE,
      weakFenceSettleMs: env.WEAK_FENCE_SETTLE_SECONDS,
      forceDetach: env.FORCE_DETACH,
      partialDeadlineMs: env.PARTIAL_DEADLINE_SECONDS,
      rexrayPreempt: env.REXRAY_PREEMPT,
      partitionedAgent: env.PARTITIONED_AGENT,
      partitionedGraceMs: env.PARTITIONED_GRACE_SECONDS,
      blindLimit: env.BLIND_LIMIT,
      blindLimitPercent: env.BLIND_LIMIT_PERCENT,
      ...stormOf(env),
      blockPeriodMs: env.BLOCK_PERIOD_SECONDS,
      drainReserveMs: env.DRAIN_RESERVE_SECONDS,
    }),
  );

/** How much of EC2's request buckets is ours. */
export const pace = z
  .object({ EC2_BUCKET_SHARE_PERCENT: count(10, 100) })
  .transform((env) => ({ sharePercent: env.EC2_BUCKET_SHARE_PERCENT }));

/** What becomes of a fenced host that runs again. */
export const returned = z
  .object({ RETURNED_AGENT: oneOf('quarantine', 'fence') })
  .transform((env): { readonly returnedAgent: ReturnedAgent } => ({
    returnedAgent: env.RETURNED_AGENT,
  }));

const oneVerdict = `(?:${approvableVerdicts.join('|')})`;
const verdictList = new RegExp(`^(?:none|${oneVerdict}(?:,${oneVerdict})*)$`);

/** Who is asked about what. */
export const approvals = z
  .object({
    APPROVAL_VERDICTS: setting(
      verdictList,
      `"none", or verdicts among ${approvableVerdicts.join(', ')}, by commas`,
    ),
    APPROVAL_SECONDS: seconds(60, 3_600),
  })
  .transform(
    (env): ApprovalPolicy => ({
      verdicts: approvableVerdicts.filter((kind) =>
        env.APPROVAL_VERDICTS.split(',').includes(kind),
      ),
      waitMs: env.APPROVAL_SECONDS,
    }),
  );

/** How planned moves are made. */
export const drain = z
  .object({
    DRAIN_LEAD_SECONDS: seconds(600, 1_209_600),
    DRAIN_GRACE_SECONDS: seconds(0, 900),
  })
  .transform(
    (env): DrainPolicy => ({
      leadMs: env.DRAIN_LEAD_SECONDS,
      graceMs: env.DRAIN_GRACE_SECONDS,
    }),
  );

const machineArn = (what: string) =>
  setting(/^arn:aws[a-z-]*:states:[a-z0-9-]+:\d{12}:stateMachine:[\w-]{1,80}$/, what);

/** The workflows that intake and the sweep start, and each of which may hand over to the other. */
export const workflow = z
  .object({
    FAILOVER_STATE_MACHINE_ARN: machineArn('the ARN of the failover state machine'),
    DRAIN_STATE_MACHINE_ARN: machineArn('the ARN of the drain state machine'),
  })
  .transform((env) => ({
    stateMachineArns: {
      failover: env.FAILOVER_STATE_MACHINE_ARN,
      drain: env.DRAIN_STATE_MACHINE_ARN,
    },
  }));

/** The functions to wake while the first step of a failover runs. */
export const warming = z
  .object({
    WARM_FUNCTIONS: setting(
      /^[\w:-]{1,170}(?:,[\w:-]{1,170})*$/,
      'the names of the step functions, separated by commas',
    ),
  })
  .transform((env) => ({ functionNames: env.WARM_FUNCTIONS.split(',') }));

/** The function with the right to create the cluster tag. */
export const adoption = z
  .object({ ADOPT_FUNCTION: setting(functionName, 'the name of the adopt function') })
  .transform((env) => ({ functionName: env.ADOPT_FUNCTION }));

/** Where what needs a person is told besides: mail, pagers. The client speaks to the region it is in. */
export const alerts = z
  .object({
    ALERT_TOPIC_ARN: setting(
      /^arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[\w-]{1,256}$/,
      'the ARN of an SNS topic that is not FIFO',
    ),
    AWS_REGION: region,
  })
  .superRefine((env, context) => {
    const [, , , where] = env.ALERT_TOPIC_ARN.split(':');
    // What is no ARN, or no region, has been told already.
    if (where === undefined || env.AWS_REGION === '' || where === env.AWS_REGION) return;
    const message = 'is in another region: set it to the ARN of a topic in this one';
    context.addIssue({ code: 'custom', path: ['ALERT_TOPIC_ARN'], message });
  })
  .transform((env) => ({ topicArn: env.ALERT_TOPIC_ARN }));
