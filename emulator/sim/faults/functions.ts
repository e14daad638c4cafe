import { createRng } from '../../core/random.ts';
import type { Item } from '../../services/dynamodb/attribute-value.ts';
import { currentInvocation } from '../../services/lambda/environment.ts';
import type { AslMachine } from '../../services/states/definition.ts';
import { createStretch, drawStretch, type FaultKind, fault } from '../fault.ts';
import type { Site } from '../site.ts';
import { afterStart } from './moments.ts';

/** Others in the account use up what may run at once, from the first signal on or a little later. */
const throttled = fault('LM-CC', {
  draw: (rng) => ({
    fromS: rng.pick([0, 0, 1, 2, 5, 15]),
    forS: rng.int(10, 120),
    left: rng.pick([0, 0, 1]),
  }),
  arm: (site, { fromS, forS, left }) => {
    const { stage, time } = site;
    let begun: number | undefined;
    site.on('deliver', ({ detail }) => {
      if (JSON.stringify(detail).includes(stage.failing.instanceId)) begun ??= time.now();
      return undefined;
    });
    site.on('concurrency', (_, running) => {
      const afterMs = begun === undefined ? -1 : time.now() - begun;
      if (afterMs < fromS * 1000 || afterMs >= (fromS + forS) * 1000) return Infinity;
      if (running >= left) site.hit('LM-CC');
      return left;
    });
  },
});

/** Facets and attributes that came after the first version, which wrote records without them. */
const LATER: Readonly<Record<string, string>> = { STATE: 'placement', INVENTORY: 'silence' };

const asWrittenBefore = (item: Item): Item => {
  const { sk } = item;
  const later = sk && 'S' in sk ? LATER[sk.S] : undefined;
  const kept = Object.entries(item).filter(([name]) => name !== later);
  // What another version has besides is none of our business.
  return { ...Object.fromEntries(kept), writtenBy: { S: 'another version' } };
};

/** The same workflow with one state more, so that what runs and what starts have different ones. */
const nextDefinition = ({ StartAt, States, ...rest }: AslMachine): AslMachine => ({
  ...rest,
  StartAt: 'CheckIn',
  States: { CheckIn: { Type: 'Pass', Next: StartAt }, ...States },
});

/**
 * New code and a new workflow while an incident is open: every environment starts again, the
 * execution goes on with the definition it began with, the ledger holds what the old code wrote.
 */
const deployed = fault('LM-DEP', {
  draw: (rng) => ({ afterS: rng.int(0, 40) }),
  arm: (site, { afterS }) =>
    afterStart(site, afterS, () => {
      const { world } = site;
      site.hit('LM-DEP');
      world.lambda.redeploy();
      world.dynamodb.edit(world.infra.resource('LedgerTable').ref, asWrittenBefore);
      const [running] = world.states.executions();
      const definition = running && JSON.stringify(nextDefinition(running.definition));
      const body = { stateMachineArn: running?.machine.arn, definition };
      void site.operator('states', { operation: 'UpdateStateMachine', body });
    }),
});

/** A zone that our functions run in is lost: nothing gets out of it, or its machines die. */
const badZone = fault('AZ-05', {
  draw: (rng) => ({ ...drawStretch(rng), zone: rng.pick(['a', 'b', 'c']), dies: rng.next() < 0.5 }),
  arm: (site, { zone, dies, ...params }) => {
    const within = createStretch(site, params);
    let isOn = false;
    const isThere = (): boolean => {
      const is = isOn && currentInvocation()?.environment.zone.at(-1) === zone;
      if (is) site.hit('AZ-05');
      return is;
    };
    site.on('request', (passing) => {
      isOn = within(passing);
      return !dies && isThere() ? { delayMs: 100_000 } : undefined;
    });
    site.on('crash', () => dies && isThere());
  },
});

/** Tells of each invocation once, when it first asks for something by a clock that is off. */
const seenBy = (site: Site, id: string, isOff: () => boolean): void => {
  const seen = new Set<string>();
  site.on('request', ({ invocationId }) => {
    if (!seen.has(invocationId) && isOff()) site.hit(id);
    seen.add(invocationId);
    return undefined;
  });
};

const SKEW_MS = 5 * 60_000;

const clockFaults: readonly FaultKind[] = [
  fault('CK-01', {
    // A clock ahead of the one that noted a Stop sees its budget used up, and takes to Force.
    mayHold: ['weak-fence'],
    draw: (rng) => ({ seed: rng.hex(8) }),
    arm: (site, { seed }) => {
      const offBy = new Map<number, number>();
      const skewOf = (environment: number): number => {
        const known = offBy.get(environment);
        if (known !== undefined) return known;
        const drawn = createRng(`${seed}/${environment}`).int(-SKEW_MS, SKEW_MS);
        offBy.set(environment, drawn);
        return drawn;
      };
      site.on('clock', ({ environment }) => skewOf(environment.id));
      seenBy(site, 'CK-01', () => true);
    },
  }),
  fault('CK-02', {
    draw: (rng) => ({ aheadS: rng.int(1, 600), afterS: rng.int(0, 60) }),
    arm: (site, { aheadS, afterS }) => {
      let aheadMs = aheadS * 1000;
      site.on('clock', () => aheadMs);
      afterStart(site, afterS, () => {
        aheadMs = 0;
      });
      seenBy(site, 'CK-02', () => aheadMs === 0);
    },
  }),
  fault('CK-04', {
    draw: (rng) => ({ aheadS: rng.int(60, 3_600) }),
    arm: (site, { aheadS }) => {
      const isSweep = (functionName?: string): boolean => functionName === 'sweep';
      site.on('clock', ({ functionName }) => (isSweep(functionName) ? aheadS * 1000 : 0));
      const runs = (): boolean =>
        site.world.states.executions().some((e) => e.status === 'RUNNING');
      seenBy(site, 'CK-04', () => isSweep(currentInvocation()?.functionName) && runs());
    },
  }),
];

export const functionFaults: readonly FaultKind[] = [throttled, deployed, badZone, ...clockFaults];
