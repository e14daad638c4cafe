import { OrchestratorRefusedError } from '../../domain/errors.ts';
import type { DcosCapabilities } from '../../domain/service.ts';

type Version = readonly [major: number, minor: number, patch: number];
interface Release extends Omit<DcosCapabilities, 'version'> {
  readonly since: Version;
}

/**
 * What changed in which release, oldest first; docs/compatibility.md says the same with the
 * component versions. A row holds until the next. Patch releases matter: the fix of MESOS-9545
 * reached 1.12 and 1.13 late.
 */
const RELEASES: readonly Release[] = [
  row([1, 8, 0], { markAgentGone: false }),
  row([1, 11, 0], { markGoneOfUnreachableIsLost: true }),
  row([1, 12, 5], {}),
  row([1, 13, 0], { markGoneOfUnreachableIsLost: true }),
  row([1, 13, 5], {}),
  row([2, 0, 0], { deactivateAgent: true }),
];
const NEWEST_KNOWN: Version = [2, 2, 0];

function row(since: Version, differs: Partial<Release>): Release {
  const usual = {
    markAgentGone: true,
    markGoneOfUnreachableIsLost: false,
    deactivateAgent: false,
  };
  return { since, ...usual, ...differs };
}

const isAtLeast = (version: Version, floor: Version): boolean => {
  const [a, b] = version.map((part, i) => [part, floor[i] ?? 0]).find(([x, y]) => x !== y) ?? [
    0, 0,
  ];
  return (a ?? 0) >= (b ?? 0);
};

const parse = (text: string): Version | undefined => {
  const [, major, minor, patch] = /^(\d+)\.(\d+)(?:\.(\d+))?(?![\d.])/.exec(text) ?? [];
  // Without a patch number assume the first of the line, which can do the least.
  return major && minor ? [Number(major), Number(minor), Number(patch ?? 0)] : undefined;
};

/**
 * What the release called `version` can do. A line newer than any known counts as the newest
 * known, and its `version` says so. Throws OrchestratorRefusedError for text that is no version
 * and for releases before 1.8.
 */
export const capabilitiesOf = (version: string): DcosCapabilities => {
  const refuse = (why: string): OrchestratorRefusedError =>
    new OrchestratorRefusedError('dcos-version', version.slice(0, 40), why);
  const parsed = parse(version);
  if (!parsed) throw refuse('not a DC/OS version');
  const release = RELEASES.findLast(({ since }) => isAtLeast(parsed, since));
  if (!release) throw refuse('DC/OS before 1.8 is not supported');
  const { since: _, ...capabilities } = release;
  const [major, minor] = NEWEST_KNOWN;
  const isKnown = !isAtLeast(parsed, [major, minor + 1, 0]);
  const known = `${version} (not known, treated as ${major}.${minor})`;
  return { version: isKnown ? version : known, ...capabilities };
};
