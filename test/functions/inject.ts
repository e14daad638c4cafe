import { createClusterLedger } from '../../src/adapters/dynamodb/cluster-ledger.ts';
import { createIncidentLedger } from '../../src/adapters/dynamodb/incident-ledger.ts';
import { systemClock } from '../../src/adapters/system/system-clock.ts';
import { createIntake } from '../../src/application/intake.ts';
import { loadConfig } from '../../src/config/load-config.ts';
import * as sections from '../../src/config/sections.ts';
import type { EpochMs, InstanceId } from '../../src/domain/ids.ts';
import type { Notice, SignalSource } from '../../src/domain/incident.ts';
import * as wiring from '../../src/runtime/wiring.ts';
import type { Cloud } from './cloud.ts';

/** A signal as a parser would make it, for whoever is past the parsers. */
export interface Given {
  readonly instanceId: string;
  readonly source: SignalSource;
  readonly says: string;
  readonly notice?: Notice;
}

/** Admits a signal as intake does once it has parsed its event, against the emulated cloud. */
export const inject = (cloud: Cloud, given: Given): void => {
  const { clock, infra, lambda, network } = cloud;
  const environment = lambda.find('intake')?.environment;
  if (environment === undefined) throw new RangeError('intake is not deployed');
  const keys = { AWS_ACCESS_KEY_ID: 'AKIAPERSON', AWS_SECRET_ACCESS_KEY: 'hush' };
  const config = loadConfig(
    { ...environment, ...keys, AWS_REGION: infra.region },
    {
      aws: sections.aws,
      ledger: sections.ledger,
      scope: sections.scope,
      workflow: sections.workflow,
    },
  );
  const options = wiring.awsOptions(config.aws, { send: network.send, log: () => undefined });
  const table = wiring.ledgerOn(options, config.ledger);
  const note = (): void => undefined;
  const admit = createIntake({
    ledger: wiring.ledgerOf(createIncidentLedger(table), createClusterLedger(table)),
    compute: wiring.readsOf(wiring.ec2Client(options), config.scope),
    workflow: wiring.workflowOf(options, config.workflow),
    functions: { warm: async () => undefined },
    scope: config.scope,
    clock: systemClock,
    log: { info: note, warn: note, error: note },
    metrics: { count: note },
  });
  const { instanceId, notice, says, source } = given;
  const receivedAt = clock.now() as EpochMs;
  void admit([
    {
      key: `${source}:${receivedAt}`,
      source,
      instanceId: instanceId as InstanceId,
      says,
      receivedAt,
      ...(notice === undefined ? {} : { notice }),
    },
  ]);
};
