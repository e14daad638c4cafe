import { CloudUnavailableError } from '../../domain/errors.ts';
import type { Receipt } from '../../ports/compute.ts';
import type { AwsFailure } from './error-taxonomy.ts';
import { cloudErrorOf, failureOf } from './error-taxonomy.ts';

/** Turns a failure that the caller expects into a value; undefined leaves it to be thrown. */
export type AnswerTo<Answer> = (failure: AwsFailure) => Answer | undefined;

const run = async <Output, Answer>(
  call: () => Promise<Output>,
  answerTo: AnswerTo<Answer>,
  errorOf: (failure: AwsFailure) => Error,
): Promise<Output | Answer> => {
  try {
    return await call();
  } catch (error) {
    const failure = failureOf(error);
    const answer = answerTo(failure);
    if (answer !== undefined) return answer;
    throw errorOf(failure);
  }
};

/** Runs a call that changes nothing. Throws the domain's errors, never CloudAmbiguousError. */
export const reading = <Output, Answer = never>(
  operation: string,
  call: () => Promise<Output>,
  answerTo: AnswerTo<Answer> = () => undefined,
): Promise<Output | Answer> =>
  run(call, answerTo, (failure) => cloudErrorOf(failure, operation, false));

/** Runs a call that changes something. Throws the domain's errors. */
export const changing = <Output, Answer = never>(
  operation: string,
  call: () => Promise<Output>,
  answerTo: AnswerTo<Answer> = () => undefined,
): Promise<Output | Answer> =>
  run(call, answerTo, (failure) => cloudErrorOf(failure, operation, true));

/** The acceptance of a change, with AWS's request id for the audit. */
export const receiptOf = (output: {
  readonly $metadata: { readonly requestId?: string | undefined };
}): Receipt => {
  const { requestId } = output.$metadata;
  return requestId === undefined ? {} : { requestId };
};

/** More pages than any cluster has: beyond this something is wrong, and half a list is no list. */
export const pagesMax = 50;

/** Walks `NextToken`. Throws CloudUnavailableError rather than answer a part of the list. */
export const allPages = async <Page extends { readonly NextToken?: string | undefined }>(
  operation: string,
  fetchPage: (nextToken: string | undefined) => Promise<Page>,
): Promise<Page[]> => {
  const pages: Page[] = [];
  let nextToken: string | undefined;
  for (let count = 0; count < pagesMax; count += 1) {
    const page = await reading(operation, () => fetchPage(nextToken));
    pages.push(page);
    nextToken = page.NextToken;
    // Some answers end with an empty token instead of none.
    if (nextToken === undefined || nextToken === '') return pages;
  }
  throw new CloudUnavailableError(operation, `more than ${pagesMax} pages`);
};
