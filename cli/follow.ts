import * as z from 'zod';
import type { IncidentDocument } from '../src/contracts/incident-document.ts';
import type { Execution } from './cloud.ts';
import { type Context, lookAtIncident } from './context.ts';
import { Problem } from './problem.ts';
import { momentLine } from './views/incident.ts';

/** How an execution that was started by hand has ended. */
export interface Ended {
  readonly executionArn: string;
  readonly status: string;
  readonly says: string;
  readonly incident?: IncidentDocument;
}

/** An execution's output, as far as it tells what became of it. */
const Output = z.looseObject({
  incidentId: z.string().optional(),
  status: z.string().optional(),
  summary: z.string().optional(),
  says: z.string().optional(),
});

const lookEveryMs = 1_500;
const overStates = ['recovered', 'cancelled'];

/** Lambda's account of a failed step is JSON; people want the sentence in it. */
const sentenceIn = (cause: string): string => {
  try {
    const parsed: unknown = JSON.parse(cause);
    return z.looseObject({ errorMessage: z.string() }).parse(parsed).errorMessage;
  } catch {
    return cause;
  }
};

/** What an execution that failed has to say, as the command's own end. */
export const failureOf = ({ cause = '', error = '', status }: Execution): Problem => {
  const says = sentenceIn(cause) || status.toLowerCase();
  if (error === 'ParseError') return new Problem(says, { is: 'usage' });
  if (error === 'SignalRefusedError') return new Problem(`refused: ${says}`, { is: 'refused' });
  return new Problem(`the execution failed: ${[error, says].filter(Boolean).join(': ')}`, {
    is: 'unavailable',
  });
};

/** Prints each moment of the timeline once; a call when its outcome is known. */
const teller = ({ terminal }: Context): ((incident: IncidentDocument) => void) => {
  const told = new Set<string>();
  return ({ timeline }) => {
    for (const moment of timeline) {
      if (moment.says.endsWith('no outcome is on record')) continue;
      const key = `${moment.at} ${moment.says}`;
      if (told.has(key)) continue;
      told.add(key);
      terminal.tell(momentLine(moment, terminal));
    }
  };
};

/** The incident's document, once there is one: it is opened by the first step. */
const readIncident = async (
  context: Context,
  instanceId: string,
): Promise<IncidentDocument | undefined> => {
  try {
    return await lookAtIncident(context, { view: 'incidentOf', instanceId } as Parameters<
      typeof lookAtIncident
    >[1]);
  } catch (error) {
    if (error instanceof Problem && error.exitCode === 3) return undefined;
    throw error;
  }
};

const isOurs = (incident: IncidentDocument, executionArn: string): boolean =>
  incident.execution.arn === executionArn;

const endOf = (
  executionArn: string,
  output: z.infer<typeof Output>,
  incident: IncidentDocument | undefined,
): Ended | undefined => {
  if (output.status !== undefined) {
    const says = output.summary ?? output.says ?? output.status;
    return { executionArn, status: output.status, says, ...(incident && { incident }) };
  }
  // Another execution has the incident: its record tells how it goes on.
  if (
    incident === undefined ||
    !(overStates.includes(incident.status) || incident.status === 'held')
  )
    return undefined;
  return { executionArn, status: incident.status, says: incident.summary, incident };
};

/**
 * Waits until the work on the instance has ended, telling what happens as it goes. An execution that
 * joined another's incident, or handed its own over, is followed there.
 */
export const follow = async (
  context: Context,
  executionArn: string,
  instanceId: string,
): Promise<Ended> => {
  const tell = teller(context);
  // Ends with the work, which has limits of its own, or with whoever watches.
  for (;;) {
    const execution = await context.cloud.execution(executionArn);
    const incident = await readIncident(context, instanceId);
    const isRunning = execution.status === 'RUNNING';
    // Before the first step there is only the record of an earlier incident.
    const isShown = incident !== undefined && (!isRunning || isOurs(incident, executionArn));
    if (isShown) tell(incident);
    if (!isRunning) {
      if (execution.status !== 'SUCCEEDED') throw failureOf(execution);
      const output = Output.safeParse(execution.output).data ?? {};
      const ended = endOf(executionArn, output, incident);
      if (ended !== undefined) return ended;
    }
    await context.sleep(lookEveryMs);
  }
};
