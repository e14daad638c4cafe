import type { SlackTrouble } from '../../services/slack/slack.ts';
import { answered, type FaultKind, fault, lostAnswer } from '../fault.ts';

/** Slack answers like this from the start, for a while. */
const trouble = (id: string, kind: SlackTrouble): FaultKind =>
  fault(id, {
    draw: (rng) => ({ forS: rng.int(30, 600) }),
    arm: (site, { forS }) => {
      const { slack } = site.world;
      slack.trouble(kind);
      site.later(forS * 1000 + 200_000, () => slack.trouble(undefined));
      site.heal(() => slack.trouble(undefined));
      site.on('request', ({ service }) => {
        if (service === 'slack') site.hit(id);
        return undefined;
      });
    },
  });

const down = trouble('SL-02', { kind: 'http', status: 503 });
const BUS_MS = 15_000;

export const messageFaults: readonly FaultKind[] = [
  trouble('SL-01', { kind: 'ratelimited', retryAfterSeconds: 30 }),
  {
    ...down,
    arm: (site, params) => {
      down.arm(site, params);
      // The bus is down with it for the first seconds; nothing may wait for either.
      let begun: number | undefined;
      site.on('request', ({ operation }) => {
        if (operation !== 'PutEvents') return undefined;
        begun ??= site.time.now();
        return site.time.now() - begun < BUS_MS ? answered(503) : undefined;
      });
    },
  },
  trouble('SL-03', { kind: 'http', status: 500 }),
  trouble('SL-04', { kind: 'error', error: 'account_inactive' }),
  fault('SL-05', {
    draw: () => ({ delayMs: 30_000 }),
    arm: (site, { delayMs }) =>
      site.on('request', ({ service }) => {
        if (service !== 'slack') return undefined;
        site.hit('SL-05');
        return { delayMs };
      }),
  }),
  fault('SL-06', {
    draw: (rng) => ({ every: rng.int(1, 3) }),
    arm: (site, { every }) => {
      let count = 0;
      site.on('request', ({ service }) => {
        if (service !== 'slack') return undefined;
        count += 1;
        if (count % every !== 0) return undefined;
        site.hit('SL-06');
        return lostAnswer;
      });
    },
  }),
];
