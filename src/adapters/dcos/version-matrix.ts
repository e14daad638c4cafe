import { OrchestratorRefusedError } from '../../domain/errors.ts';
import type { DcosCapabilities } from '../../domain/service.ts';

interface Release extends Omit<DcosCapabilities, 'version'> {
  readonly rank: number;
}

/** Versions as numbers in their own order. */
const rankOf = (major: number, minor: number, patch: number): number =>
  major * 1_000_000 + minor * 1_000 + patch;

const usual = {
  markAgentGone: true,
  markGoneOfUnreachableIsLost: false,
  deactivateAgent: false,
};

/**
 * What changed in which release, oldest first; docs/compatibility.md says the same with the
 * component versions. A row holds until the next. Patch releases matter: the fix of MESOS-9545
 * reached 1.12 and 1.13 late.
 */
const RELEASES: readonly Release[] = [
  { ...usual, rank: rankOf(1, 8, 0), markAgentGone: false },
  { ...usual, rank: rankOf(1, 11, 0), markGoneOfUnreachableIsLost: true },
  { ...usual, rank: rankOf(1, 12, 5) },
  { ...usual, rank: rankOf(1, 13, 0), markGoneOfUnreachableIsLost: true },
  { ...usual, rank: rankOf(1, 13, 5) },
  { ...usual, rank: rankOf(2, 0, 0), deactivateAgent: true },
];
const NEWEST_KNOWN = '2.2';
const FIRST_UNKNOWN_RANK = rankOf(2, 3, 0);

/** Where a part is left open, the release of that name that can do the least. */
const rankOfText = (text: string): number | undefined => {
  const match = /^(\d+)\.(\d+)(?:\.(\d+))?(-.*)?$/.exec(text);
  if (!match) return undefined;
  const [, major, minor, patch = 0, preRelease] = match;
  return rankOf(Number(major), Number(minor), Number(patch)) - (preRelease ? 1 : 0);
};

/**
 * What the release called `version` can do. A line newer than any known counts as the newest
 * known, and its `version` says so. Throws OrchestratorRefusedError for text that is no version
 * and for releases before 1.8.
 */
export const capabilitiesOf = (version: string): DcosCapabilities => {
  const refuse = (why: string): OrchestratorRefusedError =>
    new OrchestratorRefusedError('dcos-version', version.slice(0, 40), why);
  const rank = rankOfText(version);
  if (rank === undefined) throw refuse('not a DC/OS version');
  const release = RELEASES.findLast((known) => known.rank <= rank);
  if (!release) throw refuse('DC/OS before 1.8 is not supported');
  const { rank: _, ...capabilities } = release;
  const isKnown = rank < FIRST_UNKNOWN_RANK;
  const assumed = `${version} (not known, treated as ${NEWEST_KNOWN})`;
  return { version: isKnown ? version : assumed, ...capabilities };
};
