import {
  CreateTagsCommand,
  type EC2Client,
  ModifyInstanceAttributeCommand,
} from '@aws-sdk/client-ec2';
import type { Safekeeping } from '../../ports/compute.ts';
import { changing, receiptOf } from '../aws-sdk/calls.ts';

/** Marks on instances and volumes. */
export const createSafekeeping = ({ client }: { readonly client: EC2Client }): Safekeeping => ({
  async keepOnTermination(instanceId, devices) {
    const command = new ModifyInstanceAttributeCommand({
      InstanceId: instanceId,
      // All devices in one call: the bucket counts calls. The flag is written out: left out, EC2
      // sets it to true (API reference, EbsInstanceBlockDeviceSpecification).
      BlockDeviceMappings: devices.map(({ device, volumeId }) => ({
        DeviceName: device,
        Ebs: { VolumeId: volumeId, DeleteOnTermination: false },
      })),
    });
    return receiptOf(await changing('ModifyInstanceAttribute', () => client.send(command)));
  },

  async tagVolume(volumeId, tags) {
    const command = new CreateTagsCommand({
      Resources: [volumeId],
      Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })),
    });
    return receiptOf(await changing('CreateTags', () => client.send(command)));
  },
});
