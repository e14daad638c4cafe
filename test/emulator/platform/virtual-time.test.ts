import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { setTimeout as nodeSetTimeout } from 'node:timers';
import { afterEach, describe, expect, it } from 'vitest';
import { createVirtualTime, type VirtualTime } from '../../../emulator/core/virtual-time.ts';

const START = Date.UTC(2026, 10, 22, 21, 0, 0);
let time: VirtualTime | undefined;
const virtual = (seed = 1): VirtualTime => {
  time = createVirtualTime(START, seed);
  return time;
};
afterEach(() => {
  time?.uninstall();
  time = undefined;
});
const never = { until: () => false, horizonMs: 3_600_000 };

describe('virtual time', () => {
  it('passes an hour in no time and tells Date the same', async () => {
    const t = virtual();
    const seen: number[] = [];
    t.after(3_000_000, () => seen.push(Date.now()));
    expect(await t.run(never)).toBe('idle');
    expect(seen).toEqual([START + 3_000_000]);
  });

  it('can be off for those who ask Date, and for nobody else', () => {
    const t = virtual();
    const before = new Date(0);
    let offMs = 5_000;
    t.skew(() => offMs);
    expect([Date.now(), t.now()]).toEqual([START + 5_000, START]);
    expect(new Date().toISOString()).toBe('2026-11-22T21:00:05.000Z');
    expect(new Date(7).getTime()).toBe(7);
    expect([before, new Date()].every((date) => date instanceof Date)).toBe(true);
    offMs = 0;
    expect(Date.now()).toBe(START);
  });

  it('does not pass while real work is in flight', async () => {
    const t = virtual();
    const order: string[] = [];
    const work = (async () => {
      for (let i = 0; i < 50; i++) await new Promise((resolve) => setImmediate(resolve));
      order.push(`work at ${t.now() - START}`);
    })();
    const counted = t.busy(work);
    t.after(1, () => order.push('timer'));
    await t.run(never);
    await counted;
    expect(order).toEqual(['work at 0', 'timer']);
  });

  it('waits for files being read, though nobody counted that', async () => {
    const t = virtual();
    const order: string[] = [];
    const reading = readFile(import.meta.filename).then(() => order.push('read'));
    t.after(1, () => order.push('timer'));
    await t.run(never);
    await reading;
    expect(order).toEqual(['read', 'timer']);
  });

  it('loses the race against real work that nobody counted', async () => {
    const t = virtual();
    const order: string[] = [];
    const work = (async () => {
      for (let i = 0; i < 50; i++) await new Promise((resolve) => setImmediate(resolve));
      order.push('work');
    })();
    t.after(1, () => order.push('timer'));
    await t.run(never);
    await work;
    expect(order).toEqual(['timer', 'work']);
  });

  it('lets the code woken by one timer finish before the next timer fires', async () => {
    const t = virtual();
    const order: string[] = [];
    const sleep = (ms: number): Promise<void> => new Promise((resolve) => t.after(ms, resolve));
    const walk = async (name: string, ms: number): Promise<void> => {
      await sleep(ms);
      await new Promise((resolve) => setImmediate(resolve));
      order.push(`${name} ${t.now() - START}`);
    };
    const walks = [walk('a', 10), walk('b', 10), walk('c', 11)];
    await t.run(never);
    await Promise.all(walks);
    expect(order).toEqual(['a 10', 'b 10', 'c 11']);
  });

  it('stops at the horizon and as soon as the condition holds', async () => {
    const t = virtual();
    let ticks = 0;
    setInterval(() => ticks++, 1_000);
    expect(await t.run({ until: () => ticks === 3, horizonMs: 60_000 })).toBe('reached');
    expect(t.now() - START).toBe(3_000);
    expect(await t.run({ until: () => false, horizonMs: 60_000 })).toBe('horizon');
    expect(t.now() - START).toBe(63_000);
  });

  it('lets an onlooker keep their own pace before each jump', async () => {
    const t = virtual();
    const jumps: number[] = [];
    t.after(2_000, () => t.after(500, () => {}));
    const beforeAdvance = async (ms: number): Promise<void> => {
      await new Promise((resolve) => setImmediate(resolve));
      jumps.push(ms);
    };
    expect(await t.run({ ...never, beforeAdvance })).toBe('idle');
    expect(jumps).toEqual([2_000, 500]);
  });

  it('reaches timers taken from node:timers and AbortSignal.timeout', async () => {
    const t = virtual();
    const seen: string[] = [];
    nodeSetTimeout(() => seen.push('node:timers'), 5_000);
    AbortSignal.timeout(6_000).addEventListener('abort', () => seen.push('abort'));
    await t.run(never);
    expect(seen).toEqual(['node:timers', 'abort']);
  });

  it('draws the same randomness from the same seed, and gives the process its own back', () => {
    const draw = (seed: number): unknown[] => {
      const t = virtual(seed);
      const drawn = [Math.random(), randomUUID(), globalThis.crypto.randomUUID()];
      t.uninstall();
      time = undefined;
      return drawn;
    };
    expect(draw(7)).toEqual(draw(7));
    expect(draw(7)).not.toEqual(draw(8));
    expect(randomUUID()).not.toBe(randomUUID());
    expect(Date.now()).toBeGreaterThan(0);
    expect(Math.random.toString()).toContain('[native code]');
  });
});
