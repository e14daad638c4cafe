import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import * as z from 'zod';
import { projectDir } from '../support/project-files.ts';

const readYaml = (file: string): unknown =>
  parse(readFileSync(join(projectDir, 'infra', file), 'utf8'), { merge: true });

/** infra/functions.yml as far as a workflow depends on it. */
export const functionList = z
  .record(z.string(), z.looseObject({ handler: z.string(), timeout: z.number() }))
  .parse(readYaml('functions.yml'));

const Machines = z.looseObject({
  Resources: z.record(
    z.string(),
    z.looseObject({
      Type: z.string(),
      Properties: z.looseObject({
        DefinitionSubstitutions: z
          .record(z.string(), z.object({ 'Fn::GetAtt': z.tuple([z.string(), z.string()]) }))
          .default({}),
      }),
    }),
  ),
});

/** What each `${...}` of statemachines/failover.asl.json stands for: a resource's attribute. */
export const substitutions: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(
    Machines.parse(readYaml('state-machines.yml')).Resources.FailoverStateMachine?.Properties
      .DefinitionSubstitutions ?? {},
  ).map(([name, { 'Fn::GetAtt': path }]) => [name, path.join('.')]),
);
