import type { Rng } from '../core/random.ts';
import { WireError } from '../core/wire.ts';
import type { Verdict } from '../network.ts';
import type { Passing, Site } from './site.ts';
import type { Traits } from './stage.ts';

/** What fails: nothing at all, the kernel for good, the kernel for a while, or EC2 takes it down. */
export const scenes = ['hung', 'stopped', 'terminated', 'flaky', 'quiet'] as const;
export type Scene = (typeof scenes)[number];

export type Params = Readonly<Record<string, number | string | boolean>>;

/** One kind of trouble: how it is drawn from a seed, and how it is planted. */
export interface FaultKind {
  readonly id: string;
  /** What the world must be like for it. */
  readonly traits?: Partial<Traits>;
  /** Where it makes sense; everywhere if absent. */
  readonly scenes?: readonly Scene[];
  /** Reasons of a hold that a person must end: with this fault they are right ends. */
  readonly mayHold?: readonly string[];
  /** The failure may end without recovery, by what this fault does to the world. */
  readonly mayStayDown?: true;
  draw(rng: Rng): Params;
  arm(site: Site, params: Params): void;
}

/** One fault of a plan. */
export interface PlannedFault {
  id: string;
  params: Params;
}

/** Binds the parameters' type to both halves; the registry need not know it. */
export const fault = <P extends Params>(
  id: string,
  parts: Omit<FaultKind, 'id' | 'draw' | 'arm'> & {
    draw: (rng: Rng) => P;
    arm: (site: Site, params: P) => void;
  },
): FaultKind => ({ ...parts, id, arm: (site, params) => parts.arm(site, params as P) });

/** A stretch of the incident: seconds after the first step ran, and how long. */
export const drawStretch = (rng: Rng): { fromS: number; forS: number } => ({
  fromS: rng.int(0, 30),
  forS: rng.int(10, 120),
});

const ASIDE = ['sweep', 'adopt', 'notify'];
export const isStep = ({ functionName }: { functionName: string }): boolean =>
  functionName !== '' && !ASIDE.includes(functionName);

/** True while the stretch lasts; it begins to count with the first request of a step. */
export const createStretch = (
  { time }: Pick<Site, 'time'>,
  { fromS, forS }: { fromS: number; forS: number },
): ((passing: Passing) => boolean) => {
  let begun: number | undefined;
  return (passing) => {
    if (isStep(passing)) begun ??= time.now();
    const afterS = (time.now() - (begun ?? time.now())) / 1000;
    return begun !== undefined && afterS >= fromS && afterS < fromS + forS;
  };
};

/** Every n-th request that fits, while the stretch lasts, gets this verdict. */
export const strike = (
  site: Site,
  id: string,
  params: { fromS: number; forS: number; every?: number },
  fits: (passing: Passing) => boolean,
  verdict: Verdict,
): void => {
  const within = createStretch(site, params);
  let count = 0;
  site.on('request', (passing) => {
    if (!within(passing) || !fits(passing)) return undefined;
    count += 1;
    if (count % (params.every ?? 1) !== 0) return undefined;
    site.hit(id);
    return verdict;
  });
};

/** The first request that fits is what it takes. */
export const once = (
  site: Pick<Site, 'on'>,
  fits: (passing: Passing) => boolean,
  effect: (passing: Passing) => Verdict | undefined,
): void => {
  let done = false;
  site.on('request', (passing) => {
    if (done || !fits(passing)) return undefined;
    done = true;
    return effect(passing);
  });
};

const READ = /^(?:Describe|Get|List|Query|GET|GET_)/;
export const isMutation = ({ operation }: { operation: string }): boolean => !READ.test(operation);

export const lostAnswer: Verdict = { dropAnswer: new WireError('ECONNRESET', 'socket hang up') };
export const lostRequest: Verdict = {
  dropRequest: new WireError('ETIMEDOUT', 'connect ETIMEDOUT'),
};
export const noSuchHost: Verdict = {
  dropRequest: new WireError('ENOTFOUND', 'getaddrinfo ENOTFOUND'),
};
export const answered = (status: number, body = '', type = 'text/plain'): Verdict => ({
  answer: { status, headers: { 'content-type': type }, body },
});
