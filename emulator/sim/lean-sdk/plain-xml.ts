import type { NormalizedSchema } from '@smithy/core/schema';

/**
 * Reads XML of elements and text alone, the way the query protocols of AWS write it, straight into
 * the shape of a schema. Everything else (attributes, comments, CDATA, mixed content, what is not
 * well-formed) is not read at all: whoever asks then takes the SDK's own reader, which costs thirty
 * times as much.
 */
export type XmlReader = (text: string, child?: string) => object | undefined;

/** Reads a value of the protocol's simple types other than text, numbers and flags. */
export type ScalarReader = (schema: NormalizedSchema, text: string) => unknown;

class NotPlain extends Error {
  override readonly name = 'NotPlain';
}

const notPlain = (): never => {
  throw new NotPlain('not an element of text or of elements alone');
};

/** Where the reading stands. */
interface Cursor {
  readonly text: string;
  at: number;
}

/** Reads the content of an element whose opening tag is behind the cursor, and its closing tag. */
type Read = (cursor: Cursor, tag: string) => unknown;

const ROOT = /^(?:<\?xml[^<>]*\?>)?\s*<([A-Za-z][\w.-]*)(?: xmlns="[^"<>&]*")?>/;
const NAME = /^[A-Za-z][\w.-]*$/;
const ENTITIES: Readonly<Record<string, string>> = {
  '&amp;': '&',
  '&lt;': '<',
  '&gt;': '>',
  '&quot;': '"',
  '&apos;': "'",
};

const decoded = (text: string): string =>
  text.includes('&')
    ? text.replace(/&(?:\w+;)?/g, (entity) => ENTITIES[entity] ?? notPlain())
    : text;

/** Indentation: the SDK takes blank text for nothing if it goes over a line. */
const isIndent = (text: string): boolean => text.trim() === '' && text.includes('\n');

const closeTag = (cursor: Cursor, tag: string): void => {
  const { text, at } = cursor;
  const end = at + 2 + tag.length;
  if (!text.startsWith('</', at) || !text.startsWith(tag, at + 2) || text[end] !== '>') notPlain();
  cursor.at = end + 1;
};

const readText = (cursor: Cursor, tag: string): string => {
  const end = cursor.text.indexOf('<', cursor.at);
  if (end < 0) notPlain();
  const raw = cursor.text.slice(cursor.at, end);
  cursor.at = end;
  closeTag(cursor, tag);
  return isIndent(raw) ? '' : decoded(raw);
};

/** Walks the children of an element; `visit` reads each up to the end of its closing tag. */
const eachChild = (
  cursor: Cursor,
  tag: string,
  visit: (name: string, isEmpty: boolean) => void,
): void => {
  const { text } = cursor;
  for (;;) {
    const open = text.indexOf('<', cursor.at);
    if (open < 0) notPlain();
    if (open > cursor.at && !isIndent(text.slice(cursor.at, open))) notPlain();
    cursor.at = open;
    if (text[open + 1] === '/') break;
    const end = text.indexOf('>', open);
    if (end < 0) notPlain();
    const isEmpty = text[end - 1] === '/';
    cursor.at = end + 1;
    visit(text.slice(open + 1, isEmpty ? end - 1 : end), isEmpty);
  }
  closeTag(cursor, tag);
};

/** Passes over what no schema knows; it must be well-formed all the same. */
const skip = (cursor: Cursor, name: string, isEmpty: boolean): void => {
  if (!NAME.test(name)) notPlain();
  if (isEmpty) return;
  const next = cursor.text.indexOf('<', cursor.at);
  if (cursor.text[next + 1] === '/') {
    readText(cursor, name);
    return;
  }
  eachChild(cursor, name, (child, empty) => skip(cursor, child, empty));
};

/** What the schema makes of `<tag/>`, read as `<tag></tag>` without the text in between. */
const readEmpty = (read: Read): unknown => read({ text: '</>', at: 0 }, '');

const contentOf = (cursor: Cursor, read: Read, name: string, isEmpty: boolean): unknown =>
  isEmpty ? readEmpty(read) : read(cursor, name);

/** Compiles schemas as they are met, each once: EC2's are many and refer to each other. */
export const createXmlReaders = (scalar: ScalarReader) => {
  const compiled = new Map<unknown, Read>();

  const readerOf = (schema: NormalizedSchema): Read => {
    if (schema.getMergedTraits().xmlFlattened) return notPlain;
    // A list or a structure is what it is, whichever member refers to it.
    if (schema.isStructSchema() && !schema.isUnionSchema()) return known(schema, structReader);
    if (schema.isListSchema()) return known(schema, listReader);
    if (schema.isStringSchema() && !schema.getMergedTraits().mediaType) return readText;
    if (schema.isNumericSchema()) return (cursor, tag) => Number(readText(cursor, tag));
    if (schema.isBooleanSchema()) {
      return (cursor, tag) => readText(cursor, tag).toLowerCase() === 'true';
    }
    if (schema.isTimestampSchema() || schema.isBlobSchema()) {
      return (cursor, tag) => scalar(schema, readText(cursor, tag));
    }
    return notPlain;
  };

  const known = (schema: NormalizedSchema, compile: (schema: NormalizedSchema) => Read): Read => {
    const key = schema.getSchema();
    const read = compiled.get(key) ?? compile(schema);
    compiled.set(key, read);
    return read;
  };

  const structReader = (schema: NormalizedSchema): Read => {
    const members = new Map<string, { name: string; schema: NormalizedSchema; read?: Read }>();
    for (const [name, member] of schema.structIterator()) {
      if (member.getMergedTraits().httpPayload) return notPlain;
      members.set(String(member.getMemberTraits().xmlName ?? name), { name, schema: member });
    }
    return (cursor, tag) => {
      const out: Record<string, unknown> = {};
      eachChild(cursor, tag, (child, isEmpty) => {
        const member = members.get(child);
        if (member === undefined) {
          skip(cursor, child, isEmpty);
          return;
        }
        // The SDK makes a list of a repeated element, and something of that.
        if (member.name in out) notPlain();
        member.read ??= readerOf(member.schema);
        out[member.name] = contentOf(cursor, member.read, child, isEmpty);
      });
      return out;
    };
  };

  const listReader = (schema: NormalizedSchema): Read => {
    const item = schema.getValueSchema();
    const itemTag = String(item.getMergedTraits().xmlName ?? 'member');
    const read = readerOf(item);
    return (cursor, tag) => {
      const out: unknown[] = [];
      eachChild(cursor, tag, (child, isEmpty) => {
        if (child === itemTag) out.push(contentOf(cursor, read, child, isEmpty));
        else skip(cursor, child, isEmpty);
      });
      return out;
    };
  };

  return (schema: NormalizedSchema): XmlReader => {
    const read = schema.isUnitSchema() ? undefined : readerOf(schema);
    const readRoot = (cursor: Cursor, tag: string, child: string | undefined): unknown => {
      if (read !== undefined && child === undefined) return read(cursor, tag);
      let found: unknown;
      eachChild(cursor, tag, (name, isEmpty) => {
        if (read === undefined || name !== child) skip(cursor, name, isEmpty);
        else if (found === undefined) found = contentOf(cursor, read, name, isEmpty);
        else notPlain();
      });
      return read === undefined ? {} : (found ?? notPlain());
    };
    return (text, child) => {
      const [opening, tag] = ROOT.exec(text) ?? [];
      if (opening === undefined || tag === undefined || text.includes('\r')) return undefined;
      try {
        return readRoot({ text, at: opening.length }, tag, child) as object;
      } catch {
        // Whatever is wrong with it, the SDK's own reader has the word for it.
        return undefined;
      }
    };
  };
};
