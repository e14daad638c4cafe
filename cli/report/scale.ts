/** A stretch of time on the picture, from one share of its width to another. */
interface Stretch {
  readonly from: number;
  readonly to: number;
  readonly left: number;
  readonly right: number;
  /** Nothing happened for long: it is drawn shorter than it was. */
  readonly isCut: boolean;
}

export interface Tick {
  readonly at: number;
  /** Per cent of the width. */
  readonly x: number;
}

/** Where each moment stands on the picture. */
export interface Scale {
  /** Per cent of the width; what is outside of it stands at its edge. */
  readonly x: (at: number) => number;
  readonly ticks: readonly Tick[];
  readonly cuts: readonly { readonly x: number; readonly width: number; readonly ms: number }[];
}

const cutsMax = 4;
/** Shorter waits are drawn as they are. */
const cutMsMin = 60_000;
/** Fewer stretches would not be worth a scale of their own. */
const restMin = 3;
const cutWidth = 9;

interface Gap {
  readonly from: number;
  readonly to: number;
}

const lengthOf = ({ from, to }: Gap): number => to - from;
const sum = (gaps: readonly Gap[]): number => gaps.reduce((ms, gap) => ms + lengthOf(gap), 0);

/** The waits of which each is longer than all that is left. */
const longWaits = (gaps: readonly Gap[]): ReadonlySet<Gap> => {
  const longest = [...gaps].sort((a, b) => lengthOf(b) - lengthOf(a));
  for (let n = Math.min(cutsMax, gaps.length - restMin); n > 0; n--) {
    const shortest = longest[n - 1];
    const restMs = sum(longest.slice(n));
    const ms = shortest === undefined ? 0 : lengthOf(shortest);
    if (ms >= cutMsMin && ms > restMs) return new Set(longest.slice(0, n));
  }
  return new Set();
};

const stretchesOf = (gaps: readonly Gap[]): readonly Stretch[] => {
  const cut = longWaits(gaps);
  const perMs = (100 - cutWidth * cut.size) / sum(gaps.filter((gap) => !cut.has(gap)));
  let right = 0;
  return gaps.map((gap) => {
    const left = right;
    right += cut.has(gap) ? cutWidth : lengthOf(gap) * perMs;
    return { ...gap, left, right, isCut: cut.has(gap) };
  });
};

/** Side by side, they are one. */
const cutsOf = (stretches: readonly Stretch[]): Scale['cuts'] => {
  const cuts: { x: number; width: number; ms: number }[] = [];
  let isOpen = false;
  for (const { from, isCut, left, right, to } of stretches) {
    const last = isOpen ? cuts.at(-1) : undefined;
    if (isCut && last === undefined) cuts.push({ x: left, width: right - left, ms: to - from });
    if (isCut && last !== undefined) {
      last.width += right - left;
      last.ms += to - from;
    }
    isOpen = isCut;
  }
  return cuts;
};

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;
const stepsMs = [
  ...[0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30].map((n) => n * second),
  ...[1, 2, 5, 10, 20, 30].map((n) => n * minute),
  ...[1, 2, 4, 8, 24, 48, 24 * 7, 24 * 30, 24 * 365].map((n) => n * hour),
];
/** Of the width: closer, and their words would touch on a phone. */
const tickGap = 17;

/** Round times since the origin, no two of them too close. */
const ticksOf = (stretches: readonly Stretch[], origin: number): readonly Tick[] => {
  const drawn = stretches.filter(({ isCut }) => !isCut);
  const ms = drawn.reduce((all, { from, to }) => all + to - from, 0);
  const width = drawn.reduce((all, { left, right }) => all + right - left, 0);
  const step = stepsMs.find((one) => (one / ms) * width >= tickGap) ?? ms;
  const ticks: Tick[] = [];
  for (const { from, left, right, to } of drawn) {
    const first = Math.ceil((from - origin) / step) * step + origin;
    for (let at = first; at <= to; at += step) {
      const x = left + ((at - from) / (to - from || 1)) * (right - left);
      const last = ticks.at(-1);
      if (last === undefined || x - last.x >= tickGap * 0.9) ticks.push({ at, x });
    }
  }
  return ticks;
};

/**
 * A scale on which everything that happened can be told apart: long waits are cut.
 *
 * @param moments when anything happened, in any order
 * @param origin the moment that ticks are counted from
 */
export const scaleOf = (moments: readonly number[], origin: number): Scale => {
  const sorted = [...new Set(moments)].sort((a, b) => a - b);
  const first = sorted[0] ?? origin;
  // One moment alone still needs some width to stand in.
  const times = sorted.length > 1 ? sorted : [first, first + second];
  const gaps = times.slice(1).map((to, i) => ({ from: times[i] ?? first, to }));
  const stretches = stretchesOf(gaps);
  const x = (at: number): number => {
    if (at <= first) return 0;
    const found = stretches.find(({ to }) => at <= to);
    if (found === undefined) return 100;
    const { from, left, right, to } = found;
    return left + ((at - from) / (to - from)) * (right - left);
  };
  return {
    x,
    ticks: ticksOf(stretches, origin),
    cuts: cutsOf(stretches),
  };
};
