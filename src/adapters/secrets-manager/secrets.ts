import { GetSecretValueCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { ConfigError } from '../../domain/errors.ts';
import type { Clock } from '../../ports/system.ts';
import { reading } from '../aws-sdk/calls.ts';

/** Long enough to spare a call per step, short enough for a rotated secret to arrive. */
export const secretTtlMs = 5 * 60_000;

export interface Secrets {
  /**
   * The text of a secret, by name or ARN, at most 5 minutes old. Throws the domain's cloud errors,
   * and ConfigError for a secret without text.
   */
  read(id: string): Promise<string>;
}

export interface SecretsDeps {
  readonly client: SecretsManagerClient;
  readonly clock: Clock;
}

/** Reads secrets and remembers them for a while, in memory only. Failures are not remembered. */
export const createSecrets = ({ client, clock }: SecretsDeps): Secrets => {
  const known = new Map<string, { readonly text: string; readonly readAt: number }>();
  return {
    async read(id) {
      const now = clock.now();
      const cached = known.get(id);
      if (cached !== undefined && now - cached.readAt < secretTtlMs) return cached.text;
      const answer = await reading('GetSecretValue', () =>
        client.send(new GetSecretValueCommand({ SecretId: id })),
      );
      const text = answer.SecretString;
      if (text === undefined || text === '') {
        throw new ConfigError([`secret ${id} holds no text: store the token as a plain string`]);
      }
      known.set(id, { text, readAt: now });
      return text;
    },
  };
};
