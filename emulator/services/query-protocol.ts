import type { WireRequest, WireResponse } from '../core/wire.ts';

/**
 * The AWS query protocols: `ec2` (EC2) and `awsQuery` (Auto Scaling). Requests are flat form
 * fields with 1-based list indices, answers are XML. Shapes: AWS "Query requests for Amazon EC2".
 */

/** A request the service refuses; `code` is what clients see as the error's name. */
export class QueryRefusal extends Error {
  override readonly name = 'QueryRefusal';
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** Typed access to the flat fields of one request, or of one list entry of it. */
export interface QueryParams {
  text(name: string): string | undefined;
  /** Throws `MissingParameter` when absent. */
  required(name: string): string;
  /** Throws `InvalidParameterValue` unless `true` or `false`, in any case. */
  flag(name: string): boolean | undefined;
  /** Throws `InvalidParameterValue` unless a whole number. */
  integer(name: string): number | undefined;
  /** `Name.1`, `Name.2`, ... or `Name.member.1`, ..., in order of their index. */
  list(name: string): string[];
  /** `Name.1.X`, `Name.2.X`: one set of fields for each index. */
  groups(name: string): QueryParams[];
  /** The fields below `Name.`. */
  sub(name: string): QueryParams;
  /** All fields as they came, for logs. */
  raw(): Record<string, string>;
}

const paramsOf = (fields: ReadonlyMap<string, string>): QueryParams => {
  const below = (name: string): Map<string, string> => {
    const out = new Map<string, string>();
    for (const [key, value] of fields) {
      if (key.startsWith(`${name}.`)) out.set(key.slice(name.length + 1), value);
    }
    return out;
  };
  /** Index -> the fields below it; the field itself, if it is a plain value, under ''. */
  const indexed = (name: string): Map<string, string>[] => {
    const byIndex = new Map<number, Map<string, string>>();
    for (const [key, value] of below(name)) {
      const match = /^(?:member\.)?(\d+)(?:\.(.+))?$/.exec(key);
      if (match === null) continue;
      const index = Number(match[1]);
      const entry = byIndex.get(index) ?? new Map<string, string>();
      byIndex.set(index, entry.set(match[2] ?? '', value));
    }
    return [...byIndex].sort(([a], [b]) => a - b).map(([, entry]) => entry);
  };
  const invalid = (name: string, value: string, expected: string): QueryRefusal =>
    new QueryRefusal(
      'InvalidParameterValue',
      `Invalid value '${value}' for ${name}. Expected ${expected}.`,
    );
  return {
    text: (name) => fields.get(name),
    required(name) {
      const value = fields.get(name);
      if (value !== undefined && value !== '') return value;
      const message = `The request must contain the parameter ${name}`;
      throw new QueryRefusal('MissingParameter', message);
    },
    flag(name) {
      const value = fields.get(name);
      if (value === undefined) return undefined;
      if (!/^(true|false)$/i.test(value)) throw invalid(name, value, 'true or false');
      return value.toLowerCase() === 'true';
    },
    integer(name) {
      const value = fields.get(name);
      if (value === undefined) return undefined;
      if (!/^-?\d+$/.test(value)) throw invalid(name, value, 'a whole number');
      return Number(value);
    },
    list: (name) => indexed(name).flatMap((entry) => entry.get('') ?? []),
    groups: (name) => indexed(name).map(paramsOf),
    sub: (name) => paramsOf(below(name)),
    raw: () => Object.fromEntries(fields),
  };
};

export interface QueryRequest {
  /** Empty when the request names none. */
  action: string;
  params: QueryParams;
}

/** Reads the form body of a POST, or the query string of a GET. */
export const parseQuery = (request: WireRequest): QueryRequest => {
  const source = request.method === 'GET' ? new URL(request.url).search : request.body;
  const fields = new Map(new URLSearchParams(source));
  const action = fields.get('Action') ?? '';
  for (const name of ['Action', 'Version']) fields.delete(name);
  return { action, params: paramsOf(fields) };
};

/** An answer's content: `undefined` is left out, a list becomes repeated `item`/`member`. */
export type Xml = string | number | boolean | undefined | readonly Xml[] | XmlElement;
export interface XmlElement {
  readonly [name: string]: Xml;
}

const ENTITIES: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};

const escapeText = (text: string): string =>
  text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? character);

const isList = (value: Xml): value is readonly Xml[] => Array.isArray(value);

const element = (name: string, value: Xml, itemName: string, attributes = ''): string => {
  if (value === undefined) return '';
  let content: string;
  if (isList(value)) {
    content = value.map((item) => element(itemName, item, itemName)).join('');
  } else if (typeof value === 'object') {
    const children = Object.entries(value);
    content = children.map(([child, inner]) => element(child, inner, itemName)).join('');
  } else {
    content = escapeText(String(value));
  }
  return content === '' ? `<${name}${attributes}/>` : `<${name}${attributes}>${content}</${name}>`;
};

const xmlResponse = (status: number, requestId: string, root: string): WireResponse => ({
  status,
  headers: { 'content-type': 'text/xml;charset=UTF-8', 'x-amzn-requestid': requestId },
  body: `<?xml version="1.0" encoding="UTF-8"?>\n${root}`,
});

/** `ec2`: `<requestId>` first, members directly below the root, lists as `item`. */
export const ec2Answer = (action: string, requestId: string, result: XmlElement): WireResponse => {
  const xmlns = ' xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"';
  const root = element(`${action}Response`, { requestId, ...result }, 'item', xmlns);
  return xmlResponse(200, requestId, root);
};

/** `ec2` errors spell `RequestID` with a capital D, unlike successes. */
export const ec2Error = (
  status: number,
  requestId: string,
  error: { code: string; message: string },
): WireResponse => {
  const content = { Errors: { Error: { Code: error.code, Message: error.message } } };
  const root = element('Response', { ...content, RequestID: requestId }, 'item');
  return xmlResponse(status, requestId, root);
};

/** `awsQuery`: a result wrapper, lists as `member`, the request id in the metadata. */
export const queryAnswer = (
  namespace: string,
  action: string,
  requestId: string,
  result: XmlElement,
): WireResponse => {
  const content = {
    [`${action}Result`]: result,
    ResponseMetadata: { RequestId: requestId },
  };
  const root = element(`${action}Response`, content, 'member', ` xmlns="${namespace}"`);
  return xmlResponse(200, requestId, root);
};

export const queryError = (
  namespace: string,
  status: number,
  requestId: string,
  error: { code: string; message: string },
): WireResponse => {
  const type = status >= 500 ? 'Receiver' : 'Sender';
  const content = { Error: { Type: type, Code: error.code, Message: error.message } };
  const root = element(
    'ErrorResponse',
    { ...content, RequestId: requestId },
    'member',
    ` xmlns="${namespace}"`,
  );
  return xmlResponse(status, requestId, root);
};
