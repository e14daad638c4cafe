import type { IncidentDocument } from '../../src/contracts/incident-document.ts';
import { chainOf, heldSpansOf, isSameStart } from './findings.ts';
import { count, durationOf } from './words.ts';

/** Something that went otherwise than on a good day. */
export interface Oddity {
  readonly isGrave: boolean;
  readonly says: string;
  /** Where the page has more on it. */
  readonly section: 'evidence' | 'proof' | 'people' | 'ledger' | 'calls' | 'result';
}

const oddCalls = ({ calls }: IncidentDocument): readonly Oddity[] => {
  const named = (outcome: string): readonly string[] =>
    calls.filter((one) => one.outcome === outcome).map(({ call, seq }) => `${call} (${seq})`);
  const told = (outcome: string, says: string, isGrave: boolean): readonly Oddity[] => {
    const names = named(outcome);
    if (names.length === 0) return [];
    return [{ isGrave, section: 'calls', says: `${says}: ${names.join(', ')}` }];
  };
  return [
    ...told('refused', 'Calls were refused', false),
    ...told('unknown', 'The answer to a call was lost', false),
    ...told('open', 'No outcome of a call is on record, it may have been made', true),
  ];
};

const oddData = ({ facts, volumes, id }: IncidentDocument): readonly Oddity[] =>
  volumes.flatMap(({ name, now, volumeId }): readonly Oddity[] => {
    const who = `${name} (${volumeId})`;
    if (now === undefined)
      return [{ isGrave: true, section: 'ledger', says: `The ledger has no record of ${who}` }];
    const isBad = now.state === 'held' || now.state === 'lost';
    const isOurs = now.incidentId === id;
    const used = facts?.volumes.find((one) => one.volumeId === volumeId)?.appIds.join(', ');
    const why = now.says === undefined ? '' : `: ${now.says}`;
    return isBad && isOurs
      ? [{ isGrave: true, section: 'ledger', says: `${who} of ${used} is ${now.state}${why}` }]
      : [];
  });

const oddFence = (shown: IncidentDocument): readonly Oddity[] => {
  const { fence } = shown;
  const late = chainOf(shown).filter(({ isInOrder }) => !isInOrder);
  const odd = (isOdd: boolean | undefined, isGrave: boolean, says: string): readonly Oddity[] =>
    isOdd ? [{ isGrave, section: 'proof', says }] : [];
  return [
    ...late.flatMap(({ says }) => odd(true, true, `${says}: before it was allowed`)),
    ...odd(!isSameStart(shown), true, 'The proof is not of the start that was to be fenced'),
    ...odd(fence?.strength === 'weak', false, 'The fence is weak: EC2 was forced to stop it'),
    ...odd(
      (fence?.voided.length ?? 0) > 0,
      false,
      `The machine was started again ${count(fence?.voided.length ?? 0, 'time')} and had to be fenced anew`,
    ),
    ...odd((fence?.rungs.length ?? 0) > 1, false, 'One fencing command was not enough'),
  ];
};

const oddPeople = (shown: IncidentDocument): readonly Oddity[] => {
  const { acknowledged, at } = shown;
  return [
    ...heldSpansOf(shown).map(({ by, from, to }) => ({
      isGrave: false,
      section: 'people' as const,
      says: `${by} held it for ${durationOf((to ?? at) - from)}${to === undefined ? ' so far' : ''}`,
    })),
    ...(acknowledged.length === 0
      ? []
      : [
          {
            isGrave: false,
            section: 'people' as const,
            says: `Waved through by people: ${acknowledged.join(', ')}`,
          },
        ]),
  ];
};

/** Everything that was unusual, the grave ones first. Empty: a good day. */
export const odditiesOf = (shown: IncidentDocument): readonly Oddity[] => {
  const { execution, handOff, recovery, verdict } = shown;
  const sick = recovery?.apps.filter(({ healthy }) => !healthy).map(({ id }) => id) ?? [];
  const heldBack = handOff?.heldAppIds ?? [];
  const odd = (isOdd: boolean, section: Oddity['section'], says: string): readonly Oddity[] =>
    isOdd ? [{ isGrave: false, section, says }] : [];
  const all = [
    ...oddFence(shown),
    ...oddData(shown),
    ...oddCalls(shown),
    ...odd(sick.length > 0, 'result', `Not seen healthy: ${sick.join(', ')}`),
    ...odd(heldBack.length > 0, 'result', `Held back at the hand-off: ${heldBack.join(', ')}`),
    ...odd((verdict?.whyNot.length ?? 0) > 0, 'evidence', 'Not all evidence spoke for the verdict'),
    ...oddPeople(shown),
    ...odd(
      execution.token > 1,
      'calls',
      `${execution.token} executions worked on it, one after the other`,
    ),
  ];
  return [...all.filter(({ isGrave }) => isGrave), ...all.filter(({ isGrave }) => !isGrave)];
};
