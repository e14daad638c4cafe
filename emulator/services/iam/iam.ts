import type { Caller } from '../../core/wire.ts';
import type { Infra, Resource } from '../../infra.ts';
import { type ConditionContext, evaluate, type Statement } from './policy.ts';

/** The resource an action touches, with the tags its conditions may look at. */
export interface Target {
  arn: string;
  tags?: Readonly<Record<string, string>>;
}

export interface Iam {
  /** The access key id that a function (or service) with this role signs with. */
  accessKeyId(roleArn: string): string;
  /**
   * Undefined when the caller may do `action` on every target, else AWS's sentence. A caller whose
   * key belongs to no role of the stack is a person or a scene and may do everything. `request`
   * holds the condition keys of the request itself, such as aws:TagKeys or dynamodb:LeadingKeys.
   */
  denial(
    action: string,
    targets: readonly Target[],
    caller: Caller,
    request?: ConditionContext,
  ): string | undefined;
}

interface Role {
  arn: string;
  name: string;
  statements: Statement[];
}

const statementsOf = (role: Resource): Statement[] => {
  const policies = role.properties.Policies;
  if (policies === undefined) return [];
  return (policies as { PolicyDocument: { Statement: Statement | Statement[] } }[]).flatMap(
    ({ PolicyDocument }) => PolicyDocument.Statement,
  );
};

const contextOf = (action: string, target: Target, request: ConditionContext): ConditionContext => {
  const service = action.slice(0, action.indexOf(':'));
  const context: Record<string, string | readonly string[]> = { ...request };
  for (const [key, value] of Object.entries(target.tags ?? {})) {
    context[`aws:ResourceTag/${key}`] = value;
    context[`${service}:ResourceTag/${key}`] = value;
  }
  return context;
};

/** Decides by the roles of the stack, as written in the files that are deployed. */
export const createIam = (infra: Infra): Iam => {
  const roles = new Map<string, Role>();
  const keys = new Map<string, string>();
  for (const resource of infra.ofType('AWS::IAM::Role')) {
    const accessKeyId = `ASIA${resource.logicalId}`;
    roles.set(accessKeyId, {
      arn: resource.arn,
      name: resource.ref,
      statements: statementsOf(resource),
    });
    keys.set(resource.arn, accessKeyId);
  }
  return {
    accessKeyId: (roleArn) => {
      const key = keys.get(roleArn);
      if (!key) throw new Error(`no role has the ARN ${roleArn}`);
      return key;
    },
    denial: (action, targets, caller, request = {}) => {
      const role = roles.get(caller.accessKeyId);
      if (!role) return undefined;
      for (const target of targets) {
        const context = contextOf(action, target, request);
        const decision = evaluate(role.statements, action, target.arn, context);
        if (decision !== 'allowed') {
          const who = `arn:aws:sts::${infra.account}:assumed-role/${role.name}/function`;
          const why =
            decision === 'denied'
              ? `because no identity-based policy allows the ${action} action`
              : 'with an explicit deny in an identity-based policy';
          const what = `is not authorized to perform: ${action} on resource: ${target.arn}`;
          return `User: ${who} ${what} ${why}`;
        }
      }
      return undefined;
    },
  };
};
