import { XMLParser } from 'fast-xml-parser';
import type { SeenInstance, SeenVolume } from './events.ts';

const parser = new XMLParser({
  parseTagValue: false,
  isArray: (name) => name === 'item',
});

interface Items<T> {
  item?: T[];
}

interface InstanceXml {
  instanceId: string;
  instanceState: { name: string };
  launchTime: string;
}

interface VolumeXml {
  volumeId: string;
  status: string;
  attachmentSet?: Items<{ instanceId: string; status: string }> | '';
}

const itemsOf = <T>(set: Items<T> | '' | undefined): T[] => (set ? (set.item ?? []) : []);

/** The instances an answer of DescribeInstances shows, as its reader sees them. */
export const instancesIn = (xml: string): SeenInstance[] => {
  const { DescribeInstancesResponse: answer } = parser.parse(xml) as {
    DescribeInstancesResponse?: {
      reservationSet?: Items<{ instancesSet?: Items<InstanceXml> | '' }> | '';
    };
  };
  return itemsOf(answer?.reservationSet)
    .flatMap(({ instancesSet }) => itemsOf(instancesSet))
    .map(({ instanceId, instanceState, launchTime }) => ({
      instanceId,
      state: instanceState.name,
      launchTime: Date.parse(launchTime),
    }));
};

/** The same for DescribeVolumes; holders are all attachments, whatever their state. */
export const volumesIn = (xml: string): SeenVolume[] => {
  const { DescribeVolumesResponse: answer } = parser.parse(xml) as {
    DescribeVolumesResponse?: { volumeSet?: Items<VolumeXml> | '' };
  };
  return itemsOf(answer?.volumeSet).map(({ volumeId, status, attachmentSet }) => ({
    volumeId,
    state: status,
    holders: itemsOf(attachmentSet).map(({ instanceId }) => instanceId),
  }));
};
