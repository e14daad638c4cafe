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

/** The resource a definition belongs to, by its file. */
export const logicalIdOf = (file: string): string =>
  `${file.charAt(0).toUpperCase()}${file.slice(1).replace('.asl.json', '')}StateMachine`;

/** What each `${...}` of a definition stands for: a resource's attribute. */
export const substitutionsOf = (file: string): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(
      Machines.parse(readYaml('state-machines.yml')).Resources[logicalIdOf(file)]?.Properties
        .DefinitionSubstitutions ?? {},
    ).map(([name, { 'Fn::GetAtt': path }]) => [name, path.join('.')]),
  );
