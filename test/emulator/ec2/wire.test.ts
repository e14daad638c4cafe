import { DetachVolumeCommand, StopInstancesCommand } from '@aws-sdk/client-ec2';
import { XMLParser } from 'fast-xml-parser';
import { describe, expect, it } from 'vitest';
import { Ec2Refusal } from '../../../emulator/core/machines.ts';
import type { Resource } from '../../../emulator/services/ec2/action.ts';
import { type Bench, bench, ec2Client, refusalOf, ZONE } from './kit.ts';

const form = (fields: Record<string, string>): string => new URLSearchParams(fields).toString();

/** As the AWS CLI and boto3 send it. */
const post = async ({ ec2 }: Bench, fields: Record<string, string>) =>
  await ec2.handle(
    {
      method: 'POST',
      url: 'http://127.0.0.1:4566/',
      headers: { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' },
      body: form({ Version: '2016-11-15', ...fields }),
    },
    { accessKeyId: 'CLI' },
  );

describe('the EC2 query protocol', () => {
  it('answers with request id first, items in sets, and the documented namespace', async () => {
    const world = bench();
    const id = world.ec2.seedInstance({ availabilityZone: ZONE });
    const answer = await post(world, {
      Action: 'StopInstances',
      'InstanceId.1': id,
      SkipOsShutdown: 'true',
    });
    expect(answer.status).toBe(200);
    expect(answer.body).toMatch(
      /^<\?xml version="1.0" encoding="UTF-8"\?>\n<StopInstancesResponse xmlns="http:\/\/ec2.amazonaws.com\/doc\/2016-11-15\/"><requestId>[0-9a-f-]{36}<\/requestId><instancesSet><item>/,
    );
    const { StopInstancesResponse: told } = new XMLParser().parse(answer.body);
    expect(told.instancesSet.item).toEqual({
      instanceId: id,
      currentState: { code: 64, name: 'stopping' },
      previousState: { code: 16, name: 'running' },
    });
  });

  it('tells an empty list as an empty element', async () => {
    const world = bench();
    world.ec2.seedVolume({ availabilityZone: ZONE });
    const answer = await post(world, { Action: 'DescribeVolumes', 'Filter.1.Name': 'status' });
    expect(answer.body).toContain('<volumeSet/>');
    expect((await post(world, { Action: 'DescribeVolumes' })).body).toContain('<attachmentSet/>');
  });

  it('takes a GET as well', async () => {
    const world = bench();
    const volumeId = world.ec2.seedVolume({ availabilityZone: ZONE });
    const query = form({ Action: 'DescribeVolumes', 'VolumeId.1': volumeId });
    const request = { method: 'GET', url: `http://127.0.0.1/?${query}`, headers: {}, body: '' };
    const answer = await world.ec2.handle(request, { accessKeyId: 'CLI' });
    expect(answer.body).toContain(`<volumeId>${volumeId}</volumeId>`);
  });

  it('spells errors as EC2 does', async () => {
    const world = bench();
    const volumeId = world.ec2.seedVolume({ availabilityZone: ZONE });
    const answer = await post(world, { Action: 'DetachVolume', VolumeId: volumeId });
    expect(answer.status).toBe(400);
    expect(answer.body).toMatch(
      /<Response><Errors><Error><Code>IncorrectState<\/Code><Message>Volume &apos;vol-[0-9a-f]+&apos; is in the &apos;available&apos; state.<\/Message><\/Error><\/Errors><RequestID>[0-9a-f-]{36}<\/RequestID><\/Response>$/,
    );
  });

  it('refuses unknown, missing and malformed input with a code', async () => {
    const world = bench();
    const code = async (fields: Record<string, string>) =>
      /<Code>(\w+)<\/Code>/.exec((await post(world, fields)).body)?.[1];
    expect(await code({ Action: 'SummonInstances' })).toBe('InvalidAction');
    expect(await code({})).toBe('MissingAction');
    expect(await code({ Action: 'StopInstances' })).toBe('MissingParameter');
    expect(await code({ Action: 'DetachVolume' })).toBe('MissingParameter');
    const id = world.ec2.seedInstance({ availabilityZone: ZONE });
    const force = { Action: 'StopInstances', 'InstanceId.1': id, Force: 'perhaps' };
    expect(await code(force)).toBe('InvalidParameterValue');
    expect(world.ec2.machine(id)?.powered).toBe(true);
  });

  it('gives server-side trouble the status of a server error', async () => {
    const world = bench();
    world.ec2.faults.onCall = ({ api }) => {
      throw new Ec2Refusal(api === 'DescribeVolumes' ? 'RequestLimitExceeded' : 'Unavailable', '');
    };
    expect((await post(world, { Action: 'DescribeVolumes' })).status).toBe(503);
    expect(world.ec2.calls().map(({ outcome }) => outcome)).toEqual(['RequestLimitExceeded']);
  });
});

describe('rights and dry runs', () => {
  const caller = { accessKeyId: 'ROLE' };

  it('asks for the volume and the instance of a detach, with their tags', async () => {
    const asked: { action: string; resources: Resource[] }[] = [];
    const world = bench({
      authorize: (action, resources) => void asked.push({ action, resources }),
    });
    const instanceId = world.ec2.seedInstance({ availabilityZone: ZONE, tags: { a: '1' } });
    const attachedTo = { instanceId, device: '/dev/xvdf' };
    const spec = { availabilityZone: ZONE, name: 'mysql', attachedTo };
    const VolumeId = world.ec2.seedVolume(spec);
    await ec2Client(world.ec2, caller).send(new DetachVolumeCommand({ VolumeId }));
    const arn = 'arn:aws:ec2:us-east-1:123456789012';
    expect(asked).toEqual([
      {
        action: 'ec2:DetachVolume',
        resources: [
          { arn: `${arn}:volume/${VolumeId}`, tags: { Name: 'mysql' } },
          { arn: `${arn}:instance/${instanceId}`, tags: { a: '1' } },
        ],
      },
    ]);
  });

  it('names the tags of a request as condition keys', async () => {
    const contexts: Record<string, string[]>[] = [];
    const world = bench({ authorize: (_a, _r, _c, context) => void contexts.push(context) });
    const volumeId = world.ec2.seedVolume({ availabilityZone: ZONE });
    await post(world, {
      Action: 'CreateTags',
      'ResourceId.1': volumeId,
      'Tag.1.Key': 'cluster',
      'Tag.1.Value': 'prod',
    });
    expect(contexts).toEqual([{ 'aws:RequestTag/cluster': ['prod'], 'aws:TagKeys': ['cluster'] }]);
  });

  it('refuses for lack of rights before a dry run is answered, and changes nothing in either', async () => {
    let allowed = false;
    const world = bench({
      authorize: () => {
        if (!allowed) throw new Ec2Refusal('UnauthorizedOperation', 'not authorized');
      },
    });
    const id = world.ec2.seedInstance({ availabilityZone: ZONE });
    const dryRun = () =>
      world.client.send(new StopInstancesCommand({ InstanceIds: [id], DryRun: true }));
    expect(await refusalOf(dryRun())).toBe('UnauthorizedOperation');
    allowed = true;
    await expect(dryRun()).rejects.toMatchObject({
      name: 'DryRunOperation',
      $metadata: { httpStatusCode: 412 },
    });
    expect(world.ec2.truth().instances[0]?.state).toBe('running');
    expect(world.events).toEqual([]);
  });

  it('logs every call with its caller, its time and its outcome', async () => {
    const world = bench();
    world.time.advance(1_500);
    const id = world.ec2.seedInstance({ availabilityZone: ZONE });
    await post(world, { Action: 'StopInstances', 'InstanceId.1': id });
    expect(world.ec2.calls()).toEqual([
      {
        api: 'StopInstances',
        params: { 'InstanceId.1': id },
        caller: { accessKeyId: 'CLI' },
        at: Date.parse('2026-11-22T21:00:01.500Z'),
        outcome: 'ok',
      },
    ]);
  });

  it('plays the same story with the same ids for the same seed', async () => {
    const story = async () => {
      const world = bench();
      const id = world.ec2.seedInstance({ availabilityZone: ZONE });
      await post(world, { Action: 'StopInstances', 'InstanceId.1': id });
      world.time.advance(3_600_000);
      const { body } = await post(world, { Action: 'DescribeVolumes' });
      return JSON.stringify([world.events, world.ec2.truth(), body]);
    };
    expect(await story()).toBe(await story());
  });
});
