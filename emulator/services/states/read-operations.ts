import type { Caller } from '../../core/wire.ts';
import { type JsonInput, type Operation, optionalText } from '../json-protocol.ts';
import type { Execution, Machine } from './execution.ts';
import { historyOf } from './history.ts';

const PAGE_SIZE = 100;

const seconds = (epochMs: number): number => epochMs / 1000;

const paged = <T>(items: readonly T[], input: JsonInput): { page: T[]; nextToken?: string } => {
  const from = Number(input.nextToken ?? 0);
  const to = from + Number(input.maxResults || PAGE_SIZE);
  const page = items.slice(from, to);
  return to < items.length ? { page, nextToken: String(to) } : { page };
};

const describeExecution = (execution: Execution): object => ({
  executionArn: execution.arn,
  stateMachineArn: execution.machine.arn,
  name: execution.name,
  status: execution.status,
  startDate: seconds(execution.startedAt),
  ...(execution.stoppedAt === undefined ? {} : { stopDate: seconds(execution.stoppedAt) }),
  redriveCount: execution.redrives,
});

const describeMachine = ({ arn, name, createdAt }: Machine): object => ({
  stateMachineArn: arn,
  name,
  type: 'STANDARD',
  creationDate: seconds(createdAt),
});

/** The operations of Step Functions that change nothing. */
export const createReadOperations = (deps: {
  machines: readonly Machine[];
  executions: ReadonlyMap<string, Execution>;
  machineFor: (input: JsonInput, action: string, caller: Caller) => Machine;
  executionFor: (input: JsonInput, action: string, caller: Caller) => Execution;
}): Record<string, Operation> => ({
  DescribeExecution: (input, caller) => {
    const execution = deps.executionFor(input, 'DescribeExecution', caller);
    const { input: given, output, error, cause } = execution;
    return { ...describeExecution(execution), input: given, output, error, cause };
  },
  ListExecutions: (input, caller) => {
    const machine = deps.machineFor(input, 'ListExecutions', caller);
    const status = optionalText(input, 'statusFilter');
    const wanted = [...deps.executions.values()].filter(
      (execution) => execution.machine === machine && (!status || execution.status === status),
    );
    const { page, ...rest } = paged(wanted.reverse(), input);
    return { executions: page.map(describeExecution), ...rest };
  },
  GetExecutionHistory: (input, caller) => {
    const execution = deps.executionFor(input, 'GetExecutionHistory', caller);
    const events = historyOf(execution.history);
    const { page, ...rest } = paged(input.reverseOrder ? events.reverse() : events, input);
    return { events: page, ...rest };
  },
  DescribeStateMachine: (input, caller) => {
    const machine = deps.machineFor(input, 'DescribeStateMachine', caller);
    const { roleArn, definition } = machine;
    const text = JSON.stringify(definition);
    return { ...describeMachine(machine), status: 'ACTIVE', roleArn, definition: text };
  },
  ListStateMachines: () => ({ stateMachines: deps.machines.map(describeMachine) }),
});
