import { CreateTagsCommand, DeleteTagsCommand, type EC2Client } from '@aws-sdk/client-ec2';
import { quarantineTagKey } from '../../domain/quarantine.ts';
import type { MachineMarks } from '../../ports/compute.ts';
import { changing, receiptOf } from '../aws-sdk/calls.ts';

/** The tag by which people see that a machine was fenced. EC2 keeps at most 256 characters. */
export const createMachineMarks = ({ client }: { readonly client: EC2Client }): MachineMarks => ({
  async markQuarantined(instanceId, value) {
    const command = new CreateTagsCommand({
      Resources: [instanceId],
      Tags: [{ Key: quarantineTagKey, Value: value }],
    });
    return receiptOf(await changing('CreateTags', () => client.send(command)));
  },

  async unmarkQuarantined(instanceId) {
    // The key is written out: without one EC2 takes every tag away.
    const command = new DeleteTagsCommand({
      Resources: [instanceId],
      Tags: [{ Key: quarantineTagKey }],
    });
    return receiptOf(await changing('DeleteTags', () => client.send(command)));
  },
});
