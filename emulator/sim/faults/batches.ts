import { fault, lostRequest } from '../fault.ts';
import { askEc2, type Passing, type Site } from '../site.ts';

/**
 * One request about several ids fails for all of them if one is bad. Nothing here changes several
 * things with one call; the state of volumes is read so.
 */

const idsIn = ({ body, operation }: Passing): string[] =>
  operation === 'DescribeVolumeStatus'
    ? [...new URLSearchParams(body)].flatMap(([name, id]) =>
        name.startsWith('VolumeId') ? id : [],
      )
    : [];

const NOBODY = 'vol-00000000000000000';

/** For a while EC2 does not know the last of them by its id: it is eventually consistent. */
const forget = (site: Site, forS: number): void => {
  let forgotten: { volumeId: string; until: number } | undefined;
  site.on('request', (passing) => {
    const ids = idsIn(passing);
    const last = ids.length > 1 ? ids.at(-1) : undefined;
    if (last) forgotten ??= { volumeId: last, until: site.time.now() + forS * 1000 };
    if (!forgotten || !ids.includes(forgotten.volumeId) || site.time.now() > forgotten.until) {
      return undefined;
    }
    if (last) site.hit('EC-07');
    const answer = askEc2(site, passing.body.replace(forgotten.volumeId, NOBODY));
    site.served(passing, answer);
    return { answer };
  });
};

/**
 * A person deletes the last of them, once it is free, when the request is on its way. Before that such
 * a request is lost: what was looked at while the machine stops is asked again.
 */
const remove = (site: Site, delayMs: number): void => {
  let done = false;
  site.on('request', (passing) => {
    const ids = idsIn(passing);
    const VolumeId = ids.at(-1);
    const isFree = site.world.ec2
      .volumes()
      .some(({ state, volumeId }) => volumeId === VolumeId && state === 'available');
    if (done || ids.length < 2) return undefined;
    if (!isFree) return lostRequest;
    done = true;
    site.hit('EC-07');
    void site.operator('ec2', { operation: 'DeleteVolume', body: { VolumeId } });
    return { delayMs };
  });
};

export const oneBadId = fault('EC-07', {
  scenes: ['hung', 'stopped'],
  traits: { volumes: 3 },
  mayHold: ['volume-lost'],
  draw: (rng) => ({
    how: rng.pick(['unknown', 'deleted']),
    forS: rng.int(10, 240),
    // A deletion takes seconds: the request is there in the middle of it, or after it.
    delayMs: rng.pick([0, 3_000]),
  }),
  arm: (site, { how, forS, delayMs }) =>
    how === 'unknown' ? forget(site, forS) : remove(site, delayMs),
});
