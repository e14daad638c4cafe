import type { IncidentMode } from '../domain/incident.ts';

export type ExecutionStatus =
  | 'RUNNING'
  | 'SUCCEEDED'
  | 'FAILED'
  | 'TIMED_OUT'
  | 'ABORTED'
  | 'PENDING_REDRIVE'
  /** Step Functions knows no such execution. */
  | 'UNKNOWN';

/** Starts and looks at executions of the two workflows. */
export interface Workflow {
  /** The name is allocated in the ledger first. Answers the ARN, also if it was started before. */
  start(
    mode: IncidentMode,
    name: string,
    input: Readonly<Record<string, string | number | boolean>>,
  ): Promise<string>;
  status(executionArn: string): Promise<ExecutionStatus>;
  /** Lets the execution that waits with this token go on; `late`: none does any more. */
  answer(taskToken: string): Promise<'accepted' | 'late'>;
  /** The ARN an execution of this name has in that workflow. */
  arnOf(mode: IncidentMode, name: string): string;
}

/** Other functions of this deployment. */
export interface Functions {
  /** Wakes cold functions while something else runs; failures change nothing and are counted. */
  warm(): Promise<void>;
}

/** Runs adopt: the only right to create the cluster tag is there. */
export interface Adoption {
  request(): Promise<void>;
}
