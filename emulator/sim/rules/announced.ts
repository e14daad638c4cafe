import type { EventOf, Foretold, SimEvent } from '../events.ts';
import type { IncidentSeen, Memory } from '../record.ts';

/** What AWS has announced for a machine, as it was served to somebody. */

/** The largest reserve an operator can set: nothing is fenced for an announcement before that. */
const RESERVE_MAX_MS = 900_000;

const ID = /\bi-(?:[0-9a-f]{17}|[0-9a-f]{8})\b/g;

const timesIn = (body: string): number[] =>
  [...body.matchAll(/<code>instance-(?:retirement|stop)<\/code>.*?<notBefore>([^<]+)</gs)].map(
    ([, text = '']) => Date.parse(text),
  );

/** What the answer to a read foretells; asked about one machine at a time. */
export const foretoldIn = (operation: string, body: string): Foretold[] => {
  const [instanceId] = body.match(ID) ?? [];
  if (instanceId === undefined) return [];
  switch (operation) {
    case 'DescribeInstanceStatus':
      return timesIn(body).map((notBefore) => ({ instanceId, notBefore }));
    case 'DescribeAutoScalingInstances':
      return />(?:Terminating|Warmed)/.test(body) ? [{ instanceId }] : [];
    case 'DescribeSpotInstanceRequests':
      return />marked-for-/.test(body) ? [{ instanceId }] : [];
    default:
      return [];
  }
};

/** Takes down a machine that is well: right if AWS was about to, and somebody had read that. */
export const isForetold = (
  event: EventOf<'mutation'>,
  incident: IncidentSeen | undefined,
  { foretold }: Memory,
): boolean => {
  const [instanceId = ''] = event.targets;
  const told = foretold.get(instanceId);
  if (told === undefined || incident?.isAnnounced !== true) return false;
  return told.notBefore === undefined || told.notBefore - event.by.wire.at <= RESERVE_MAX_MS;
};

/** A step of the execution itself gives the incident away: nobody works on it beside that. */
export const isGivenAway = (event: SimEvent): boolean =>
  event.kind === 'ledger' && event.by.functionName === 'turnIncident';
