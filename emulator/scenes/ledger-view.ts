import { unmarshall } from '@aws-sdk/util-dynamodb';
import type { World } from '../world.ts';

/**
 * What the service wrote down, read from its table as anybody could (docs/ledger.md). Only for
 * showing: whether a scene ended well is judged by the machines and the guests.
 */
export interface LedgerView {
  incident:
    | {
        id: string;
        status: string;
        openedAt: number;
        executionArn?: string;
        verdict?: { kind: string; why: string[]; whyNot: string[] };
        hold?: { reason: string; says: string };
        facts?: { launchTime: string; agentIds: string[] };
        fence?: {
          since: number;
          rungs: { method: string; requestedAt: number; acceptedAt?: number }[];
          method?: string;
          strength?: string;
          proof?: { at: number; state: string; launchTime: string }[];
        };
        handOff?: { completedAt?: number; method: string };
      }
    | undefined;
  volumes: {
    volumeId: string;
    name: string;
    epoch: number;
    state: string;
    from?: string;
    owner?: string;
    releasedAt?: number;
  }[];
}

type Item = Record<string, unknown> & { pk: string; sk: string };

/** How many incidents there are, by how they stand: `recovered`, `held: blind`. */
export const readIncidents = async (world: World): Promise<Record<string, number>> => {
  const raw = await world.dynamodb.scan(world.infra.resource('LedgerTable').ref);
  const counts: Record<string, number> = {};
  for (const one of raw) {
    const item = unmarshall(one as Parameters<typeof unmarshall>[0]) as Item;
    if (item.sk !== 'STATE' || !item.pk.startsWith('INCIDENT#')) continue;
    const { status, hold } = item as unknown as NonNullable<LedgerView['incident']>;
    const how = status === 'held' ? `held: ${hold?.reason ?? 'no reason'}` : status;
    counts[how] = (counts[how] ?? 0) + 1;
  }
  return Object.fromEntries(Object.entries(counts).sort(([a], [b]) => (a < b ? -1 : 1)));
};

/** Reads the newest incident of an instance and the volumes' owner records. */
export const readLedger = async (world: World, instanceId: string): Promise<LedgerView> => {
  const table = world.infra.resource('LedgerTable').ref;
  const raw = await world.dynamodb.scan(table);
  const items = raw.map((item) => unmarshall(item as Parameters<typeof unmarshall>[0]) as Item);
  const incidents = items.filter(
    ({ pk, sk }) => sk === 'STATE' && pk.startsWith('INCIDENT#') && pk.includes(instanceId),
  );
  const volumes = items.filter(({ pk, sk }) => pk.startsWith('VOLUME#') && sk === 'OWNER');
  const newest = incidents.sort((a, b) => Number(a.n) - Number(b.n)).at(-1);
  return {
    incident: newest as LedgerView['incident'],
    volumes: volumes as unknown as LedgerView['volumes'],
  };
};
