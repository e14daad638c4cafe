import { isObject, JsonRefusal } from '../json-protocol.ts';
import { canonicalNumber, compareNumbers, NumberRefusal } from './decimal.ts';

/** The types of the document model. Binary and sets are not known here: nobody writes them. */
export type AttributeValue =
  | { readonly S: string }
  | { readonly N: string }
  | { readonly BOOL: boolean }
  | { readonly NULL: true }
  | { readonly L: readonly AttributeValue[] }
  | { readonly M: Item };

/** An item, or a map in one. Never changed in place: an update makes a new one. */
export interface Item {
  readonly [attribute: string]: AttributeValue;
}

export type TypeName = 'S' | 'N' | 'BOOL' | 'NULL' | 'L' | 'M';

/** The request breaks a rule of DynamoDB, or asks for what these tables do not know. */
export const invalid = (message: string): JsonRefusal =>
  new JsonRefusal('com.amazon.coral.validate#ValidationException', message);

/** The JSON itself has another shape than the protocol. */
export const unreadable = (message: string): JsonRefusal =>
  new JsonRefusal('com.amazon.coral.service#SerializationException', message);

const TYPES: readonly string[] = ['S', 'N', 'BOOL', 'NULL', 'L', 'M'];
const FOREIGN_TYPES: readonly string[] = ['B', 'SS', 'NS', 'BS'];

export const typeOf = (value: AttributeValue): TypeName => Object.keys(value)[0] as TypeName;

const readNumber = (text: unknown): AttributeValue => {
  if (typeof text !== 'string') throw unreadable('N is not a string');
  try {
    return { N: canonicalNumber(text) };
  } catch (error) {
    if (error instanceof NumberRefusal) throw invalid(error.message);
    throw error;
  }
};

const readOne = (type: string, content: unknown): AttributeValue => {
  if (type === 'N') return readNumber(content);
  if (type === 'S' && typeof content === 'string') return { S: content };
  if (type === 'BOOL' && typeof content === 'boolean') return { BOOL: content };
  if (type === 'NULL' && content === true) return { NULL: true };
  if (type === 'NULL' && content === false) {
    throw invalid(
      'One or more parameter values were invalid: ' +
        'Null attribute value types must have the value of true',
    );
  }
  if (type === 'L' && Array.isArray(content)) return { L: content.map(readValue) };
  if (type === 'M' && isObject(content)) return { M: readItem(content) };
  throw unreadable(`${type} holds something else`);
};

/** From the wire, with numbers in their one form. Throws DynamoDB's refusals. */
export const readValue = (input: unknown): AttributeValue => {
  if (!isObject(input)) throw unreadable('an attribute value is not a structure');
  const [type, ...others] = Object.keys(input);
  if (type !== undefined && FOREIGN_TYPES.includes(type)) {
    throw invalid(`attribute values of type ${type} are not known to these tables`);
  }
  if (type === undefined || !TYPES.includes(type)) {
    throw invalid(
      'Supplied AttributeValue is empty, must contain exactly one of the supported datatypes',
    );
  }
  const value = readOne(type, input[type]);
  if (others.length === 0) return value;
  throw invalid(
    'Supplied AttributeValue has more than one datatypes set, ' +
      'must contain exactly one of the supported datatypes',
  );
};

export const readItem = (input: unknown): Item => {
  if (!isObject(input)) throw unreadable('an item is not a structure');
  const item: Record<string, AttributeValue> = {};
  for (const name in input) item[name] = readValue(input[name]);
  return item;
};

/** By the bytes of their UTF-8, which is how DynamoDB sorts text. */
export const compareText = (a: string, b: string): number =>
  Buffer.compare(Buffer.from(a), Buffer.from(b));

/** The order of two values; undefined when they have none, being of different or unordered types. */
export const compareValues = (a: AttributeValue, b: AttributeValue): number | undefined => {
  if ('N' in a && 'N' in b) return compareNumbers(a.N, b.N);
  if ('S' in a && 'S' in b) return compareText(a.S, b.S);
  return undefined;
};

/** Same type and same content, however deep; the order of a map's members does not count. */
export const sameValue = (a: AttributeValue, b: AttributeValue): boolean => {
  if ('M' in a && 'M' in b) {
    const names = Object.keys(a.M);
    return (
      names.length === Object.keys(b.M).length &&
      names.every((name) => {
        const [left, right] = [a.M[name], b.M[name]];
        return left !== undefined && right !== undefined && sameValue(left, right);
      })
    );
  }
  if ('L' in a && 'L' in b) {
    const { L: others } = b;
    return (
      a.L.length === others.length &&
      a.L.every((value, index) => {
        const other = others[index];
        return other !== undefined && sameValue(value, other);
      })
    );
  }
  const type = typeOf(a);
  return type === typeOf(b) && Object.values(a)[0] === Object.values(b)[0];
};

const sizeOfValue = (value: AttributeValue): number => {
  if ('S' in value) return Buffer.byteLength(value.S);
  if ('N' in value) return 1 + Math.ceil(value.N.replaceAll(/[-.]/g, '').length / 2);
  if ('L' in value) return value.L.reduce((sum, one) => sum + 1 + sizeOfValue(one), 3);
  if ('M' in value) return 3 + Object.keys(value.M).length + sizeOfItem(value.M);
  return 1;
};

/** Bytes, about: Developer Guide, "DynamoDB item sizes and formats". */
export const sizeOfItem = (item: Item): number =>
  Object.entries(item).reduce(
    (sum, [name, value]) => sum + Buffer.byteLength(name) + sizeOfValue(value),
    0,
  );
