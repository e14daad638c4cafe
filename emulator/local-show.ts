import pc from 'picocolors';
import type { News } from './local-news.ts';
import type { Local } from './local-server.ts';
import type { Stage } from './scenes/stage.ts';
import type { Tone } from './scenes/story.ts';

/** A terminal has at least this many columns. */
const COLUMNS = 80;
/** `18:04:05  workflow  `: the time and who it is about. */
const INDENT = 20;

/** Colours only where a person sees them: a file or a pipe gets none, whatever else is set. */
const { bold, cyan, dim, green, red } = pc.createColors(
  process.stdout.isTTY === true && pc.isColorSupported,
);

const paint: Readonly<Record<Tone, (text: string) => string>> = {
  plain: (text) => text,
  bad: red,
  good: green,
  strong: bold,
  dim,
};

/** Breaks at spaces; a word longer than a line stays whole, so that it can be copied. */
const wrap = (text: string, width: number): string[] => {
  const lines: string[] = [];
  for (const word of text.split(/\s+/)) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width) {
      lines[lines.length - 1] = `${last} ${word}`;
    } else lines.push(word);
  }
  return lines;
};

/** `18:04:05  ec2       i-0123456789abcdef0 is stopping`; times are UTC, as in AWS. */
export const newsLine = ({ at, who, text, tone }: News): string => {
  const time = new Date(at).toISOString().slice(11, 19);
  const [first = '', ...rest] = wrap(text, COLUMNS - INDENT);
  return [
    `${dim(time)}  ${cyan(who.padEnd(8))}  ${paint[tone](first)}`,
    ...rest.map((more) => `${' '.repeat(INDENT)}${paint[tone](more)}`),
  ].join('\n');
};

/** What a person needs to talk to the cloud: variables, and three commands that can be pasted. */
export const welcome = (
  { world, endpoint }: Local,
  { app, agents, failing, zone }: Stage,
): string => {
  const { ref: machineArn } = world.infra.resource('FailoverStateMachine');
  const { ref: drainArn } = world.infra.resource('DrainStateMachine');
  const { ref: deadLetters } = world.infra.resource('IntakeDeadLetterQueue');
  const { instanceId, privateIp } = failing;
  const variables = {
    AWS_ENDPOINT_URL: endpoint,
    AWS_REGION: world.infra.region,
    // The AWS CLI 1 and boto3 read this one.
    AWS_DEFAULT_REGION: world.infra.region,
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
    DCOS_URL: endpoint,
    INSTANCE_ID: instanceId,
    STATE_MACHINE_ARN: machineArn,
    DRAIN_STATE_MACHINE_ARN: drainArn,
    DEAD_LETTERS: `${endpoint}${new URL(deadLetters).pathname}`,
  };
  const order = JSON.stringify({ instanceId, reason: 'drill' });
  return [
    bold(`The cloud is up on ${endpoint} (Ctrl-C ends it).`),
    `${agents.length} agents of DC/OS ${world.dcos.release.dcos} in ${zone};`,
    `${app.id} runs on ${instanceId} (${privateIp})`,
    `with ${app.volumeIds.join(', ')}.`,
    '',
    dim('# in another terminal'),
    ...Object.entries(variables).map(([name, value]) => `export ${name}=${value}`),
    '',
    dim('# the agents'),
    "aws ec2 describe-instances --output table --query \\\n  'Reservations[].Instances[].[InstanceId,State.Name,PrivateIpAddress]'",
    dim(`# move ${app.id} away from its agent, which is fenced`),
    `aws stepfunctions start-execution --state-machine-arn "$STATE_MACHINE_ARN" \\\n  --input '${order}'`,
    dim('# where it runs'),
    `curl -s "$DCOS_URL/service/marathon/v2/apps${app.id}/tasks"`,
    '',
  ].join('\n');
};
