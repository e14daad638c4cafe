import { createRng, type Rng } from '../core/random.ts';
import { drawApprover } from './approver.ts';
import { type FaultKind, type PlannedFault, type Scene, scenes } from './fault.ts';
import { agentFaults } from './faults/agents.ts';
import { clusterFaults } from './faults/cluster.ts';
import { ec2Faults } from './faults/ec2.ts';
import { eventFaults } from './faults/events.ts';
import { executionFaults } from './faults/executions.ts';
import { functionFaults } from './faults/functions.ts';
import { groupFaults } from './faults/groups.ts';
import { ledgerFaults } from './faults/ledger.ts';
import { messageFaults } from './faults/messages.ts';
import { pauseFaults } from './faults/pauses.ts';
import { peopleFaults } from './faults/people.ts';
import { recordFaults } from './faults/records.ts';
import { returnFaults } from './faults/returns.ts';
import { stepFaults } from './faults/steps.ts';
import { stormFaults } from './faults/storms.ts';
import { tagFaults } from './faults/tags.ts';
import { volumeFaults } from './faults/volumes.ts';
import { plainTraits, type Traits } from './stage.ts';

/** Every fault that can be injected. */
export const faultKinds: readonly FaultKind[] = [
  ...eventFaults,
  ...stepFaults,
  ...executionFaults,
  ...functionFaults,
  ...pauseFaults,
  ...ec2Faults,
  ...volumeFaults,
  ...tagFaults,
  ...ledgerFaults,
  ...recordFaults,
  ...clusterFaults,
  ...agentFaults,
  ...messageFaults,
  ...peopleFaults,
  ...groupFaults,
  ...stormFaults,
  ...returnFaults,
];

const byId = new Map(faultKinds.map((kind) => [kind.id, kind]));

/** Throws RangeError for an id that cannot be injected. */
export const faultKind = (id: string): FaultKind => {
  const kind = byId.get(id);
  if (kind === undefined) throw new RangeError(`no fault ${id} can be injected`);
  return kind;
};

/** What one seed plays: wholly decided by the seed and what was asked for. */
export interface Plan {
  seed: number;
  scene: Scene;
  traits: Traits;
  faults: PlannedFault[];
  /** How long faults go on after the failure, ms. */
  safetyMs: number;
}

export interface PlanRequest {
  seed: number;
  scene?: Scene;
  /** Exactly these; drawn from the seed if absent. */
  faults?: readonly string[];
}

const DCOS_VERSIONS = ['2.1', '2.0', '1.13.4', '1.12.4'];

/** How large the cluster is, who fails beside it and who else uses the account. */
const drawSurroundings = (rng: Rng): Partial<Traits> => {
  const alsoFails =
    rng.next() < 0.12
      ? { scene: rng.pick(['hung', 'stopped', 'terminated'] as const), afterS: rng.int(0, 240) }
      : undefined;
  return {
    agents: rng.pick(alsoFails ? [5, 5, 6, 9] : [4, 5, 5, 5, 6, 9]),
    alsoFails,
    neighbourStopsS: rng.next() < 0.2 ? rng.int(0, 240) : undefined,
    background: rng.next() < 0.3 ? rng.int(1, 5) / 10 : 0,
  };
};

const traitsFor = (rng: Rng, kinds: readonly FaultKind[]): Traits => {
  const drawn: Traits = {
    ...plainTraits,
    dcosVersion: rng.next() < 0.7 ? '2.1' : rng.pick(DCOS_VERSIONS),
    group: rng.next() < 0.3,
    deleteOnTermination: rng.next() < 0.2,
    volumes: rng.pick([1, 1, 1, 2, 3]),
    parameters: rng.next() < 0.5 ? {} : { FenceTerminate: 'when-stop-impossible' },
    ...drawSurroundings(rng.fork('surroundings')),
    approver: drawApprover(rng.fork('approvals')),
  };
  // Two that fail are a storm where one is the limit.
  if (drawn.alsoFails !== undefined && rng.fork('brake').next() < 0.5) {
    drawn.parameters = { ...drawn.parameters, StormLimit: '1' };
  }
  return Object.assign(drawn, ...kinds.map(({ traits }) => traits));
};

/** Two faults whose traits contradict each other cannot meet in one world. */
const fits = (kind: FaultKind, others: readonly FaultKind[]): boolean =>
  others.every((other) =>
    Object.keys(kind.traits ?? {}).every((trait) => !(trait in (other.traits ?? {}))),
  );

const isOfUse = (kind: FaultKind, scene: Scene): boolean => kind.scenes?.includes(scene) ?? true;

const FAULTS_MAX = 4;
const SCENES: readonly Scene[] = ['hung', 'hung', 'hung', 'stopped', 'stopped', 'terminated'];

/** Each seed owes one fault in turn, so that a few hundred seeds meet all of them. */
const owedBy = (seed: number): FaultKind[] =>
  faultKinds.slice(seed % faultKinds.length).slice(0, 1);

const drawKinds = (rng: Rng, scene: Scene, owed: readonly FaultKind[]): FaultKind[] => {
  const kinds = owed.filter((kind) => isOfUse(kind, scene));
  const wanted = rng.int(1, FAULTS_MAX);
  for (const kind of rng.shuffle(faultKinds)) {
    if (kinds.length === wanted) break;
    const isNew = !kinds.includes(kind);
    if (isNew && isOfUse(kind, scene) && fits(kind, kinds)) kinds.push(kind);
  }
  return kinds;
};

const sceneFor = (rng: Rng, asked: readonly FaultKind[]): Scene => {
  const drawn = rng.next() < 0.15 ? rng.pick(scenes) : rng.pick(SCENES);
  if (asked.every((kind) => isOfUse(kind, drawn))) return drawn;
  const fitting = scenes.filter((scene) => asked.every((kind) => isOfUse(kind, scene)));
  return fitting.length > 0 ? rng.pick(fitting) : drawn;
};

/**
 * The plan of a seed. Each fault draws its parameters from its own stream, so a plan with one
 * fault less leaves the others as they were.
 */
export const planFor = (request: PlanRequest): Plan => {
  const { seed } = request;
  const rng = createRng(`${seed}/plan`);
  const asked = request.faults?.map(faultKind) ?? owedBy(seed);
  const scene = request.scene ?? sceneFor(rng.fork('scene'), asked);
  const kinds = request.faults ? asked : drawKinds(rng.fork('kinds'), scene, asked);
  return {
    seed,
    scene,
    traits: traitsFor(rng.fork('traits'), kinds),
    faults: kinds.map((kind) => ({ id: kind.id, params: kind.draw(rng.fork(kind.id)) })),
    safetyMs: rng.fork('safety').int(4, 8) * 60_000,
  };
};
