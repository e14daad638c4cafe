import type { NormalizedSchema } from '@smithy/core/schema';
import fc from 'fast-check';

/** Deeper than any shape that matters; some of EC2's refer to themselves. */
const DEPTH_MAX = 7;

const text = fc.oneof(
  fc.constantFrom('', ' ', '\n', ' \n ', ' x ', 'a&b<c>', `d'"`, 'é✓😀', '&amp;', 'true', '12'),
  fc.string({ maxLength: 12 }),
);
const moment = fc
  .date({ min: new Date(0), max: new Date('2099-01-01T00:00:00Z'), noInvalidDate: true })
  .map((date) => new Date(Math.floor(date.getTime() / 1000) * 1000));

/** What the SDK may be given for a schema, and what a service may answer. */
export const valuesOf = (schema: NormalizedSchema, depth = 0): fc.Arbitrary<unknown> => {
  if (schema.isListSchema()) {
    return fc.array(valuesOf(schema.getValueSchema(), depth + 1), { maxLength: 2 });
  }
  if (schema.isMapSchema()) {
    const value = valuesOf(schema.getValueSchema(), depth + 1);
    return fc.dictionary(fc.string({ minLength: 1, maxLength: 6 }), value, { maxKeys: 3 });
  }
  if (schema.isStructSchema()) {
    if (depth >= DEPTH_MAX) return fc.constant(schema.isUnionSchema() ? { S: 'deep' } : {});
    const members = Object.fromEntries(
      [...schema.structIterator()].map(([name, member]) => [name, valuesOf(member, depth + 1)]),
    );
    if (!schema.isUnionSchema()) return fc.record(members, { requiredKeys: [] });
    return fc.oneof(
      ...Object.entries(members).map(([name, values]) =>
        values.map((value) => ({ [name]: value })),
      ),
    );
  }
  if (schema.isNumericSchema()) return fc.integer({ min: -1000, max: 1_000_000 });
  if (schema.isBooleanSchema()) return fc.boolean();
  if (schema.isTimestampSchema()) return moment;
  if (schema.isBlobSchema()) return fc.uint8Array({ maxLength: 8 });
  return text;
};

const escaped = (value: string): string =>
  value.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
const named = (value: string): string =>
  value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

export interface XmlStyle {
  /** Each element on a line of its own. */
  readonly indented: boolean;
  /** Characters by number, not by name. */
  readonly numbered: boolean;
  /** `<tag/>`, not `<tag></tag>`. */
  readonly short: boolean;
}

const element = (tag: string, content: string, { indented, short }: XmlStyle): string => {
  const end = indented ? '\n  ' : '';
  return content === '' && short ? `<${tag}/>${end}` : `<${tag}>${content}</${tag}>${end}`;
};

/** The content of an element that carries the value. */
export const xmlOf = (schema: NormalizedSchema, value: unknown, style: XmlStyle): string => {
  const margin = style.indented ? '\n  ' : '';
  if (schema.isListSchema()) {
    const item = schema.getValueSchema();
    const tag = String(item.getMergedTraits().xmlName ?? 'member');
    const items = (value as unknown[]).map((each) => element(tag, xmlOf(item, each, style), style));
    return items.length === 0 ? '' : margin + items.join('');
  }
  if (schema.isStructSchema()) {
    const given = value as Record<string, unknown>;
    const members = [...schema.structIterator()]
      .filter(([name]) => given[name] !== undefined)
      .map(([name, member]) => {
        const tag = String(member.getMemberTraits().xmlName ?? name);
        return element(tag, xmlOf(member, given[name], style), style);
      });
    return members.length === 0 ? '' : margin + members.join('');
  }
  if (value instanceof Date) return value.toISOString();
  const plain = value instanceof Uint8Array ? Buffer.from(value).toString('base64') : String(value);
  return style.numbered ? escaped(plain) : named(plain);
};

/** As the JSON protocols write it. */
export const jsonOf = (value: unknown): unknown => {
  if (value instanceof Date) return value.getTime() / 1000;
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (Array.isArray(value)) return value.map(jsonOf);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, jsonOf(each)]));
};

/** Ways in which an answer arrives otherwise than it was sent, or was never meant so. */
export const distortion: fc.Arbitrary<(body: string) => string> = fc.oneof(
  { weight: 2, arbitrary: fc.constant((body: string) => body) },
  fc
    .double({ min: 0, max: 1, noNaN: true })
    .map((at) => (body: string) => body.slice(0, Math.floor(at * body.length))),
  fc
    .tuple(
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.nat({ max: 3 }),
      fc.constantFrom('', '<', '>', '/', '&', '&amp;', ' ', '\n', '\r\n', '"', 'x', '<!-- c -->'),
    )
    .map(([where, length, by]) => (body: string) => {
      const at = Math.floor(where * body.length);
      return body.slice(0, at) + by + body.slice(at + length);
    }),
  fc
    .tuple(
      fc.nat(),
      fc.constantFrom(
        ' a="b"',
        '><!-- c --',
        '><![CDATA[d]]',
        '>text',
        '>\n',
        '><x/',
        '><x><y/></x',
      ),
    )
    .map(([nth, by]) => (body: string) => {
      const ends = [...body.matchAll(/>/g)].map(({ index }) => index);
      const at = ends[nth % Math.max(1, ends.length)] ?? 0;
      return body.slice(0, at) + by + body.slice(at);
    }),
);
