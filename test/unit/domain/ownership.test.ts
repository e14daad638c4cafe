import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type IncidentId, incidentIdOf } from '../../../src/domain/ids.ts';
import { decideClaim, type Ownership } from '../../../src/domain/ownership.ts';
import { cluster, ids, recordOf } from '../../support/build.ts';

const later = incidentIdOf(cluster, ids.failed, 2);

describe('decideClaim', () => {
  it.each<[string, Ownership | undefined, number, object]>([
    ['claims epoch 1 of a volume nobody recorded', undefined, 0, { kind: 'claim', epoch: 1 }],
    [
      'claims the next epoch of a volume with an owner',
      recordOf({ state: 'owned', epoch: 4 }),
      4,
      { kind: 'claim', epoch: 5 },
    ],
    [
      'claims a volume that an earlier incident released and nobody took',
      recordOf({ state: 'released', epoch: 4 }),
      4,
      { kind: 'claim', epoch: 5 },
    ],
    [
      'leaves a volume to the open incident that claimed it',
      recordOf(),
      1,
      { kind: 'refuse', holder: ids.incident },
    ],
    [
      'leaves a volume to the open incident that holds it',
      recordOf({ state: 'held' }),
      1,
      { kind: 'refuse', holder: ids.incident },
    ],
    [
      'goes on when a crash left the tag one ahead of the ledger',
      recordOf({ state: 'owned', epoch: 4 }),
      5,
      { kind: 'claim', epoch: 5 },
    ],
    [
      'halts when the tag is further ahead: the ledger is an older copy',
      recordOf({ state: 'owned', epoch: 4 }),
      6,
      { kind: 'rewound', ledgerEpoch: 4, tagEpoch: 6 },
    ],
    [
      'halts when the ledger has lost the record altogether',
      undefined,
      2,
      { kind: 'rewound', ledgerEpoch: 0, tagEpoch: 2 },
    ],
    [
      'does not mind a tag that is late',
      recordOf({ state: 'owned', epoch: 4 }),
      3,
      { kind: 'claim', epoch: 5 },
    ],
  ])('%s', (_, current, tag, expected) => {
    expect(decideClaim(current, later, tag)).toEqual(expected);
  });

  it.each(['claimed', 'held'] as const)(
    'claims the next epoch where the incident that had it %s is over',
    (state) => {
      expect(decideClaim(recordOf({ state, epoch: 4 }), later, 4, true)).toEqual({
        kind: 'claim',
        epoch: 5,
      });
    },
  );

  it.each(['claimed', 'released', 'held', 'lost'] as const)(
    'claims once per incident: ours and %s stays as it is',
    (state) => {
      expect(decideClaim(recordOf({ state, epoch: 3 }), ids.incident, 3)).toEqual({
        kind: 'already-claimed',
        epoch: 3,
      });
    },
  );

  it('halts on a rewound ledger even where the older copy shows our own claim', () => {
    expect(decideClaim(recordOf({ epoch: 3 }), ids.incident, 5).kind).toBe('rewound');
  });

  it('gives every claim of any sequence of incidents an epoch above all before it', () => {
    const incident = fc
      .integer({ min: 1, max: 4 })
      .map((n) => incidentIdOf(cluster, ids.failed, n));
    const after = fc.constantFrom<Ownership['state']>('claimed', 'released', 'held', 'owned');
    const crash = fc.boolean();
    fc.assert(
      fc.property(fc.array(fc.tuple(incident, after, crash), { maxLength: 30 }), (given) => {
        let current: Ownership | undefined;
        let tag = 0;
        const claimed: { epoch: number; by: IncidentId }[] = [];
        for (const [incidentId, state, crashes] of given) {
          const decision = decideClaim(current, incidentId, tag);
          expect(decision.kind).not.toBe('rewound');
          if (decision.kind === 'claim') {
            tag = decision.epoch;
            // The tag is written first: a crash between the two leaves it one ahead.
            if (crashes) continue;
            claimed.push({ epoch: decision.epoch, by: incidentId });
            current = recordOf({ state, epoch: decision.epoch, incidentId });
          } else if (decision.kind === 'already-claimed' && current !== undefined) {
            current = { ...current, state };
          }
        }
        const epochs = claimed.map(({ epoch }) => epoch);
        expect(epochs).toEqual(epochs.map((_, i) => i + 1));
      }),
    );
  });
});
