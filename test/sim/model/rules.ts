import { isProof, nextFenceStep } from '../../../src/domain/fence.ts';
import { readyToHandOff } from '../../../src/domain/hand-off.ts';
import { decideClaim } from '../../../src/domain/ownership.ts';
import { nextReleaseStep } from '../../../src/domain/release.ts';

/**
 * What an execution goes by: the shipped decisions, and the habits of the application and the
 * ledger around them. A planted violation is one of these replaced.
 */
export interface Rules {
  readonly decideClaim: typeof decideClaim;
  readonly nextFenceStep: typeof nextFenceStep;
  readonly isProof: typeof isProof;
  readonly nextReleaseStep: typeof nextReleaseStep;
  readonly readyToHandOff: typeof readyToHandOff;
  /** A proof takes a second read; false: the first one counts twice. */
  readonly readsTwice: boolean;
  /** A claim is refused if the record is not what the claimer saw. */
  readonly claimsConditionally: boolean;
  /** A takeover raises the token. */
  readonly raisesToken: boolean;
  /** Writes and intents are refused for a stale token. */
  readonly checksToken: boolean;
  /** Nothing is released without a proof in the ledger. */
  readonly needsProof: boolean;
  /** The trigger is looked at again before the first Stop. */
  readonly revalidates: boolean;
  /** DetachVolume names the fenced instance. */
  readonly namesInstance: boolean;
  /** The mark of an epoch outside of the ledger is written before the epoch is used. */
  readonly marksEpochs: boolean;
}

export const shipped: Rules = {
  decideClaim,
  nextFenceStep,
  isProof,
  nextReleaseStep,
  readyToHandOff,
  readsTwice: true,
  claimsConditionally: true,
  raisesToken: true,
  checksToken: true,
  needsProof: true,
  revalidates: true,
  namesInstance: true,
  marksEpochs: true,
};
