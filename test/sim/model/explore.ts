import { forget, program, reads } from './execution.ts';
import type { Rules } from './rules.ts';
import {
  adopted,
  type Execution,
  initial,
  nameOf,
  newExecution,
  nowIn,
  type State,
} from './state.ts';

/** What the world around the executions does next, if it can. */
interface Happening {
  readonly says: string;
  may(state: State): boolean;
  happen(state: State): void;
}

const isPatient = ({ at }: Execution): boolean => at === 'look at the volume';

/** What may happen only so often. */
const spend = (key: keyof State['left'], { says, may, happen }: Happening): Happening => ({
  says,
  may: (state) => state.left[key] > 0 && may(state),
  happen: (state) => {
    state.left[key] -= 1;
    happen(state);
  },
});

const happenings = (rules: Rules, restoresMidway: boolean): readonly Happening[] => [
  {
    says: 'the power goes off',
    may: ({ machine }) => machine.power === 'stopping',
    happen: ({ machine }) => {
      machine.power = 'stopped';
    },
  },
  {
    says: 'the detach completes',
    may: ({ volume }) => volume === 'detaching',
    happen: (state) => {
      state.volume = 'free';
    },
  },
  {
    says: 'Marathon attaches the volume to the new instance',
    may: ({ volume }) => volume === 'free',
    happen: (state) => {
      state.volume = 'new';
    },
  },
  spend('deadlines', {
    says: 'the partial deadline passes',
    may: ({ executions, detaches }) => detaches.length > 0 && executions.some(isPatient),
    happen: ({ executions }) => {
      for (const execution of executions.filter(isPatient)) execution.at = 'load the hand-off';
    },
  }),
  spend('recoveries', {
    says: 'the old instance recovers by itself',
    may: ({ machine }) => machine.power === 'running' && !machine.healthy,
    happen: ({ machine }) => {
      machine.healthy = true;
    },
  }),
  spend('starts', {
    says: 'an operator starts the old instance',
    may: ({ machine }) => machine.power === 'stopped',
    happen: ({ machine }) => {
      Object.assign(machine, { power: 'running', launch: machine.launch + 1, healthy: true });
    },
  }),
  spend('stops', {
    says: 'an operator stops the old instance',
    may: ({ machine }) => machine.power === 'running',
    happen: ({ machine }) => {
      machine.power = 'stopping';
    },
  }),
  spend('executions', {
    says: 'another execution takes the incident over',
    may: ({ incident }) => incident.status === 'open',
    happen: ({ incident, executions }) => {
      if (rules.raisesToken) incident.token += 1;
      incident.boundTo = -1;
      executions.push(newExecution(incident.n, incident.token));
    },
  }),
  spend('duplicates', {
    says: 'a signal comes twice and starts an execution of the same token',
    may: ({ incident }) => incident.status === 'open',
    happen: ({ incident, executions }) => {
      executions.push(newExecution(incident.n, incident.token));
    },
  }),
  spend('restores', {
    says: 'the ledger is restored from before the incident, and the next incident begins',
    may: ({ incident }) => incident.n === 1 && (incident.status === 'recovered' || restoresMidway),
    happen: (state) => {
      state.owner = adopted;
      state.incident = { n: 2, token: 1, boundTo: -1, status: 'open' };
      state.detaches = [];
      // A restore takes longer than any function may live: nothing frozen outlasts it.
      for (const [index, execution] of state.executions.entries()) {
        state.executions[index] = forget({ ...execution, at: 'over' });
      }
      state.executions.push(newExecution(2, 1));
    },
  }),
  spend('executions', {
    says: 'the next incident of the volume begins',
    may: ({ incident }) => incident.n === 1 && incident.status === 'recovered',
    happen: (state) => {
      state.incident = { n: 2, token: 1, boundTo: -1, status: 'open' };
      state.executions.push(newExecution(2, 1));
    },
  }),
];

const two = (state: State): boolean => {
  const { incident } = state;
  const working = state.executions.filter(
    ({ at, token, incident: n }) =>
      at !== 'over' && at !== 'bind' && token === incident.token && n === incident.n,
  );
  return incident.status === 'open' && working.length > 1;
};

interface Turn {
  readonly says: string;
  readonly state: State;
}

const turnsOf = function* (
  name: string,
  rules: Rules,
  world: readonly Happening[],
): Generator<Turn> {
  const now = nowIn(name);
  const fresh = (): State => JSON.parse(name) as State;
  const here = fresh();
  for (const happening of world) {
    if (!happening.may(here)) continue;
    const state = fresh();
    happening.happen(state);
    yield { says: happening.says, state };
  }
  for (const [index, { at }] of here.executions.entries()) {
    if (at === 'over') continue;
    const who = `execution ${index + 1}`;
    for (const stale of reads.includes(at) && here.left.staleReads > 0 ? [false, true] : [false]) {
      const state = fresh();
      const me = state.executions[index];
      if (me === undefined) continue;
      if (stale) state.left.staleReads -= 1;
      me.at = program[at]({ state, me, index, now, rules, stale });
      state.executions[index] = forget(me);
      if (two(state)) state.broken ??= 'S5: two executions hold the same token';
      yield { says: `${who}: ${at}${stale ? ' (a stale answer)' : ''}`, state };
    }
  }
};

export interface Exploration {
  readonly rules: Rules;
  readonly left: State['left'];
  /** The ledger may be restored while the incident is still open. */
  readonly restoresMidway?: boolean;
}

export interface Explored {
  readonly states: number;
  readonly transitions: number;
  /** States in which the incident ended with the volume at its new owner. */
  readonly recovered: number;
  /** The shortest way to a broken law. */
  readonly violation?: { readonly law: string; readonly path: readonly string[] };
}

/**
 * Every state that can be reached, breadth first, so that the first violation found is one of the
 * shortest. Nothing is drawn at random.
 */
export const explore = (options: Exploration): Explored => {
  const first = nameOf(initial(options.left));
  const cameFrom = new Map<string, { readonly from: string; readonly says: string } | undefined>([
    [first, undefined],
  ]);
  const pathTo = (name: string): string[] => {
    const step = cameFrom.get(name);
    return step === undefined ? [] : [...pathTo(step.from), step.says];
  };
  const world = happenings(options.rules, options.restoresMidway ?? false);
  let transitions = 0;
  let recovered = 0;
  // A Map is walked in the order of insertion, entries added on the way included.
  for (const name of cameFrom.keys()) {
    for (const { says, state } of turnsOf(name, options.rules, world)) {
      transitions += 1;
      if (state.broken !== undefined) {
        const violation = { law: state.broken, path: [...pathTo(name), says] };
        return { states: cameFrom.size, transitions, recovered, violation };
      }
      const next = nameOf(state);
      if (cameFrom.has(next)) continue;
      cameFrom.set(next, { from: name, says });
      if (state.incident.status === 'recovered' && state.volume === 'new') recovered += 1;
    }
  }
  return { states: cameFrom.size, transitions, recovered };
};
