import { uuid } from '../core/aws-event.ts';
import type { Rng } from '../core/random.ts';
import type { Caller, Service, WireResponse } from '../core/wire.ts';

/** A refusal in AWS's JSON protocols; clients see `code` as `error.name`. */
export class JsonRefusal extends Error {
  override readonly name = 'JsonRefusal';
  readonly code: string;
  readonly status: number;
  constructor(code: string, message: string, status = 400) {
    super(message);
    this.code = code;
    this.status = status;
  }
}

export type JsonInput = Readonly<Record<string, unknown>>;
export type Operation = (input: JsonInput, caller: Caller) => object | Promise<object>;

/** A required string member, as the service's own validation would insist. */
export const text = (input: JsonInput, member: string): string => {
  const value = input[member];
  if (typeof value === 'string' && value !== '') return value;
  throw new JsonRefusal(
    'ValidationException',
    `1 validation error detected: Value at '${member}' failed to satisfy constraint: ` +
      'Member must not be null',
  );
};

export const optionalText = (input: JsonInput, member: string): string | undefined => {
  const value = input[member];
  return typeof value === 'string' ? value : undefined;
};

/** The parsed text, wrapped so that a JSON null is told from no JSON at all. */
export const tryParse = (source: string): { value: unknown } | undefined => {
  try {
    return { value: JSON.parse(source) };
  } catch {
    return undefined;
  }
};

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const parseBody = (body: string): JsonInput => {
  const input = tryParse(body || '{}')?.value;
  if (isObject(input)) return input;
  throw new JsonRefusal('SerializationException', 'the body is not a JSON object');
};

/**
 * A service of the `awsJson1.0` or `1.1` protocol: POST /, `X-Amz-Target: <Prefix>.<Operation>`,
 * refusals as `{"__type","message"}` with status 400 unless said otherwise.
 */
export const createJsonService = (spec: {
  version: '1.0' | '1.1';
  rng: Rng;
  operations: Readonly<Record<string, Operation>>;
}): Service => {
  const answer = (status: number, body: object): WireResponse => ({
    status,
    headers: {
      'content-type': `application/x-amz-json-${spec.version}`,
      'x-amzn-requestid': uuid(spec.rng),
    },
    body: JSON.stringify(body),
  });
  const refuse = (error: unknown): WireResponse => {
    if (!(error instanceof JsonRefusal)) throw error;
    // SDKs read the error code from __type up to the last #, the query-era CLI from the header.
    const response = answer(error.status, { __type: error.code, message: error.message });
    response.headers['x-amzn-errortype'] = error.code;
    return response;
  };
  return {
    handle: (request, caller) => {
      const { 'x-amz-target': target = '' } = request.headers;
      const name = target.slice(target.lastIndexOf('.') + 1);
      try {
        const operation = spec.operations[name];
        if (!operation) throw new JsonRefusal('UnknownOperationException', '');
        const output = operation(parseBody(request.body), caller);
        if (!(output instanceof Promise)) return answer(200, output);
        return output.then((value) => answer(200, value), refuse);
      } catch (error) {
        return refuse(error);
      }
    },
  };
};
