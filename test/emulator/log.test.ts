import { describe, expect, it } from 'vitest';
import { append } from '../../emulator/core/log.ts';

describe('append', () => {
  it('keeps the newest lines and never more than its limit', () => {
    const log: number[] = [];
    for (let line = 1; line <= 1_000; line++) {
      append(log, line, 20);
      expect(log.length).toBeLessThanOrEqual(20);
      expect(log.at(-1)).toBe(line);
    }
    expect(log.length).toBeGreaterThanOrEqual(18);
    expect(log[0]).toBe(1_000 - log.length + 1);
  });
});
