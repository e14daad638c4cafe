import type { Tone } from './scenes/story.ts';
import type { Ec2Call } from './services/ec2/faults.ts';
import { isObject, tryParse } from './services/json-protocol.ts';
import { allStates } from './services/states/definition.ts';
import type { Execution, Machine } from './services/states/execution.ts';
import type { World } from './world.ts';

/** One thing that happened, as a person reads it. */
export interface News {
  /** Epoch ms. */
  at: number;
  /** `event`, `workflow`, `function`, `call`, `ec2`, `mesos`, `marathon`, `slack`, `sns` or `queue`. */
  who: string;
  text: string;
  tone: Tone;
}

/** What has no listener of its own is looked at this often. */
const LOOK_MS = 200;

type Say = (who: string, text: string, tone?: Tone) => void;

const parsed = (text: string): Record<string, unknown> => {
  const value = tryParse(text)?.value;
  return isObject(value) ? value : {};
};

/** `ASIAFenceAgentRole` -> `FenceAgent`; agents sign as such, and everybody else is a person. */
const callerName = ({ caller }: Pick<Ec2Call, 'caller'>): string =>
  caller.accessKeyId === 'AGENT'
    ? 'REX-Ray'
    : (/^ASIA(.+)Role$/.exec(caller.accessKeyId)?.[1] ?? 'a person');

/** Lambda's account of a failed function is JSON; people want the sentence in it. */
const causeOf = (cause = ''): unknown => parsed(cause).errorMessage ?? cause;

const endOf = ({ status, output, error, cause }: Execution): string => {
  if (status !== 'SUCCEEDED') return [status, error, causeOf(cause)].filter(Boolean).join(': ');
  const { status: outcome, kind, says, summary } = parsed(output ?? '{}');
  return [outcome ?? kind ?? status, says ?? summary].filter(Boolean).join(': ');
};

/** The instance it is about: names given by people say nothing. */
const subjectOf = ({ input, name }: Execution): string => {
  const { instanceId } = parsed(input);
  return typeof instanceId === 'string' ? instanceId : `execution ${name}`;
};

/** Choices and waits only steer. */
const taskNames = ({ definition }: Machine): string[] =>
  allStates(definition)
    .filter(([, { Type }]) => Type === 'Task')
    .map(([name]) => name);

const followWorkflow = (world: World, say: Say): void => {
  /** With the state in which each was last seen: a loop of looks is one line. */
  const running = new Map<string, { subject: string; tasks: string[]; state?: string }>();
  world.states.onStatus((execution) => {
    const { arn, machine, status } = execution;
    const subject = subjectOf(execution);
    if (status === 'RUNNING') {
      running.set(arn, { subject, tasks: taskNames(machine) });
      say('workflow', `${subject} started`, 'strong');
      return;
    }
    running.delete(arn);
    const tone = status === 'SUCCEEDED' ? 'good' : 'bad';
    say('workflow', `${subject} ended: ${endOf(execution)}`, tone);
  });
  world.states.onTransition(({ kind, state, executionArn }) => {
    const seen = running.get(executionArn);
    if (kind !== 'StateEntered' || !seen || state === undefined || state === seen.state) return;
    if (!seen.tasks.includes(state)) return;
    seen.state = state;
    say('workflow', `${seen.subject} ${state}`);
  });
};

const followCluster = ({ dcos, ec2 }: World, say: Say): void => {
  // After the line of the call that causes it.
  ec2.onState((instanceId, state) => queueMicrotask(() => say('ec2', `${instanceId} is ${state}`)));
  dcos.onChange((change) => {
    if (change.kind === 'agent') say('mesos', `agent on ${change.instanceId} ${change.state}`);
    if (change.kind === 'healthy') {
      say('marathon', `${change.appId} is healthy on ${change.host}`, 'good');
    }
    if (change.kind === 'task') {
      const { appId, host, message, state } = change;
      const failed = state === 'TASK_FAILED';
      const why = failed ? `: ${message}` : '';
      say('marathon', `${appId} ${state} on ${host}${why}`, failed ? 'bad' : 'plain');
    }
  });
};

/** Every call that changes something in EC2, whoever makes it. */
const followCalls = ({ ec2 }: World, say: Say): void => {
  ec2.faults.onCall = (call: Ec2Call) => {
    if (call.api.startsWith('Describe')) return;
    const targets = Object.values(call.params).filter((value) =>
      /^(?:i|vol)-[0-9a-f]+$/.test(value),
    );
    // The hook runs before the call does; its outcome is known right after.
    queueMicrotask(() => {
      const refused = call.outcome === 'ok' ? '' : ` refused: ${call.outcome}`;
      const text = `${call.api} ${targets.join(' ')} by ${callerName(call)}${refused}`;
      say('call', text, refused ? 'bad' : 'strong');
    });
  };
};

/** Errors and warnings of the functions; the rest of the trace is not kept. */
const readTrace = ({ trace }: World, say: Say): void => {
  for (const { source, text, data } of trace.splice(0)) {
    if (text !== 'log' || typeof data !== 'string') continue;
    const { level, message, problem } = parsed(data);
    if (level !== 'ERROR' && level !== 'WARN') continue;
    const says = [source, message, problem].filter(Boolean).join(': ');
    say('function', says, level === 'ERROR' ? 'bad' : 'plain');
  }
};

/** Looks at the Slack channel; answers a function that tells what is new in it. */
const slackReader = ({ slack }: World, say: Say): (() => void) => {
  const known = new Map<string, string>();
  return () => {
    for (const { ts, text } of slack.messages()) {
      if (known.get(ts) === text) continue;
      say('slack', `${known.has(ts) ? '(updated) ' : ''}${text.split('\n')[0]}`, 'strong');
      known.set(ts, text);
    }
  };
};

const alertReader = ({ sns }: World, say: Say): (() => void) => {
  let told = 0;
  return () => {
    const all = sns.published();
    for (const { subject, topicArn } of all.slice(told)) {
      say('sns', subject ?? `a message to ${topicArn}`, 'strong');
    }
    told = all.length;
  };
};

const queueReader = ({ infra, sqs }: World, say: Say): (() => void) => {
  const queues = infra.ofType('AWS::SQS::Queue').map(({ arn, logicalId }) => ({ arn, logicalId }));
  const counts = new Map(queues.map(({ arn }) => [arn, 0]));
  return () => {
    for (const { arn, logicalId } of queues) {
      const now = sqs.messages(arn).length;
      if (now > (counts.get(arn) ?? 0)) say('queue', `${logicalId} holds ${now}`, 'bad');
      counts.set(arn, now);
    }
  };
};

/**
 * Tells what happens in a world from now on: signals, executions and their steps, every mutating
 * EC2 call with who made it, machines, agents and tasks, Slack messages, alerts, dead letters, errors
 * of functions. Takes the trace lines as it goes, so that a world that stays up does not keep them.
 */
export const follow = (world: World, tell: (news: News) => void): void => {
  const say: Say = (who, text, tone = 'plain') => tell({ at: world.time.now(), who, text, tone });
  followWorkflow(world, say);
  followCluster(world, say);
  followCalls(world, say);
  world.events.onDelivery(({ event, outcome, targetArn }) => {
    if (event.source.startsWith('ebs-failover')) return;
    const target = targetArn.slice(targetArn.lastIndexOf('-') + 1);
    const way = outcome === 'delivered' ? 'to' : outcome;
    say('event', `${event['detail-type']} ${way} ${target}`, 'dim');
  });
  // AWS's own events that nobody waits for are nobody's mistake.
  world.events.onUnheard(({ source, 'detail-type': detailType }) => {
    if (!source.startsWith('aws.')) say('event', `${source} ${detailType}: no rule matches`, 'bad');
  });
  const readSlack = slackReader(world, say);
  const readAlerts = alertReader(world, say);
  const readQueues = queueReader(world, say);
  const look = (): void => {
    readTrace(world, say);
    readSlack();
    readAlerts();
    readQueues();
    world.time.after(LOOK_MS, look);
  };
  look();
};
