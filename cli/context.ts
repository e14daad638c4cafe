import type { Command } from 'commander';
import type { IncidentDocument } from '../src/contracts/incident-document.ts';
import { type LookInput, LookOutput } from '../src/contracts/look.ts';
import { deployment } from './arguments.ts';
import type { Cloud, CloudSettings } from './cloud.ts';
import { Problem } from './problem.ts';
import type { Terminal } from './terminal.ts';

/** Options that every command has. */
export interface CommonOptions {
  readonly cluster?: string;
  readonly region?: string;
  readonly profile?: string;
  readonly json?: boolean;
}

/** What a command works with. */
export interface Context {
  readonly cloud: Cloud;
  readonly terminal: Terminal;
  readonly json: boolean;
  /** Waits, and ends early when the command is interrupted. */
  readonly sleep: (ms: number) => Promise<void>;
}

export interface Surroundings {
  readonly connect: (settings: CloudSettings) => Cloud;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly terminal: Terminal;
  readonly sleep: (ms: number) => Promise<void>;
}

/** As serverless.yml names the stage where nobody does. */
const usualDeployment = 'main';

const deploymentIn = ({ EBS_FAILOVER_CLUSTER: name }: Surroundings['env']): string => {
  if (name === undefined || name === '') return usualDeployment;
  try {
    return deployment(name);
  } catch (error) {
    const says = error instanceof Error ? error.message : '';
    throw new Problem(`EBS_FAILOVER_CLUSTER is no deployment: ${says}`, {
      is: 'usage',
      cause: error,
    });
  }
};

export const contextOf = (
  command: Command,
  { connect, env, sleep, terminal }: Surroundings,
): Context => {
  const options = command.optsWithGlobals<CommonOptions>();
  const cloud = connect({
    deployment: options.cluster ?? deploymentIn(env),
    // The AWS CLI reads the second one too, the SDK for JavaScript does not.
    region: options.region ?? env.AWS_REGION ?? env.AWS_DEFAULT_REGION,
    profile: options.profile,
    endpoint: env.AWS_ENDPOINT_URL,
  });
  return { cloud, terminal, sleep, json: options.json ?? false };
};

type Shown<Kind extends LookOutput['kind']> = Extract<LookOutput, { kind: Kind }>;

/** Asks Look for one view. What is not there is a Problem. */
export const look = async <const Kind extends Exclude<LookOutput['kind'], 'refused'>>(
  { cloud }: Pick<Context, 'cloud'>,
  input: LookInput,
  kind: Kind,
): Promise<Shown<Kind>> => {
  const answer = await cloud.invoke('look', input, LookOutput);
  if (answer.kind === 'refused') throw new Problem(answer.says, { is: 'unknown' });
  if (answer.kind !== kind)
    throw new Problem(`Look answered ${answer.kind}`, { is: 'unavailable' });
  return answer as Shown<Kind>;
};

export const lookAtIncident = (
  context: Pick<Context, 'cloud'>,
  named: LookInput,
): Promise<IncidentDocument> => look(context, named, 'incident');

/** One document for programs, or a page for people. */
export const show = <Document>(
  { json, terminal }: Pick<Context, 'json' | 'terminal'>,
  document: Document,
  page: (document: Document, terminal: Terminal) => string,
): void => terminal.print(json ? JSON.stringify(document) : page(document, terminal));
