import type { World } from '../../world.ts';
import type { EventOf, SimEvent } from '../events.ts';
import { createMemory, isOff, type Memory, remember } from '../record.ts';
import type { SimStage } from '../stage.ts';

/** What is judged of everybody alike, from the machines and the volumes themselves. */
export const groundRules = {
  S1: 'a row landed on a volume that was not its writer’s alone, or two machines held it',
  S3: 'a volume was torn from a machine that was not off',
  S6: 'another cluster’s machine or volume was changed',
  S7: 'a volume was deleted with a machine that this system had stopped',
  S8: 'a machine that was well was stopped or terminated',
} as const;
export type GroundRule = keyof typeof groundRules;

export interface GroundJudge {
  see(event: SimEvent): void;
  readonly memory: Memory;
  /** The first of each kind. */
  readonly broken: Partial<Record<GroundRule, string>>;
  /** Volumes that are gone, or not to be read any more, by somebody else's hand. */
  readonly lostToOthers: ReadonlySet<string>;
}

/** EC2 has no compare-and-set: who recovered so shortly before the call was sent does not count. */
const WELL_FOR_MS = 5_000;

const POWER = /^(?:Stop|Terminate)Instances$/;

const isGone = (state: string): boolean => state === 'deleting' || state === 'deleted';

/**
 * Judges whoever acts: functions, agents and their storage drivers. Nothing of it asks for a
 * ledger, a proof or an intent, which only ebs-failover has.
 */
export const judgeGround = (world: World, stage: SimStage): GroundJudge => {
  const memory = createMemory();
  const broken: Partial<Record<GroundRule, string>> = {};
  const lostToOthers = new Set<string>();
  const data = new Set(stage.apps.flatMap(({ volumeIds }) => volumeIds));
  const { neighbour, foreignVolumeId } = stage;
  const strangers = [neighbour?.instanceId, neighbour?.volumeId, foreignVolumeId];

  const onVolume = ({ volumeId, holders, state }: EventOf<'volume'>): void => {
    if (!data.has(volumeId)) return;
    if (holders.length > 1) broken.S1 ??= `${volumeId} is attached to ${holders.length} machines`;
    // EC2 itself has lost what is on it.
    if (state === 'error') lostToOthers.add(volumeId);
    if (!isGone(state)) return;
    const before = memory.volumes.get(volumeId)?.holders ?? [];
    const stopped = before.find(({ instanceId }) => memory.commands.has(instanceId));
    if (stopped) broken.S7 ??= `${volumeId} was deleted with ${stopped.instanceId}`;
    else if (!isGone(memory.volumes.get(volumeId)?.state ?? '')) lostToOthers.add(volumeId);
  };

  const onChange = ({ call, targets, by }: EventOf<'mutation'>): void => {
    const stranger = targets.find((id) => strangers.includes(id));
    if (stranger !== undefined) broken.S6 ??= `${call} ${stranger}`;
    if (!POWER.test(call)) return;
    const struck = targets.find((id) => {
      const wellSince = memory.unwellUntil.get(id) ?? 0;
      return memory.machines.get(id)?.well === true && by.wire.at - wellSince > WELL_FOR_MS;
    });
    // Whoever has begun may finish, through restarts by others too.
    if (struck !== undefined && !memory.commands.has(struck)) broken.S8 ??= `${call} ${struck}`;
  };

  world.ec2.subscribe((event) => {
    if (event.kind !== 'detached' || !event.forced || !data.has(event.volumeId)) return;
    const { instanceId, volumeId } = event;
    if (!isOff(world.ec2.status(instanceId).state)) {
      broken.S3 ??= `${volumeId} was torn from ${instanceId}`;
    }
  });

  return {
    see: (event) => {
      if (event.kind === 'foreign') broken.S1 ??= `${event.rows} rows landed on ${event.volumeId}`;
      if (event.kind === 'volume') onVolume(event);
      if (event.kind === 'mutation' && event.accepted) onChange(event);
      remember(memory, event);
    },
    memory,
    broken,
    lostToOthers,
  };
};
