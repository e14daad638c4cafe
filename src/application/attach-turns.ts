import type { EpochMs } from '../domain/ids.ts';
import type { Facts, Fence, Incident } from '../domain/incident.ts';
import { isTurnKept } from '../domain/pace.ts';
import type { IncidentLedger } from '../ports/ledger.ts';
import type { Pace } from '../ports/pace.ts';
import type { Clock } from '../ports/system.ts';

interface TurnDeps {
  readonly clock: Clock;
  readonly ledger: Pick<IncidentLedger, 'save'>;
  readonly pace: Pace;
}

interface Waiting {
  readonly kind: 'waiting';
  readonly waitSeconds: number;
}

/** A shorter wait is not worth another invocation, and what was read before it is still good. */
const shortWaitMs = 1_000;

const turnFor = async (
  { clock, ledger, pace }: TurnDeps,
  { id, token }: Incident,
  facts: Facts,
  fence: Fence,
): Promise<EpochMs> => {
  const now = clock.now();
  if (isTurnKept(fence.attachFrom, now)) return fence.attachFrom;
  const attachFrom = await pace.draw('AttachVolume', facts.volumes.length, now);
  const isSoon = attachFrom - clock.now() <= shortWaitMs;
  if (!isSoon) await ledger.save(id, token, { fence: { ...fence, attachFrom } }, clock.now());
  return attachFrom;
};

/**
 * Whoever is told that its volumes are free attaches them, all of them, through a bucket of EC2 that
 * knows nothing of ours. A launch that is refused there fails, lets go of what it has by now and
 * begins again: a crowd that is told faster than it may attach keeps all of itself from coming back.
 */
export const untilAttach = async (
  deps: TurnDeps,
  incident: Incident,
  facts: Facts,
  fence: Fence,
): Promise<Waiting | undefined> => {
  // Mesos may have been told already.
  if (incident.handOff !== undefined || facts.volumes.length === 0) return undefined;
  const waitMs = (await turnFor(deps, incident, facts, fence)) - deps.clock.now();
  if (waitMs > shortWaitMs) return { kind: 'waiting', waitSeconds: Math.floor(waitMs / 1_000) };
  if (waitMs > 0) await deps.clock.sleep(waitMs);
  return undefined;
};
