import {
  type AttributeValue,
  type Item,
  invalid,
  type TypeName,
  typeOf,
} from './attribute-value.ts';
import { isReserved } from './reserved-words.ts';

/** Names of nested maps, outermost first. */
export type Path = readonly string[];

export type Operand =
  | { readonly kind: 'path'; readonly path: Path }
  | { readonly kind: 'value'; readonly value: AttributeValue }
  | { readonly kind: 'size'; readonly path: Path };

/** The request's own words: what its `#names` and `:values` stand for, and which were used. */
export interface Aliases {
  readonly names: Readonly<Record<string, string>>;
  readonly values: Item;
  readonly used: Set<string>;
}

/** A read-ahead of one token over an expression, with the parts that all expressions share. */
export interface Reader {
  /** The next token, `''` at the end. */
  peek(): string;
  take(): string;
  /** Takes the next token if it is this one; keywords in any case. */
  takeIf(token: string): boolean;
  expect(token: string): void;
  /** The next token is none that may stand here. */
  unexpected(): never;
  path(): Path;
  value(): AttributeValue;
  /** A path, a value or `size(path)`. */
  operand(): Operand;
  /** One or more of them, with commas between. */
  list<T>(one: () => T): T[];
  refuse(message: string): never;
}

/** Alias, placeholder, word, comparator, punctuation, or anything else as a token to choke on. */
const TOKEN = /\s*(#\w+|:\w+|[A-Za-z_]\w*|<>|<=|>=|[\s\S])/y;

const KEYWORD = /^(and|or|not|in|between)$/i;

const tokensOf = (source: string): string[] => {
  const text = source.trimEnd();
  const tokens: string[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.length) tokens.push(TOKEN.exec(text)?.[1] ?? '');
  return tokens;
};

const wrongOperand = (operator: string, type: TypeName): string =>
  'Incorrect operand type for operator or function; ' +
  `operator or function: ${operator}, operand type: ${type}`;

/** A literal of a type that the operator can never take is refused before any item is looked at. */
export const checkOperandType = (
  reader: Reader,
  operator: string,
  operand: Operand,
  allowed: readonly TypeName[],
): void => {
  if (operand.kind !== 'value') return;
  const type = typeOf(operand.value);
  if (!allowed.includes(type)) reader.refuse(wrongOperand(operator, type));
};

/** `member` names the request's member in refusals: `ConditionExpression`. */
export const createReader = (member: string, source: string, aliases: Aliases): Reader => {
  const tokens = tokensOf(source);
  let next = 0;
  const refuse = (message: string): never => {
    throw invalid(`Invalid ${member}: ${message}`);
  };
  if (tokens.length === 0) refuse('The expression can not be empty;');
  const peek = (): string => tokens[next] ?? '';
  const take = (): string => tokens[next++] ?? '';
  const unexpected = (): never => {
    const near = tokens.slice(Math.max(0, next - 1), next + 2).join(' ');
    return refuse(`Syntax error; token: "${peek() || '<EOF>'}", near: "${near}"`);
  };
  const takeIf = (token: string): boolean => {
    if (peek().toUpperCase() !== token.toUpperCase()) return false;
    next += 1;
    return true;
  };
  const expect = (token: string): void => {
    if (!takeIf(token)) unexpected();
  };
  const name = (): string => {
    const token = peek();
    if (!/^(#|[A-Za-z_])\w*$/.test(token) || KEYWORD.test(token)) return unexpected();
    next += 1;
    if (!token.startsWith('#')) {
      if (!isReserved(token)) return token;
      return refuse(`Attribute name is a reserved keyword; reserved keyword: ${token}`);
    }
    aliases.used.add(token);
    const undefinedName =
      'An expression attribute name used in the document path is not defined; ' +
      `attribute name: ${token}`;
    return aliases.names[token] ?? refuse(undefinedName);
  };
  const path = (): Path => {
    const parts = [name()];
    while (takeIf('.')) parts.push(name());
    if (peek() === '[') refuse('positions in lists are not known to these tables');
    return parts;
  };
  const value = (): AttributeValue => {
    const token = peek();
    if (!/^:\w/.test(token)) return unexpected();
    next += 1;
    aliases.used.add(token);
    const undefinedValue =
      'An expression attribute value used in expression is not defined; ' +
      `attribute value: ${token}`;
    return aliases.values[token] ?? refuse(undefinedValue);
  };
  return {
    peek,
    take,
    takeIf,
    expect,
    unexpected,
    path,
    value,
    operand: () => {
      if (peek().startsWith(':')) return { kind: 'value', value: value() };
      if (peek() !== 'size' || tokens[next + 1] !== '(') return { kind: 'path', path: path() };
      next += 2;
      const measured = path();
      expect(')');
      return { kind: 'size', path: measured };
    },
    list: (one) => {
      const all = [one()];
      while (takeIf(',')) all.push(one());
      return all;
    },
    refuse,
  };
};
