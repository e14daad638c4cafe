import { uuid } from '../../core/aws-event.ts';
import type { Rng } from '../../core/random.ts';
import type { Service } from '../../core/wire.ts';
import type { Infra } from '../../infra.ts';
import { parseQuery, queryAnswer, queryError } from '../query-protocol.ts';

export const STS_NAMESPACE = 'https://sts.amazonaws.com/doc/2011-06-15/';

/** `ASIALookRole`: the key of a role of the stack. */
const roleOf = (infra: Infra, accessKeyId: string): string | undefined =>
  infra.ofType('AWS::IAM::Role').find(({ logicalId }) => accessKeyId === `ASIA${logicalId}`)?.ref;

/**
 * Security Token Service: who asks, and nothing else. AWS answers GetCallerIdentity to whoever signs
 * with a key that exists, whatever the policies say; here every key exists, and one of no role is a
 * user's.
 */
export const createSts = ({ infra, rng }: { infra: Infra; rng: Rng }): Service => ({
  handle: (request, { accessKeyId }) => {
    const { action } = parseQuery(request);
    const requestId = uuid(rng);
    const refuse = (status: number, code: string, message: string) =>
      queryError(STS_NAMESPACE, status, requestId, { code, message });
    if (accessKeyId === '') {
      return refuse(403, 'MissingAuthenticationToken', 'Request is missing Authentication Token');
    }
    if (action !== 'GetCallerIdentity') {
      return refuse(
        400,
        'InvalidAction',
        `Could not find operation ${action} for version 2011-06-15`,
      );
    }
    const role = roleOf(infra, accessKeyId);
    const who =
      role === undefined
        ? { Arn: `arn:aws:iam::${infra.account}:user/${accessKeyId}`, UserId: `AIDA${accessKeyId}` }
        : {
            Arn: `arn:aws:sts::${infra.account}:assumed-role/${role}/function`,
            UserId: `AROA${role}:function`,
          };
    return queryAnswer(STS_NAMESPACE, action, requestId, { ...who, Account: infra.account });
  },
});
