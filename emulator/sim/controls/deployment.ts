import type { Infra, Resource } from '../../infra.ts';
import type { CreateHandler } from '../../services/lambda/environment.ts';
import type { Deployment } from '../../world.ts';

/** Rules that wake a function, and what else EventBridge and Lambda need for it. */
const WIRING = [
  'AWS::Events::Rule',
  'AWS::Lambda::Permission',
  'AWS::Lambda::EventInvokeConfig',
  'AWS::SQS::Queue',
];

/** Scripts are rarely given fewer rights than this. */
const almighty = (role: Resource): Resource => ({
  ...role,
  properties: {
    Policies: [{ PolicyDocument: { Statement: { Effect: 'Allow', Action: '*', Resource: '*' } } }],
  },
});

const LONGEST_SECONDS = 900;

/**
 * One function in place of the whole service, woken by the events that wake intake, duplicates and
 * retries included. No other function, workflow, table or schedule exists.
 */
export const deployAlone =
  (handler: CreateHandler) =>
  (template: Infra): Deployment => {
    const intake = template.functions.find(({ key }) => key === 'intake');
    if (intake === undefined) throw new Error('the template has no intake to stand in for');
    const roles = template.ofType('AWS::IAM::Role').filter(({ arn }) => arn === intake.roleArn);
    const peer = { ...intake, key: 'peer', timeoutSeconds: LONGEST_SECONDS, environment: {} };
    const infra: Infra = {
      ...template,
      functions: [peer],
      ofType: (type) => {
        if (type === 'AWS::IAM::Role') return roles.map(almighty);
        return WIRING.includes(type) ? template.ofType(type) : [];
      },
    };
    return { infra, modules: new Map([[peer.key, handler]]) };
  };
