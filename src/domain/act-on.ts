import type { Verdict } from './incident.ts';
import { limits } from './policy.ts';
import { mayFence, soonMs } from './verdict.ts';

export type AssessAction =
  | { readonly kind: 'act' }
  | { readonly kind: 'watch'; readonly waitMs: number }
  | { readonly kind: 'cancel' }
  | { readonly kind: 'hold'; readonly reason: 'blind' | 'partitioned' }
  /** It works until AWS takes it down: a planned move, no failure. */
  | { readonly kind: 'plan' };

/**
 * What a verdict leads to before anything was done to the agent. Soft evidence is watched for a
 * bounded time and then let go: the next signal opens a new incident.
 */
export const actOn = (verdict: Verdict, openForMs: number, partitioned = false): AssessAction => {
  switch (verdict.kind) {
    case 'Down':
    case 'Impaired':
    case 'Ordered':
    case 'Returned':
      return { kind: 'act' };
    case 'Recovered':
      return { kind: 'cancel' };
    case 'Blind':
      return { kind: 'hold', reason: 'blind' };
    case 'Partitioned':
      return partitioned ? { kind: 'act' } : { kind: 'hold', reason: 'partitioned' };
    case 'Retiring':
    case 'Interrupted':
    case 'Leaving':
      return mayFence(verdict) ? { kind: 'act' } : { kind: 'plan' };
    case 'Suspect':
      return openForMs >= limits.watchMs
        ? { kind: 'cancel' }
        : { kind: 'watch', waitMs: Math.min(verdict.lookAgainMs ?? soonMs, 60_000) };
  }
};
