/** Seeded randomness. Everything random in the emulated cloud comes from here. */
export interface Rng {
  /** Uniform in [0, 1). */
  next(): number;
  /** Uniform integer in [min, max], both included. */
  int(min: number, max: number): number;
  /** A shuffled copy: AWS guarantees no item order, so lists are shuffled before they are served. */
  shuffle<T>(items: readonly T[]): T[];
  pick<T>(items: readonly T[]): T;
  /** Lower-case hex digits, for identifiers. */
  hex(digits: number): string;
  /**
   * An independent stream that depends only on the seed and the label, never on how much of
   * this stream was used: a draw made under a label does not move when other code draws more.
   */
  fork(label: string): Rng;
}

/** FNV-1a, 32 bit. */
const hash = (text: string): number => {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  }
  return h >>> 0;
};

/** Mulberry32: small, fast, good enough for simulation; not for secrets. */
const mulberry32 = (seed: number): (() => number) => {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = a;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
};

export const createRng = (seed: number | string): Rng => {
  const origin = String(seed);
  const next = mulberry32(hash(origin));
  const int = (min: number, max: number): number => min + Math.floor(next() * (max - min + 1));
  return {
    next,
    int,
    shuffle: (items) => {
      const out = [...items];
      for (let i = out.length - 1; i > 0; i--) {
        const j = int(0, i);
        const swapped = out[i] as (typeof out)[number];
        out[i] = out[j] as (typeof out)[number];
        out[j] = swapped;
      }
      return out;
    },
    pick: (items) => {
      if (items.length === 0) throw new RangeError('pick from an empty list');
      return items[int(0, items.length - 1)] as (typeof items)[number];
    },
    hex: (digits) => {
      let out = '';
      while (out.length < digits) out += int(0, 15).toString(16);
      return out;
    },
    fork: (label) => createRng(`${origin}/${label}`),
  };
};

/**
 * A draw from a log-normal distribution given by its median and 99th percentile (ms), the way
 * latencies are usually published. Rounded to whole milliseconds.
 */
export const drawLogNormalMs = (rng: Rng, p50Ms: number, p99Ms: number): number => {
  const sigma = Math.log(p99Ms / p50Ms) / 2.326;
  const u1 = Math.max(rng.next(), 1e-12);
  const u2 = rng.next();
  const z = Math.sqrt(-2 * Math.log(u1)) * Math.cos(2 * Math.PI * u2);
  return Math.max(1, Math.round(p50Ms * Math.exp(sigma * z)));
};
