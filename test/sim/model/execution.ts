import {
  claim,
  loadFence,
  look,
  lookAgain,
  planClaim,
  saveProof,
  saveRung,
  stop,
} from './fencing.ts';
import { call, readVolume, type Step, under } from './moment.ts';
import {
  concludeDetach,
  detach,
  intendDetach,
  loadHandOff,
  loadRelease,
  lookAtVolume,
  markGone,
  recordRelease,
  verify,
  voidProof,
} from './releasing.ts';
import type { Execution, Place } from './state.ts';

/** The workflow of one execution, cut wherever it can be frozen or die. */
export const program: Readonly<Record<Exclude<Place, 'over'>, Step>> = {
  bind: under(({ state: { incident }, index }) => {
    if (incident.boundTo !== -1 && incident.boundTo !== index) return 'over';
    incident.boundTo = index;
    return 'read the claim';
  }),
  'read the claim': under(planClaim),
  'intend the mark': under(() => 'mark the epoch'),
  'mark the epoch': call(({ state, me }) => {
    state.mark = me.epoch ?? state.mark;
    return 'claim';
  }),
  claim,
  'load the fence': under(loadFence),
  look,
  'intend the stop': under(saveRung(false, 'stop')),
  stop: call(stop),
  'save the stop': under(saveRung(true, 'look')),
  'look again': lookAgain,
  'save the proof': under(saveProof),
  'load the release': under(loadRelease),
  'look at the volume': lookAtVolume,
  'intend the detach': under(intendDetach),
  detach: call(detach),
  'conclude the detach': concludeDetach,
  'look at the free volume': (moment) =>
    readVolume(moment).state === 'available' ? 'record the release' : 'look at the volume',
  'record the release': recordRelease,
  'void the proof': under(voidProof),
  'load the hand-off': under(loadHandOff),
  'intend the hand-off': under(() => 'mark gone'),
  'mark gone': call(markGone),
  verify,
};

/** What an execution may forget at a place, because it is set again before it is next used. */
export const forget = (me: Execution): Execution => {
  const { token, incident, at, late, truly } = me;
  const base = { token, incident, at, truly: unknown, late };
  switch (at) {
    case 'claim':
    case 'intend the mark':
    case 'mark the epoch':
      return me;
    case 'look':
    case 'look at the volume':
    case 'void the proof':
    case 'record the release':
    case 'look at the free volume':
      return { ...base, ...(me.fence && { fence: me.fence }) };
    case 'intend the stop':
    case 'stop':
    case 'save the stop':
    case 'look again':
    case 'save the proof':
    case 'intend the detach':
    case 'detach':
    case 'conclude the detach':
      return { ...me, truly };
    default:
      return base;
  }
};

const unknown = { first: false, second: false, down: false, ill: false };

/** Steps that read EC2, and may be answered from the past or a wrong replica. */
export const reads: readonly Place[] = [
  'look',
  'look again',
  'look at the volume',
  'look at the free volume',
];
