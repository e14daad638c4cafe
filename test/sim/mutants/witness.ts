import type { EventOf, SimEvent } from '../../../emulator/sim/events.ts';
import type { Memory, Violation } from '../../../emulator/sim/record.ts';

type Rule = (event: SimEvent, memory: Memory) => string | undefined;

const REPEAT_MS = 300_000;

interface Proven {
  proof?: readonly { launchTime: string; at: number }[];
}

/** A proof that is written down must be true of the machine at that moment. */
const proofIsTrue: Rule = (event, { machines }) => {
  if (event.kind !== 'ledger' || event.sk !== 'STATE') return undefined;
  const [read] = (event.item?.fence as Proven | undefined)?.proof ?? [];
  const machine = machines.get(String(event.item?.instanceId));
  if (read === undefined || event.item?.handOff !== undefined) return undefined;
  const isSame = Date.parse(read.launchTime) === machine?.launchTime;
  return machine?.powered && isSame
    ? `${machine.instanceId} is proven off and has power`
    : undefined;
};

/** Both reads of a proof were sent after EC2 had accepted the last command to that incarnation. */
const proofComesAfter: Rule = (event, { commands }) => {
  if (event.kind !== 'ledger' || event.sk !== 'STATE') return undefined;
  const [first] = (event.item?.fence as Proven | undefined)?.proof ?? [];
  const command = commands.get(String(event.item?.instanceId));
  const isOlder =
    first !== undefined &&
    command?.launchTime === Date.parse(first.launchTime) &&
    first.at <= command.at;
  return isOlder ? 'a read from before the last command is half of the proof' : undefined;
};

/** A change of what is not ours is not even asked for: rights are a second net. */
const strangersAreNotTried: Rule = (event, { machines, volumes }) => {
  if (event.kind !== 'mutation' || event.accepted || event.by.functionName === 'adopt') {
    return undefined;
  }
  const stranger = event.targets.find(
    (id) => machines.get(id)?.ours === false || volumes.get(id)?.ours === false,
  );
  return stranger && `${event.call} of ${stranger} was tried, which is not in scope`;
};

/** What is released or detached was proven of the incarnation that is there. */
const proofIsOfThisRun: Rule = (event, { machines, owners }) => {
  if (event.kind !== 'ledger' || event.sk !== 'OWNER' || event.item?.state !== 'released') {
    return undefined;
  }
  const before = owners.get(event.pk.slice(7));
  if (before?.state === 'released') return undefined;
  const [read] = (event.item as Proven).proof ?? [];
  const machine = machines.get(String(event.item.from));
  return Date.parse(read?.launchTime ?? '') === machine?.launchTime
    ? undefined
    : `${event.pk} is released by the proof of another incarnation`;
};

/** A claim after the release of the same epoch, or of an older token, comes too late. */
const claimsRise: Rule = (event, { owners }) => {
  if (event.kind !== 'ledger' || event.sk !== 'OWNER' || event.item?.state !== 'claimed') {
    return undefined;
  }
  const before = owners.get(event.pk.slice(7));
  const isLate = before !== undefined && Number(event.item.epoch) <= before.epoch;
  return isLate ? `${event.pk}: epoch ${before.epoch} is claimed a second time` : undefined;
};

/** The new owner's volume is let go by nobody but the new owner. */
const ownersAreLeftAlone: Rule = (event, { owners }) => {
  if (event.kind !== 'volume') return undefined;
  const owner = owners.get(event.volumeId);
  const taken = event.holders.find(
    ({ instanceId, state }) => instanceId !== owner?.from && ['busy', 'detaching'].includes(state),
  );
  return owner?.from !== undefined && taken !== undefined
    ? `${event.volumeId} is taken away from ${taken.instanceId}`
    : undefined;
};

const isStop = (event: SimEvent): event is EventOf<'mutation'> =>
  event.kind === 'mutation' && event.call === 'StopInstances' && event.accepted;

/** One rung, one command. */
const rungsAreUsedOnce: Rule = (event, { mutations }) => {
  if (!isStop(event)) return undefined;
  const again = mutations.filter(
    (earlier) =>
      isStop(earlier) &&
      event.at - earlier.at < REPEAT_MS &&
      earlier.params.Force === event.params.Force,
  );
  // Two, because one may be the repeat of a call whose answer was lost.
  return again.length > 1 ? 'StopInstances a third time within five minutes' : undefined;
};

const rules: Readonly<Record<string, Rule>[]> = [
  { S2: proofIsTrue },
  { S2: proofComesAfter },
  { S2: proofIsOfThisRun },
  { S6: strangersAreNotTried },
  { S4: claimsRise },
  { S1: ownersAreLeftAlone },
  { L9: rungsAreUsedOnce },
];

/** Judges what the simulator's checker leaves to its ground truth, on the same events. */
export const judge = (event: SimEvent, memory: Memory): Violation[] =>
  rules.flatMap((rule) =>
    Object.entries(rule).flatMap(([invariant, find]) => {
      const says = find(event, memory);
      return says === undefined ? [] : [{ invariant, at: event.at, says }];
    }),
  );
