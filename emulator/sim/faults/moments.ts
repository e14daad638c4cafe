import type { Site } from '../site.ts';

/** So long after the first execution began. */
export const afterStart = (site: Site, seconds: number, effect: () => void): void => {
  let begun = false;
  site.world.states.onStatus(({ status }) => {
    if (begun || status !== 'RUNNING') return;
    begun = true;
    site.later(seconds * 1000, effect);
  });
};

/** A person's hand may meet a machine that is not in a state for it. */
export const tried = (site: Site, id: string, effect: () => void): void => {
  try {
    effect();
    site.hit(id);
  } catch (error) {
    if (!(error instanceof Error && error.name === 'Ec2Refusal')) throw error;
  }
};
