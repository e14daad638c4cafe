import { DescribeSpotInstanceRequestsCommand, type EC2Client } from '@aws-sdk/client-ec2';
import type { Interruptions } from '../../ports/compute.ts';
import { reading } from '../aws-sdk/calls.ts';

/** Status codes of a request whose instance EC2 is about to take back (User Guide, Spot request status). */
const markedFor: Readonly<Record<string, 'stop' | 'terminate'>> = {
  'marked-for-stop': 'stop',
  'marked-for-termination': 'terminate',
};

/** Apart from the other reads: the shapes of Spot requests are large, and few functions ask. */
export const createInterruptions = ({ client }: { readonly client: EC2Client }): Interruptions => ({
  async interruption(instanceId) {
    const answer = await reading('DescribeSpotInstanceRequests', () =>
      client.send(
        new DescribeSpotInstanceRequestsCommand({
          Filters: [{ Name: 'instance-id', Values: [instanceId] }],
        }),
      ),
    );
    const requests = answer.SpotInstanceRequests ?? [];
    const codes = requests
      .filter(({ InstanceId }) => InstanceId === instanceId)
      .map(({ Status }) => markedFor[Status?.Code ?? '']);
    return codes.find((action) => action !== undefined);
  },
});
