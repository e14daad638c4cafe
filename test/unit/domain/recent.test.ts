import { expect, it } from 'vitest';
import { isRecent } from '../../../src/domain/recent.ts';
import { t } from '../../support/build.ts';

it.each([
  ['now', 10, 10, true],
  ['just within', 10, 12, true],
  ['too long ago', 10, 13, false],
  ['still to come: a clock was set back', 10, 9, false],
])('%s', (_, since, now, expected) => {
  expect(isRecent(t(since), t(now), 2_000)).toBe(expected);
});
