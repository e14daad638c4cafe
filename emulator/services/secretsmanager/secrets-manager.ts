import { uuid } from '../../core/aws-event.ts';
import type { Rng } from '../../core/random.ts';
import type { Time } from '../../core/time.ts';
import type { Service } from '../../core/wire.ts';
import type { Iam } from '../iam/iam.ts';
import { createJsonService, JsonRefusal, text } from '../json-protocol.ts';

export interface SecretsManager extends Service {
  put(name: string, value: string): void;
}

/** GetSecretValue by name, full ARN or ARN without the six random characters at its end. */
export const createSecretsManager = (deps: {
  time: Time;
  rng: Rng;
  iam: Iam;
  account: string;
  region: string;
}): SecretsManager => {
  const { rng, iam, account, region } = deps;
  const secrets = new Map<string, { arn: string; value: string; version: string; at: number }>();
  const prefix = `arn:aws:secretsmanager:${region}:${account}:secret:`;
  return {
    put: (name, value) => {
      const arn = secrets.get(name)?.arn ?? `${prefix}${name}-${rng.hex(6)}`;
      const version = uuid(rng);
      secrets.set(name, { arn, value, version, at: deps.time.now() });
    },
    ...createJsonService({
      version: '1.1',
      rng: rng.fork('requests'),
      operations: {
        GetSecretValue: (input, caller) => {
          const id = text(input, 'SecretId');
          const found = [...secrets].find(
            ([name, { arn }]) => id === name || id === arn || id === `${prefix}${name}`,
          );
          // Rights are checked before existence: a stranger must not learn which secrets exist.
          const arn = found?.[1].arn ?? (id.startsWith('arn:') ? id : `${prefix}${id}-??????`);
          const why = iam.denial('secretsmanager:GetSecretValue', [{ arn }], caller);
          if (why) throw new JsonRefusal('AccessDeniedException', why);
          if (!found) {
            const message = "Secrets Manager can't find the specified secret.";
            throw new JsonRefusal('ResourceNotFoundException', message);
          }
          const [name, { value, version, at }] = found;
          return {
            ARN: arn,
            Name: name,
            VersionId: version,
            SecretString: value,
            VersionStages: ['AWSCURRENT'],
            CreatedDate: at / 1000,
          };
        },
      },
    }),
  };
};
