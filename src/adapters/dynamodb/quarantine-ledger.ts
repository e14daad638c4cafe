import * as z from 'zod';
import type { InstanceId } from '../../domain/ids.ts';
import type { Quarantine } from '../../domain/quarantine.ts';
import type { QuarantineLedger } from '../../ports/ledger.ts';
import * as facet from './facets.ts';
import { clusterPk, quarantineKey, quarantinePrefix } from './keys.ts';
import { schema, schemaVersion } from './records.ts';
import { type LedgerDeps, LedgerTable } from './table.ts';

/** Beside its ledger: a bundle without this one has no use for it. */
const quarantineRecord = z
  .object({
    schema,
    instanceId: facet.instanceId,
    incidentId: facet.incidentId,
    launchTime: facet.launchTime,
    since: facet.epochMs,
    privateIp: z.string().exactOptional(),
    agentIds: z.array(facet.agentId),
    volumes: z.array(z.object({ volumeId: facet.volumeId, epoch: facet.counter })),
    returned: facet.quarantinedRun.exactOptional(),
    lifted: z.object({ by: z.string(), reason: z.string(), at: facet.epochMs }).exactOptional(),
  })
  .transform(({ schema: _, ...quarantine }) => quarantine);

class DynamoQuarantineLedger implements QuarantineLedger {
  readonly #table: LedgerTable;

  constructor(deps: LedgerDeps) {
    this.#table = new LedgerTable(deps);
  }

  quarantines(cluster: string): Promise<Quarantine[]> {
    return this.#table.list(clusterPk(cluster), quarantinePrefix, quarantineRecord);
  }

  quarantine(cluster: string, instanceId: InstanceId): Promise<Quarantine | undefined> {
    return this.#table.get(quarantineKey(cluster, instanceId), quarantineRecord);
  }

  async saveQuarantine(cluster: string, next: Quarantine): Promise<'saved' | 'lost'> {
    const key = quarantineKey(cluster, next.instanceId);
    const { incidentId, launchTime, lifted } = next;
    const same = '#launchTime = :launchTime AND #incidentId = :incidentId';
    const stands = lifted === undefined ? `${same} AND attribute_not_exists(#lifted)` : same;
    const saved = await this.#table.put(
      key,
      { ...next },
      {
        when: `attribute_not_exists(#pk) OR (#schema = :schema AND (#launchTime < :launchTime OR (${stands})))`,
        values: { schema: schemaVersion, launchTime, incidentId },
      },
    );
    if (saved) return 'saved';
    // Refused for a record this version cannot read is not being late: this read throws.
    await this.quarantine(cluster, next.instanceId);
    return 'lost';
  }

  async endQuarantine(
    cluster: string,
    { incidentId, instanceId, launchTime }: Quarantine,
  ): Promise<void> {
    await this.#table.remove(quarantineKey(cluster, instanceId), {
      when: '#incidentId = :incidentId AND #launchTime = :launchTime',
      values: { incidentId, launchTime },
    });
  }
}

/** Fenced hosts, in DynamoDB. */
export const createQuarantineLedger = (deps: LedgerDeps): QuarantineLedger =>
  new DynamoQuarantineLedger(deps);
