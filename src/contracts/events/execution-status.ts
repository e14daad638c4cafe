import * as z from 'zod';
import { type InstanceId, isInstanceId } from '../../domain/ids.ts';
import { problemOf } from '../problem.ts';
import { type EventParser, ignored, refused, Text } from './event.ts';

const Execution = z.object({
  executionArn: Text,
  name: Text,
  status: Text,
  input: z.string().nullish(),
});

const Input = z.object({ instanceId: z.string() });

/** Names that the ledger allocated say which instance it is about; a person's input does. */
const ourName = /^fo-(i-[0-9a-f]+)-\d+-\d+$/;

const instanceIn = (input: string | null | undefined): string | undefined => {
  try {
    return Input.safeParse(JSON.parse(input ?? '{}')).data?.instanceId;
  } catch {
    return undefined;
  }
};

const instanceOf = ({ input, name }: z.infer<typeof Execution>): InstanceId | undefined => {
  const text = ourName.exec(name)?.[1] ?? instanceIn(input) ?? '';
  return isInstanceId(text) ? text : undefined;
};

/**
 * How an execution of ours stands. Only that a person has aborted one leads to anything: an invocation
 * of it may still be under way, and must change nothing more.
 */
export const parseExecutionStatus: EventParser = (event) => {
  const parsed = Execution.safeParse(event.detail);
  if (!parsed.success) return refused(`malformed execution status: ${problemOf(parsed.error)}`);
  const { executionArn, status } = parsed.data;
  if (status !== 'ABORTED') {
    return ignored(
      'the sweep resumes what an execution left, a minute after its last sign of life',
    );
  }
  const instanceId = instanceOf(parsed.data);
  if (instanceId === undefined) return ignored('the aborted execution was about no instance');
  return { kind: 'aborted', instanceId, executionArn };
};
