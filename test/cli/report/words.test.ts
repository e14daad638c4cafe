import { describe, expect, it } from 'vitest';
import { durationOf, offsetOf, timeOf } from '../../../cli/report/words.ts';

describe('a duration', () => {
  it.each([
    [0, '0 ms'],
    [84, '84 ms'],
    [999, '999 ms'],
    [12_480, '12.5 s'],
    [59_949, '59.9 s'],
    [59_950, '1 min'],
    [220_400, '3 min 40 s'],
    [3_599_600, '1 h'],
    [18_720_000, '5 h 12 min'],
    [187_200_000, '2 d 4 h'],
    [-240_000, '−4 min'],
  ])('of %d ms reads %s', (ms, words) => {
    expect(durationOf(ms)).toBe(words);
  });
});

it.each([
  [0, '0 s'],
  [1_500, '+1.5 s'],
  [-1_500, '−1.5 s'],
])('a distance of %d ms reads %s', (ms, words) => {
  expect(offsetOf(ms)).toBe(words);
});

it('a moment is UTC to the millisecond, for people and for programs', () => {
  expect(timeOf(Date.UTC(2026, 10, 22, 21, 0, 5, 123)).markup).toBe(
    '<time datetime="2026-11-22T21:00:05.123Z">2026-11-22T21:00:05.123Z</time>',
  );
});
