import { readFileSync } from 'node:fs';
import * as z from 'zod';

const Resource = z.looseObject({
  Type: z.string(),
  Properties: z.record(z.string(), z.unknown()).default({}),
});
export type Resource = z.infer<typeof Resource>;

const Template = z.looseObject({
  Parameters: z.record(z.string(), z.unknown()),
  Resources: z.record(z.string(), Resource),
  Outputs: z.record(z.string(), z.unknown()),
});
export type Template = z.infer<typeof Template>;

/** IAM lets a list of one be written without brackets. */
const listed = <T>(value: T | T[]): T[] => (Array.isArray(value) ? value : [value]);

/** A statement of an identity policy; Resource may still hold references. */
const Statement = z.strictObject({
  Sid: z.string().optional(),
  Effect: z.enum(['Allow', 'Deny']),
  Action: z.union([z.string(), z.array(z.string())]).transform(listed<string>),
  Resource: z.unknown().transform(listed<unknown>),
  Condition: z.record(z.string(), z.record(z.string(), z.unknown())).optional(),
});
export type Statement = z.infer<typeof Statement>;

const Role = z.looseObject({
  Policies: z.array(
    z.looseObject({ PolicyDocument: z.looseObject({ Statement: z.array(Statement) }) }),
  ),
});

/** @throws ZodError when the file is no CloudFormation template */
export const readTemplate = (path: string): Template =>
  Template.parse(JSON.parse(readFileSync(path, 'utf8')));

/** Logical ids and resources of one CloudFormation type. */
export const ofType = (template: Template, type: string): [string, Resource][] =>
  Object.entries(template.Resources).filter(([, resource]) => resource.Type === type);

/** Every statement of a role's inline policies. @throws ZodError for anything unexpected */
const statementsOf = (role: Resource): Statement[] =>
  Role.parse(role.Properties).Policies.flatMap(({ PolicyDocument }) => PolicyDocument.Statement);

/** Roles by logical id. */
export const rolesOf = (template: Template): Record<string, Statement[]> =>
  Object.fromEntries(
    ofType(template, 'AWS::IAM::Role').map(([id, role]) => [id, statementsOf(role)]),
  );
