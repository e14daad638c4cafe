import type { EC2Client } from '@aws-sdk/client-ec2';

/**
 * The client, which from now on puts DryRun on every request that is no read: EC2 checks the rights and
 * answers `DryRunOperation` where it would have done it, and does it never (API reference, common
 * parameters).
 */
export const asDryRun = (client: EC2Client): EC2Client => {
  client.middlewareStack.add(
    (next, { commandName = '' }) =>
      (args) =>
        next(
          commandName.startsWith('Describe')
            ? args
            : { ...args, input: { ...args.input, DryRun: true } },
        ),
    { step: 'initialize', name: 'asDryRun' },
  );
  return client;
};
