import type { EpochMs } from '../../../src/domain/ids.ts';
import type { Facts } from '../../../src/domain/incident.ts';
import type { Instance, Volume } from '../../../src/domain/machine.ts';
import type { Policy } from '../../../src/domain/policy.ts';
import type { Rules } from './rules.ts';
import {
  type Execution,
  instanceOf,
  launchTimeOf,
  type Place,
  type State,
  volumeId,
  volumeOf,
} from './state.ts';

/** What one step of an execution may read and change. */
export interface Moment {
  readonly state: State;
  readonly me: Execution;
  readonly index: number;
  readonly now: EpochMs;
  readonly rules: Rules;
  /** EC2 answers this read from a world that is not (yet, or any more) the true one. */
  readonly stale: boolean;
}

/** One step: changes the state, answers where the execution stands after it. */
export type Step = (moment: Moment) => Place;

export const policy: Policy = {
  impairedGraceMs: 0,
  fenceTerminate: 'never',
  weakFence: 'hold',
  weakFenceSettleMs: 0,
  forceDetach: 'after-proof',
  partialDeadlineMs: 60_000,
  rexrayPreempt: 'off',
  partitionedAgent: 'ask',
  partitionedGraceMs: 0,
  blindLimit: 1,
  blindLimitPercent: 100,
  stormLimit: 1,
  stormLimitPercent: 100,
  stormWindowMs: 900_000,
  stormCoolDownMs: 300_000,
  blockPeriodMs: 0,
  drainReserveMs: 60_000,
};

export const facts: Facts = {
  at: 0 as EpochMs,
  launchTime: launchTimeOf(1),
  state: 'running',
  availabilityZone: 'a',
  agentIds: [],
  volumes: [
    {
      volumeId,
      name: 'mysql',
      device: '/dev/xvdf',
      availabilityZone: 'a',
      deleteOnTermination: false,
      appIds: ['/mysql'],
    },
  ],
  leftAlone: [],
  apps: [],
  tasks: [],
};

/** What a conditional write of the ledger asks for: this incident, open, under this token. */
export const holds = ({ state: { incident }, me, rules }: Moment): boolean =>
  incident.n === me.incident &&
  incident.status === 'open' &&
  (incident.token === me.token || !rules.checksToken);

/** Steps that begin with a write under the token: a lost race ends the execution. */
export const under =
  (step: Step): Step =>
  (moment) =>
    holds(moment) ? step(moment) : 'over';

/** A call is on its way: nothing stops it, but only one such call may still take effect. */
export const call =
  (step: Step): Step =>
  (moment) => {
    const { state, me } = moment;
    const { incident } = state;
    if (incident.token !== me.token || incident.n !== me.incident) me.late += 1;
    if (me.late > 1) state.broken = 'S4: a replaced execution made a second call';
    return step(moment);
  };

/** Stale reads say off, of a machine that is up; or free, of a volume that is held. */
export const readInstance = ({ state, stale }: Moment): Instance =>
  stale ? { ...instanceOf(state.machine), state: 'stopped' } : instanceOf(state.machine);
export const readVolume = ({ state, stale }: Moment): Volume =>
  stale ? volumeOf({ ...state, volume: 'free' }) : volumeOf(state);

export const isOff = ({ machine }: State): boolean => machine.power === 'stopped';
