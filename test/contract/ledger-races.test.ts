import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LedgerUnavailableError } from '../../src/domain/errors.ts';
import { type InstanceId, incidentIdOf, type VolumeId } from '../../src/domain/ids.ts';
import { decideClaim } from '../../src/domain/ownership.ts';
import type { IncidentLedger, OwnershipLedger } from '../../src/ports/ledger.ts';
import type { Ledgers } from './ledger.ts';
import { type Dynalite, intercept, ledgersOn, startDynalite } from './ledger-dynalite.ts';
import { cluster, newInstanceId, signalOf, t } from './ledger-samples.ts';

/*
 * Executions race for the same records. The scheduler decides whose request reaches DynamoDB next,
 * so every interleaving of single requests can happen; some answers get lost after the write.
 */
let dynalite: Dynalite;
let contenders: readonly [Ledgers, Ledgers];
let calm: Ledgers;

/** How the race at hand is run; set anew for each. */
let race: { readonly scheduler: fc.Scheduler; readonly lost: Iterator<boolean> };

/** Planted: puts happen whatever their condition says. */
let conditionsIgnored = false;
const unconditional = {
  ConditionExpression: undefined,
  ExpressionAttributeNames: undefined,
  ExpressionAttributeValues: undefined,
};

beforeAll(async () => {
  dynalite = await startDynalite();
  const table = await dynalite.table();
  calm = ledgersOn({ client: dynalite.client(), table });
  const contender = (): Ledgers => {
    const client = intercept(dynalite.client(), async ({ name, input, isWrite }, send) => {
      if (conditionsIgnored && name === 'PutItemCommand') Object.assign(input, unconditional);
      let answer: ReturnType<typeof send> | undefined;
      // The scheduler is told when, not what: it would print every answer, and wants no rejections.
      const turn = race.scheduler.scheduleFunction(async () => {
        answer = send();
        await Promise.allSettled([answer]);
      });
      await turn();
      if (answer === undefined) throw new Error(`${name} had no turn`);
      if (isWrite && race.lost.next().value === true) throw new Error(`answer of ${name} lost`);
      return answer;
    });
    return ledgersOn({ client, table });
  };
  contenders = [contender(), contender()];
});
afterAll(() => dynalite.close());

/** About one answer in eight is lost. */
const losses = fc.infiniteStream(fc.integer({ min: 0, max: 7 }).map((n) => n === 0));

/** Runs both executions under many schedules, and checks what each run ends with. */
const underAnyInterleaving = <T>(
  compete: (ledgers: Ledgers, instanceId: InstanceId, name: string) => Promise<T>,
  check: (ours: T, theirs: T, instanceId: InstanceId) => Promise<void>,
  given: (instanceId: InstanceId) => Promise<unknown> = async () => undefined,
): Promise<void> =>
  fc.assert(
    fc.asyncProperty(fc.scheduler(), losses, async (scheduler, lost) => {
      const instanceId = newInstanceId();
      await given(instanceId);
      race = { scheduler, lost };
      const [one, two] = contenders;
      const [ours, theirs] = await scheduler.waitFor(
        Promise.all([compete(one, instanceId, 'a'), compete(two, instanceId, 'b')]),
      );
      await check(ours, theirs, instanceId);
    }),
    // Few, because each is some thirty requests; a lost update shows within five.
    { numRuns: 25, endOnFailure: conditionsIgnored },
  );

/** undefined when the answer was lost: then the contender looks again, as a retried step does. */
const attempt = async <T>(act: () => Promise<T>): Promise<T | undefined> => {
  try {
    return await act();
  } catch (error) {
    if (error instanceof LedgerUnavailableError) return undefined;
    throw error;
  }
};

const rounds = [1, 2, 3] as const;

/** Claims the volume whenever the domain allows, and lets go of it; answers the epochs it got. */
const claimer = async (ledger: OwnershipLedger, volumeId: VolumeId, from: InstanceId) => {
  const incidentId = incidentIdOf(cluster, from, 1);
  const epochs: number[] = [];
  for (const round of rounds) {
    await attempt(async () => {
      const current = await ledger.ownership(volumeId);
      const decision = decideClaim(current, incidentId, 0);
      if (decision.kind === 'refuse' || decision.kind === 'rewound') return;
      const { epoch } = decision;
      const claim = { volumeId, name: 'mysql', state: 'claimed', epoch, incidentId, from } as const;
      const ours =
        decision.kind === 'already-claimed' ||
        (await ledger.claim(current, { ...claim, token: round }, t(round))) === 'claimed';
      if (!ours) return;
      epochs.push(epoch);
      await ledger.advance({ ...claim, state: 'owned', token: round, owner: from }, t(round));
    });
  }
  return epochs;
};

const taker = async (ledger: IncidentLedger, instanceId: InstanceId): Promise<number[]> => {
  const tokens: number[] = [];
  for (const round of rounds) {
    const taken = await attempt(async () => {
      const incident = await ledger.openIncidentOf(instanceId);
      return incident ? ledger.takeOver(incident.id, incident.token, t(round)) : 'lost';
    });
    if (taken !== undefined && taken !== 'lost') tokens.push(taken.token);
  }
  return tokens;
};

const clusterOf = (instanceId: InstanceId): string => `cluster-${instanceId}`;

/** Brings signals and closes what is open in between; answers the incidents it opened. */
const opener = async (
  ledger: IncidentLedger,
  instanceId: InstanceId,
  name: string,
): Promise<string[]> => {
  const opened: string[] = [];
  for (const round of rounds) {
    await attempt(async () => {
      const signal = signalOf(instanceId, `${name}-${round}`, t(round));
      const { kind, incident } = await ledger.admit(clusterOf(instanceId), signal);
      if (kind === 'opened') opened.push(incident.id);
      if (round === 2) await ledger.close(incident.id, 1, { status: 'recovered' }, t(9));
    });
  }
  return opened;
};

describe('under any interleaving of two executions', () => {
  const volumeOf = (instanceId: InstanceId) => instanceId.replace('i-', 'vol-') as VolumeId;
  const claimsCompete = () =>
    underAnyInterleaving(
      ({ ownership }, instanceId) => claimer(ownership, volumeOf(instanceId), newInstanceId()),
      async (ours, theirs, instanceId) => {
        expect(ours).toEqual([...ours].sort((a, b) => a - b));
        expect(ours.filter((epoch) => theirs.includes(epoch))).toEqual([]);

        const past = await calm.ownership.history(volumeOf(instanceId));
        const last = await calm.ownership.ownership(volumeOf(instanceId));
        const epochs = [...past, ...(last ? [last] : [])].map(({ epoch }) => epoch);
        expect(epochs).toEqual(epochs.map((_, i) => i + 1));
        expect(epochs).toEqual(expect.arrayContaining([...ours, ...theirs]));
      },
    );

  it('no epoch of a volume is granted to both', claimsCompete);

  it('an epoch is granted to both once conditions are ignored, so the check above bites', async () => {
    conditionsIgnored = true;
    try {
      await expect(claimsCompete()).rejects.toThrow('Property failed');
    } finally {
      conditionsIgnored = false;
    }
  });

  it('no token of an incident is given to both', () =>
    underAnyInterleaving(
      ({ incidents }, instanceId) => taker(incidents, instanceId),
      async (ours, theirs, instanceId) => {
        const tokens = [...ours, ...theirs];
        expect(new Set(tokens).size).toBe(tokens.length);
        const incident = await calm.incidents.openIncidentOf(instanceId);
        expect(Math.max(1, ...tokens)).toBeLessThanOrEqual(incident?.token ?? 0);
      },
      (instanceId) => calm.incidents.admit(cluster, signalOf(instanceId)),
    ));

  it('an instance has one open incident, and the next signal repairs what a race left', () =>
    underAnyInterleaving(
      ({ incidents }, instanceId, name) => opener(incidents, instanceId, name),
      async (ours, theirs, instanceId) => {
        const opened = [...ours, ...theirs];
        expect(new Set(opened).size).toBe(opened.length);

        const { incidents } = calm;
        const own = clusterOf(instanceId);
        const { incident } = await incidents.admit(own, signalOf(instanceId, 'last', t(99)));
        expect(await incidents.openIncidentOf(instanceId)).toEqual(incident);
        expect(await incidents.openIncidents(own)).toContain(incident.id);
        for (let n = 1; n < incident.n; n += 1) {
          const earlier = await incidents.incident(incidentIdOf(own, instanceId, n));
          expect(earlier?.status).toBe('recovered');
        }
      },
    ));
});
