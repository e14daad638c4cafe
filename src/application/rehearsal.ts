import { CloudRefusedError } from '../domain/errors.ts';
import { type IncidentId, isRehearsal } from '../domain/ids.ts';
import type { HoldReason, Incident } from '../domain/incident.ts';
import type { Volume } from '../domain/machine.ts';
import type { Ownership } from '../domain/ownership.ts';
import { wouldBeAllowed } from '../domain/plan.ts';
import type { DcosCapabilities } from '../domain/service.ts';
import type { IncidentLedger } from '../ports/ledger.ts';
import type { Clock } from '../ports/system.ts';
import { hold } from './step.ts';

/*
 * A dry run goes through the same states and the same code. Its incident is a record of its own that
 * nobody joins; whatever would change something else is put in the place of the real thing here, and
 * answers as if it had been done. EC2 is asked whether it would allow it (DryRun).
 */

type Part = Readonly<Record<string, unknown>>;

/** What a step is given: ports by their names. */
interface StepDeps {
  readonly ledger?: object;
  readonly compute?: object;
  readonly autoScaling?: object;
  readonly orchestrator?: object;
}

interface Keys {
  readonly incidentId: IncidentId;
}

/** `read` where nothing stands in for it. */
const over = <Port extends object>(real: Port, stand: Part): Port =>
  new Proxy(real, {
    get: (target, name) => {
      const member = name in stand ? stand[String(name)] : Reflect.get(target, name);
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });

const accepted = { kind: 'accepted', receipt: {} } as const;

/**
 * What EC2 says to a call that it is only asked about: `DryRunOperation` means that it would do it.
 * Everything else is thrown or answered as it would be. An answer of success to a dry run would mean
 * that it was done: then nothing is believed any more.
 */
const asked =
  (call: (...input: never[]) => Promise<unknown>, answer: unknown) =>
  async (...input: never[]): Promise<unknown> => {
    try {
      const said = await call(...input);
      const isRefusal = typeof said === 'object' && said !== null && 'kind' in said;
      if (isRefusal && said.kind !== 'accepted') return said;
    } catch (error) {
      if (error instanceof CloudRefusedError && error.details.code === 'DryRunOperation') {
        return answer;
      }
      throw error;
    }
    throw new RangeError('EC2 answered a dry run as if it had been done');
  };

/** Power, attachments, flags and tags: asked for by DryRun, and from then on as if done. */
const computeOf = (real: object, asking: object, stage: Stage): Part => {
  const ask = (name: string, answer: unknown): Part => {
    const call: unknown = Reflect.get(asking, name);
    return typeof call === 'function' ? { [name]: asked(call.bind(asking), answer) } : {};
  };
  const after = (name: string, note: (input: readonly unknown[]) => void): Part => {
    const { [name]: call } = ask(name, accepted);
    if (typeof call !== 'function') return {};
    return {
      [name]: async (...input: readonly unknown[]) => {
        const answer = await call(...input);
        if (answer === accepted) note(input);
        return answer;
      },
    };
  };
  const read = (name: string, ...input: unknown[]): Promise<unknown> =>
    Reflect.apply(Reflect.get(real, name), real, input);
  const off = ({ attachments, ...volume }: Volume): Volume =>
    stage.isOff(volume.volumeId)
      ? { ...volume, state: 'available', attachments: [] }
      : { ...volume, attachments };
  const instance = async (id: unknown) => {
    const seen = await read('instance', id);
    if (typeof seen !== 'object' || seen === null) return seen;
    const { devices = [] } = seen as { devices?: object[] };
    const kept = devices.map((device) => ({ ...device, deleteOnTermination: false }));
    return {
      ...seen,
      ...(stage.isDown && { state: 'stopped' }),
      ...(stage.areKept && { devices: kept }),
    };
  };
  return {
    ...after('stop', () => {
      stage.isDown = true;
    }),
    ...after('terminate', () => {
      stage.isDown = true;
    }),
    ...after('detach', ([volumeId]) => {
      stage.detached.add(String(volumeId));
    }),
    ...ask('tagVolume', {}),
    ...ask('markQuarantined', {}),
    ...(() => {
      const { keepOnTermination } = ask('keepOnTermination', {});
      if (typeof keepOnTermination !== 'function') return {};
      return {
        keepOnTermination: async (...input: unknown[]) => {
          const answer = await keepOnTermination(...input);
          stage.areKept = true;
          return answer;
        },
      };
    })(),
    instance,
    volumes: async (ids: unknown) => ((await read('volumes', ids)) as Volume[]).map(off),
  };
};

/** Mesos, Marathon and Auto Scaling know no dry run: nothing is sent. */
const orchestratorOf = (real: object, stage: Stage, appIds: readonly string[]): Part => ({
  deactivate: async () => true,
  reactivate: async () => true,
  drain: async () => {
    const dcos: DcosCapabilities = await Reflect.apply(Reflect.get(real, 'capabilities'), real, []);
    stage.isMoved = dcos.deactivateAgent;
    return stage.isMoved ? 'accepted' : 'unsupported';
  },
  killTask: async () => {
    stage.isMoved = true;
    return true;
  },
  markGone: async () => 'accepted',
  queue: async () => appIds.map((appId) => ({ appId, delayMs: 1 })),
  clearLaunchDelay: async () => undefined,
  replaceUnreachableTask: async () => undefined,
});

const autoScaling: Part = {
  enterStandby: async () => accepted,
  exitStandby: async () => accepted,
  suspendReplacement: async () => ({}),
  resumeReplacement: async () => ({}),
  heartbeat: async () => accepted,
  completeHook: async () => accepted,
};

/**
 * Nobody else's record is written: not who owns a volume, not the storm's, not the slot of moves. Who
 * has said stop is told in the plan; here it would hide what comes after it.
 */
const ledgerOf = (real: object, { incident, released }: Stage): Part => {
  const read = (name: string, ...input: unknown[]): Promise<unknown> =>
    Reflect.apply(Reflect.get(real, name), real, input);
  return {
    control: async (cluster: unknown) => {
      const { paused: _paused, ...control } = (await read('control', cluster)) as Part;
      return { ...control, maintenance: {} };
    },
    openIncidents: async () => [],
    claim: async () => 'claimed',
    advance: async () => 'saved',
    adopt: async () => 'known',
    ownership: async (volumeId: unknown) => {
      const found = (await read('ownership', volumeId)) as Ownership | undefined;
      if (incident.protection === undefined || found?.incidentId === incident.id) return found;
      const { id: incidentId, instanceId: from, token } = incident;
      const epoch = (found?.epoch ?? 0) + 1;
      const state = released ? 'released' : 'claimed';
      const name = found?.name ?? String(volumeId);
      return { volumeId, name, state, epoch, from, incidentId, token };
    },
    letThrough: async () => 'recorded',
    joinStorm: async () => undefined,
    leaveStorm: async () => undefined,
    saveQuarantine: async () => 'saved',
    takeSlot: async (_cluster: unknown, id: unknown) => id,
    freeSlot: async () => undefined,
    // A step's audit says what would have become of it.
    conclude: async (id: unknown, seq: unknown, outcome: { kind: string; at: number }) => {
      const error = wouldBeAllowed;
      const said =
        outcome.kind === 'accepted' ? { kind: 'refused', at: outcome.at, error } : outcome;
      return read('conclude', id, seq, said);
    },
  };
};

/** How far the rehearsal is, as this step must see the world. */
interface Stage {
  readonly incident: Incident;
  readonly released: boolean;
  readonly detached: Set<string>;
  isDown: boolean;
  areKept: boolean;
  isMoved: boolean;
  isOff(volumeId: string): boolean;
}

const stageOf = (incident: Incident, step: string): Stage => {
  const detached = new Set<string>();
  const released = step === 'HandOff' || step === 'CloseIncident';
  const stage: Stage = {
    incident,
    released,
    detached,
    isDown: incident.fence?.proof !== undefined,
    areKept: false,
    isMoved: false,
    isOff: (volumeId) => stage.isMoved || released || detached.has(volumeId),
  };
  return stage;
};

const appIdsOf = ({ facts }: Incident): readonly string[] => [
  ...new Set((facts?.volumes ?? []).flatMap(({ appIds }) => appIds)),
];

/** The same ports, behind which nothing is changed. */
const dry = <Deps extends StepDeps>(deps: Deps, asking: object, stage: Stage): Deps => {
  const { autoScaling: groups, compute, ledger, orchestrator } = deps;
  const appIds = appIdsOf(stage.incident);
  return {
    ...deps,
    events: { publish: async () => true },
    pace: {
      draw: async (_: unknown, __: unknown, now: number) => now,
      drawEarly: async (_: unknown, __: unknown, now: number) => now,
    },
    ...(ledger && { ledger: over(ledger, ledgerOf(ledger, stage)) }),
    ...(compute && { compute: over(compute, computeOf(compute, asking, stage)) }),
    ...(groups && { autoScaling: over(groups, autoScaling) }),
    ...(orchestrator && {
      orchestrator: over(orchestrator, orchestratorOf(orchestrator, stage, appIds)),
    }),
  };
};

/** Where the other workflow, or the quarantine, would go on: a rehearsal says so and ends. */
const turns: Readonly<Record<string, { reason: HoldReason; says: string }>> = {
  planned: {
    reason: 'not-due',
    says: 'it works, and something is announced for it: it would be moved instead of fenced',
  },
  returned: {
    reason: 'returned-agent',
    says: 'it was fenced before and runs again without data: it would only be kept from work',
  },
  failover: {
    reason: 'cannot-drain',
    says: 'it has failed, or no time is left for a move: it would be failed over',
  },
};

export interface Rehearsable<Deps> {
  /** As in the state machine. */
  readonly step: string;
  readonly deps: Deps;
  /** The calls of `compute` that change something, as EC2 is only asked about them. */
  readonly asking?: () => object;
}

/**
 * A step for incidents and for rehearsals: the id says which it is, so that no rehearsal can ever reach
 * what changes something.
 */
export const rehearsable = <
  Deps extends StepDeps & {
    readonly ledger: Pick<IncidentLedger, 'incident' | 'save'>;
    readonly clock: Clock;
  },
  Input extends Keys,
  Decision extends { readonly kind: string },
>(
  { asking = () => ({}), deps, step }: Rehearsable<Deps>,
  make: (deps: Deps) => (input: Input) => Promise<Decision>,
): ((input: Input) => Promise<Decision | { kind: 'hold'; reason: HoldReason }>) => {
  const real = make(deps);
  return async (input) => {
    if (!isRehearsal(input.incidentId)) return real(input);
    const incident = await deps.ledger.incident(input.incidentId);
    if (incident === undefined) return real(input);
    const { clock, ledger } = deps;
    const decision = await make(dry(deps, asking(), stageOf(incident, step)))(input);
    const turn = turns[decision.kind];
    if (turn === undefined) return decision;
    const after = (await ledger.incident(incident.id)) ?? incident;
    return hold(ledger, after, turn, clock.now());
  };
};
