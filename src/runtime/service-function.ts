import type * as z from 'zod';
import type { AwsClientOptions } from '../adapters/aws-sdk/client-options.ts';
import type { LedgerDeps } from '../adapters/dynamodb/table.ts';
import { type Config, loadConfig } from '../config/load-config.ts';
import * as common from '../config/sections.ts';
import { defineHandler } from './define-handler.ts';
import { defineFunction, type FunctionModule, type Platform } from './function-module.ts';
import { createTelemetry, type Telemetry } from './telemetry.ts';
import { awsOptions, ledgerOn } from './wiring.ts';

/** What every function of the service needs, beside the sections it names. */
const { aws, cluster, ledger } = common;
const always = { aws, cluster, ledger };

/** What a function is wired from. */
export interface Wiring<Sections> {
  readonly config: Config<Sections & typeof always>;
  readonly options: AwsClientOptions;
  readonly table: LedgerDeps;
  readonly telemetry: Telemetry;
  readonly platform: Platform;
}

/**
 * A function of the service: its settings, its telemetry, its AWS clients' options and its table,
 * and around the use case that `wire` makes of them the front door of `defineHandler`.
 */
export const defineServiceFunction = <
  const Sections extends Readonly<Record<string, z.ZodType>>,
  Input,
  Output,
>(
  spec: {
    /** As in the state machine, such as `FenceAgent`. */
    readonly name: string;
    readonly input: z.ZodType<Input>;
    readonly output: z.ZodType<Output>;
    /** The configuration it reads besides. */
    readonly sections: Sections;
  },
  wire: (wiring: Wiring<Sections>) => (input: Input) => Promise<Output>,
): FunctionModule =>
  defineFunction((env, platform) => {
    const { name, input, output, sections } = spec;
    const config: Config<Sections & typeof always> = loadConfig(env, { ...always, ...sections });
    const base: Config<typeof always> = config;
    const telemetry = createTelemetry({
      function: name,
      cluster: base.cluster.name,
      log: platform.log,
    });
    const options = awsOptions(base.aws, platform);
    const table = ledgerOn(options, base.ledger);
    const useCase = wire({ config, options, table, telemetry, platform });
    return defineHandler({ name, input, output, telemetry }, useCase);
  });
