import {
  firstAnswerStands,
  oldAnswersAreRefused,
  yesBeforeTheRest,
  yesFirst,
} from './rules/approvals.ts';
import {
  detachAfterProof,
  fenceBeforeRelease,
  noZombie,
  onlyTheFailed,
  ownersAreLeftAlone,
  proofComesAfter,
  proofIsOfThisRun,
  proofIsTrue,
  singleWriter,
  tellLast,
} from './rules/fence.ts';
import { tellOfNothingLost } from './rules/hand-off.ts';
import {
  epochRises,
  intentFirst,
  oneExecution,
  readsAreConsistent,
  rungsAreUsedOnce,
  tokenCounts,
} from './rules/ledger.ts';
import { honestEnd, noSecrets, oneDigest, quietMessages } from './rules/outcome.ts';
import { pauseStops } from './rules/people.ts';
import type { Rule } from './rules/rule.ts';
import { keepsData, scoped } from './rules/scope.ts';
import { fewAtOnce } from './rules/storm.ts';

/** Every invariant that holds at every instant, by its id, and the rules that judge it. */
export const invariants: Readonly<Record<string, readonly Rule[]>> = {
  S1: [singleWriter, ownersAreLeftAlone],
  S2: [fenceBeforeRelease, proofIsTrue, proofComesAfter, proofIsOfThisRun],
  S3: [detachAfterProof],
  S4: [readsAreConsistent, epochRises, tokenCounts],
  S5: [oneExecution],
  S6: [scoped],
  S7: [keepsData],
  S8: [onlyTheFailed],
  S9: [fewAtOnce],
  S10: [noZombie],
  S11: [honestEnd],
  S12: [intentFirst],
  S13: [tellLast, tellOfNothingLost],
  S14: [quietMessages],
  S15: [noSecrets],
  S16: [yesFirst, yesBeforeTheRest, oldAnswersAreRefused, firstAnswerStands],
  L6: [oneDigest],
  L8: [pauseStops],
  L9: [rungsAreUsedOnce],
};
