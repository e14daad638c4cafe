import type { EventLog } from './execution.ts';

/** One event of GetExecutionHistory; `timestamp` in epoch seconds, as the JSON protocol has it. */
export interface HistoryEvent {
  id: number;
  previousEventId: number;
  timestamp: number;
  type: string;
  [details: string]: unknown;
}

const failed = (event: { Error: string; Cause: unknown }): { error: string; cause: string } => ({
  error: event.Error,
  cause: typeof event.Cause === 'string' ? event.Cause : String(event.Cause),
});

/** The engine's log entry in Step Functions' words; undefined for what AWS does not list. */
const translate = (
  event: EventLog,
  redrives: number,
): { type: string; [details: string]: unknown } | undefined => {
  switch (event.type) {
    case 'ExecutionStarted':
      if (redrives > 0) {
        const details = { redriveCount: redrives };
        return { type: 'ExecutionRedriven', executionRedrivenEventDetails: details };
      }
      return {
        type: 'ExecutionStarted',
        executionStartedEventDetails: { input: JSON.stringify(event.input) },
      };
    case 'ExecutionSucceeded':
      return {
        type: 'ExecutionSucceeded',
        executionSucceededEventDetails: { output: JSON.stringify(event.output) },
      };
    case 'ExecutionFailed':
      return { type: 'ExecutionFailed', executionFailedEventDetails: failed(event) };
    case 'ExecutionAborted':
      return { type: 'ExecutionAborted' };
    case 'ExecutionTimeout':
      return { type: 'ExecutionTimedOut' };
    case 'StateEntered':
      return {
        type: `${event.state.type}StateEntered`,
        stateEnteredEventDetails: {
          name: event.state.name,
          input: JSON.stringify(event.state.input),
        },
      };
    case 'StateExited':
      return {
        type: `${event.state.type}StateExited`,
        stateExitedEventDetails: {
          name: event.state.name,
          output: JSON.stringify(event.state.output),
        },
      };
    case 'StateFailed':
      if (event.state.type !== 'Task') return undefined;
      return event.Error === 'States.Timeout'
        ? { type: 'LambdaFunctionTimedOut', lambdaFunctionTimedOutEventDetails: failed(event) }
        : { type: 'LambdaFunctionFailed', lambdaFunctionFailedEventDetails: failed(event) };
    case 'MapIterationStarted':
    case 'MapIterationSucceeded':
    case 'MapIterationFailed': {
      const key = `m${event.type.slice(1)}EventDetails`;
      return { type: event.type, [key]: { name: event.parentState.name, index: event.index } };
    }
    default:
      return undefined;
  }
};

/** The history of an execution as GetExecutionHistory lists it, oldest first. */
export const historyOf = (log: readonly EventLog[]): HistoryEvent[] => {
  let starts = 0;
  return log
    .flatMap((event) => {
      if (event.type === 'ExecutionStarted') starts += 1;
      const translated = translate(event, starts - 1);
      return translated ? [{ timestamp: event.timestamp / 1000, ...translated }] : [];
    })
    .map((event, index) => ({ id: index + 1, previousEventId: index, ...event }));
};
