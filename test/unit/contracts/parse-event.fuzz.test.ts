import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseEvent } from '../../../src/contracts/events/parse-event.ts';
import { isInstanceId, isVolumeId } from '../../../src/domain/ids.ts';
import { fixture, fixtureNames, here, instanceId, planted } from './fixtures.ts';

/** Every place inside a document that holds a value, as a path. */
const placesOf = (value: unknown, path: string[] = []): string[][] =>
  typeof value === 'object' && value !== null
    ? [path, ...Object.entries(value).flatMap(([key, inner]) => placesOf(inner, [...path, key]))]
    : [path];

const anything = fc.oneof(
  fc.jsonValue(),
  fc.constantFrom(
    undefined,
    '',
    '__proto__',
    '2099-01-01T00:00:00Z',
    'constructor',
    'i-0a1b2c3d4e5f6071',
    ` ${instanceId}`,
    `${instanceId}\n`,
    instanceId.toUpperCase(),
    `arn:aws:ec2:eu-central-1:210987654321:instance/${instanceId}/x`,
    'x'.repeat(5_000),
  ),
);

const bent = fc
  .constantFrom(...fixtureNames)
  .map((name) => fixture(name))
  .chain((document) =>
    fc
      .array(fc.tuple(fc.constantFrom(...placesOf(document)), anything), {
        minLength: 1,
        maxLength: 3,
      })
      .map((changes) =>
        changes.reduce<unknown>((sofar, [path, value]) => planted(sofar, path, value), document),
      ),
  );

const holds = (document: unknown): void => {
  const parsed = parseEvent(document, here);
  if ('why' in parsed) {
    expect(parsed.why).not.toBe('');
    return;
  }
  // Whatever else was bent, it still comes from where our machines are.
  expect((document as { account?: unknown }).account).toBe(here.account);
  if (parsed.kind === 'noted') {
    expect(parsed.note.says).not.toBe('');
    expect(parsed.note.instanceIds.every(isInstanceId)).toBe(true);
    expect(parsed.note.volumeIds.every(isVolumeId)).toBe(true);
    return;
  }
  if (parsed.kind === 'zone-shift') {
    const { at, key, zoneId } = parsed.shift;
    expect(zoneId).toMatch(/^[a-z0-9-]+-az\d+$/);
    expect(key.length).toBeLessThan(5_000);
    expect(at).toBeLessThanOrEqual(here.receivedAt);
    return;
  }
  if (parsed.kind === 'aborted') {
    expect(isInstanceId(parsed.instanceId)).toBe(true);
    return;
  }
  expect(parsed.signals.length).toBeGreaterThan(0);
  for (const signal of parsed.signals) {
    expect(isInstanceId(signal.instanceId)).toBe(true);
    expect(signal.key.length).toBeLessThan(10_000);
    expect(signal.occurredAt ?? 0).toBeLessThanOrEqual(here.receivedAt);
    expect(signal.notice?.deadline ?? 0).toBeGreaterThanOrEqual(0);
  }
};

describe('parseEvent on documents nobody foresaw', () => {
  it('never throws and never signals anything but a valid instance id of this account', () => {
    fc.assert(fc.property(bent, holds), { numRuns: 1_500 });
  });

  it('makes nothing of arbitrary JSON', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (document) => {
        expect(parseEvent(document, here).kind).toBe('refused');
      }),
    );
  });
});
