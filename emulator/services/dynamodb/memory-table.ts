import type { Resource } from '../../infra.ts';
import {
  type AttributeValue,
  compareText,
  type Item,
  invalid,
  sizeOfItem,
  typeOf,
} from './attribute-value.ts';

/** One item through time, oldest first. */
type Versions = { at: number; item: Item | undefined }[];

export interface MemoryTable {
  readonly name: string;
  /** Attribute names of the primary key, hash before range. */
  readonly keyNames: readonly string[];
  /** The key of an item or of a request's `Key`. Throws ValidationException. */
  keyOf(item: Item, from: 'item' | 'key'): Item;
  /** As it is, or as it was at an earlier time: what a read that is not consistent may see. */
  get(key: Item, at?: number): Item | undefined;
  /** Replaces or, with undefined, deletes. Throws ValidationException for what is too large. */
  set(key: Item, item: Item | undefined): void;
  /** The items under one hash key in the order of the range key. */
  partition(hash: string, at?: number): Item[];
  all(): Item[];
  /** How many of a partition's items, in this order, come up to and including the key. */
  countUpTo(items: readonly Item[], key: Item, forward: boolean): number;
}

/** A read that is not consistent sees no further back than this many writes of an item. */
const VERSIONS_MAX = 20;
const ITEM_BYTES_MAX = 400 * 1024;
const KEY_BYTES_MAX = [2048, 1024];
const TOO_LONG = [
  'Size of hashkey has exceeded the maximum size limit of2048 bytes',
  'Aggregated size of all range keys has exceeded the size limit of 1024 bytes',
];

const INVALID = 'One or more parameter values were invalid: ';

const keyNamesOf = ({ ref, properties }: Resource): string[] => {
  const { KeySchema, AttributeDefinitions } = properties;
  const types = AttributeDefinitions as { AttributeName: string; AttributeType: string }[];
  if (types.some(({ AttributeType }) => AttributeType !== 'S')) {
    throw new Error(`table ${ref}: only keys of type S are known to these tables`);
  }
  const names = (KeySchema as { AttributeName: string; KeyType: string }[])
    .toSorted((a, b) => (a.KeyType < b.KeyType ? -1 : 1))
    .map(({ AttributeName }) => AttributeName);
  if (names.length === 2) return names;
  throw new Error(`table ${ref}: only tables with a hash and a range key are known here`);
};

const textOf = (value: AttributeValue | undefined): string =>
  value !== undefined && 'S' in value ? value.S : '';

const readKeyPart = (item: Item, name: string, index: number, from: 'item' | 'key'): string => {
  const value = Object.hasOwn(item, name) ? item[name] : undefined;
  if (from === 'key' && (value === undefined || !('S' in value))) {
    throw invalid('The provided key element does not match the schema');
  }
  if (value === undefined) throw invalid(`${INVALID}Missing the key ${name} in the item`);
  if (!('S' in value)) {
    const found = `Type mismatch for key ${name} expected: S actual: ${typeOf(value)}`;
    throw invalid(INVALID + found);
  }
  if (value.S === '') {
    throw invalid(
      `${from === 'key' ? INVALID : 'One or more parameter values are not valid. '}` +
        `The AttributeValue for a key attribute cannot contain an empty string value. Key: ${name}`,
    );
  }
  if (Buffer.byteLength(value.S) > (KEY_BYTES_MAX[index] ?? 0)) {
    throw invalid(`${INVALID}${TOO_LONG[index]}`);
  }
  return value.S;
};

/** A table in plain memory. `now` dates the versions of its items, epoch ms. */
export const createMemoryTable = (resource: Resource, now: () => number): MemoryTable => {
  const name = resource.ref;
  const keyNames = keyNamesOf(resource);
  const [hashName = '', rangeName = ''] = keyNames;
  const partitions = new Map<string, Map<string, Versions>>();
  const current = (versions: Versions | undefined, at: number | undefined): Item | undefined =>
    at === undefined
      ? versions?.at(-1)?.item
      : (versions?.findLast((version) => version.at <= at) ?? versions?.[0])?.item;
  const partition = (hash: string, at?: number): Item[] =>
    [...(partitions.get(hash) ?? [])]
      .sort(([a], [b]) => compareText(a, b))
      .map(([, versions]) => current(versions, at))
      .filter((item) => item !== undefined);
  return {
    name,
    keyNames,
    keyOf: (item, from) => {
      if (from === 'key' && Object.keys(item).length !== keyNames.length) {
        throw invalid('The provided key element does not match the schema');
      }
      const [hash = '', range = ''] = keyNames.map((key, index) =>
        readKeyPart(item, key, index, from),
      );
      return { [hashName]: { S: hash }, [rangeName]: { S: range } };
    },
    get: (key, at) => {
      const versions = partitions.get(textOf(key[hashName]))?.get(textOf(key[rangeName]));
      return current(versions, at);
    },
    set: (key, item) => {
      if (item !== undefined && sizeOfItem(item) > ITEM_BYTES_MAX) {
        throw invalid('Item size has exceeded the maximum allowed size');
      }
      const hash = textOf(key[hashName]);
      const range = textOf(key[rangeName]);
      const items = partitions.get(hash) ?? new Map<string, Versions>();
      partitions.set(hash, items);
      const versions = items.get(range) ?? [{ at: Number.NEGATIVE_INFINITY, item: undefined }];
      items.set(range, versions);
      versions.push({ at: now(), item });
      if (versions.length > VERSIONS_MAX) versions.shift();
    },
    partition,
    countUpTo: (items, key, forward) => {
      const place = textOf(key[rangeName]);
      const isBeyond = (item: Item): boolean => {
        const order = compareText(textOf(item[rangeName]), place);
        return forward ? order > 0 : order < 0;
      };
      const index = items.findIndex(isBeyond);
      return index === -1 ? items.length : index;
    },
    all: () => [...partitions.keys()].flatMap((hash) => partition(hash)),
  };
};
