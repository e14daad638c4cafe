import { AGAIN_MS, type Answer, askFunction } from '../ask.ts';
import { type FaultKind, fault } from '../fault.ts';
import type { Site } from '../site.ts';
import { afterStart } from './moments.ts';

const order = (site: Site, what: object): Promise<Answer | undefined> =>
  askFunction(site, 'operate', { by: 'ana', reason: 'I want to look first', ...what });

/** Asks until it has an answer that lasts, or until nobody wants it any more. */
const insist = (site: Site, what: object, isWanted: () => boolean, heard: () => void): void => {
  const ask = async (): Promise<void> => {
    if (!isWanted()) return;
    const answer = await order(site, what);
    const isHeard = answer !== undefined && answer.kind !== 'refused';
    if (isHeard) heard();
    if (isHeard || answer?.says?.includes(' is over')) return;
    site.time.after(AGAIN_MS, () => void ask());
  };
  void ask();
};

interface Stopping {
  readonly stop: object;
  readonly goOn: object;
}

const stoppings = (site: Site): Readonly<Record<string, Stopping>> => {
  const { instanceId } = site.stage.failing;
  const incidentId = `${site.world.infra.parameters.ClusterName}#${instanceId}#1`;
  return {
    pause: { stop: { action: 'pause' }, goOn: { action: 'unpause' } },
    hold: { stop: { action: 'hold', incidentId }, goOn: { action: 'resume', incidentId } },
  };
};

/** A person says stop to the whole cluster, or to this incident, and lets go again. */
export const stopped: FaultKind = fault('OP-07', {
  draw: (rng) => ({
    how: rng.pick(['pause', 'hold']),
    afterS: rng.int(0, 25),
    forS: rng.int(10, 240),
  }),
  arm: (site, { how, afterS, forS }) => {
    const stopping = stoppings(site)[how];
    if (stopping === undefined) throw new RangeError(`no way to stop: ${how}`);
    const { goOn, stop } = stopping;
    let isWanted = true;
    let wasHeard = false;
    const letGo = (): void => {
      if (!isWanted) return;
      isWanted = false;
      // Also what was not heard: its answer may have been lost.
      insist(
        site,
        goOn,
        () => true,
        () => {},
      );
    };
    afterStart(site, afterS, () => {
      insist(
        site,
        stop,
        () => isWanted,
        () => {
          if (!wasHeard) site.hit('OP-07');
          wasHeard = true;
        },
      );
      site.later(forS * 1_000, letGo);
    });
    site.heal(letGo);
  },
});
