import type { WireResponse } from '../../core/wire.ts';
import type { Verdict } from '../../network.ts';
import { fault, isMutation, isStep } from '../fault.ts';
import { askEc2, type Passing, type Site } from '../site.ts';

/** EC2 is eventually consistent: reads that are behind the machine, or ahead, or know nothing. */

/** Told to the checker as what was served. */
const serve = (site: Site, id: string, passing: Passing, answer: WireResponse): Verdict => {
  site.hit(id);
  site.served(passing, answer);
  return { answer };
};

/** A step reads the one instance that fails. */
const isLook = ({ stage }: Site, passing: Passing): boolean =>
  isStep(passing) &&
  passing.operation === 'DescribeInstances' &&
  passing.body.includes(stage.failing.instanceId);

const stateOf = ({ world, stage }: Site): string =>
  world.ec2.status(stage.failing.instanceId).state;

/** Serves the answer of an earlier, equal read again: EC2 is eventually consistent. */
const behind = (site: Site, { behindS, every }: { behindS: number; every: number }): void => {
  const { time } = site;
  const kept = new Map<string, { at: number; answer: WireResponse }[]>();
  let count = 0;
  site.on('request', (passing) => {
    const { service, operation, body } = passing;
    if (service !== 'ec2' || isMutation({ operation })) return undefined;
    const key = `${operation} ${body}`;
    const older = kept.get(key) ?? [];
    kept.set(key, older);
    const answer = askEc2(site, body);
    if (answer.status === 200) older.push({ at: time.now(), answer });
    const lagging = older.findLast(({ at }) => time.now() - at >= behindS * 1000);
    count += 1;
    if (!lagging || count % every !== 0) return undefined;
    return time.now() - lagging.at > 35_000
      ? undefined
      : serve(site, 'EC-04', passing, lagging.answer);
  });
};

/** Says `stopped` before it is so, now and then, and never twice in a row. */
const ahead = (site: Site, { every }: { every: number }): void => {
  let count = 0;
  site.on('request', (passing) => {
    if (!isLook(site, passing) || !['running', 'stopping'].includes(stateOf(site)))
      return undefined;
    count += 1;
    if (count % every !== 0) return undefined;
    const { status, headers, body } = askEc2(site, passing.body);
    const state = /<code>(?:16|64)<\/code><name>(?:running|stopping)</;
    const told = body.replace(state, '<code>80</code><name>stopped<');
    return serve(site, 'EC-04', passing, { status, headers, body: told });
  });
};

export const stale = fault('EC-04', {
  draw: (rng) => ({
    behindS: rng.int(1, 30),
    every: rng.int(2, 5),
    isAhead: rng.next() < 0.5,
  }),
  arm: (site, { isAhead, ...params }) => (isAhead ? ahead : behind)(site, params),
});

/** For a while after the Stop, EC2 lists no such instance. */
export const forgotten = (site: Site, forS: number): void => {
  let until: number | undefined;
  site.on('request', (passing) => {
    if (!isLook(site, passing)) return undefined;
    if (stateOf(site) === 'stopping') until ??= site.time.now() + forS * 1000;
    if (until === undefined || site.time.now() > until) return undefined;
    const other = passing.body.replace(site.stage.failing.instanceId, 'i-00000000');
    return serve(site, 'EC-05', passing, askEc2(site, other));
  });
};
