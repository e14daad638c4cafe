import { describe, expect, it } from 'vitest';
import type { InstanceId, VolumeId } from '../../../src/domain/ids.ts';
import type { HoldReason } from '../../../src/domain/incident.ts';
import {
  type PlacementView,
  preflight,
  whyLost,
  whyNotUsable,
} from '../../../src/domain/placement.ts';
import type { App, MesosAgent } from '../../../src/domain/service.ts';
import {
  agentOf,
  appOf,
  freeVolume,
  ids,
  incidentVolumeOf,
  instanceOf,
  spareAgent,
  spareInstance,
  volumeOf,
  volumeTags,
  zone,
} from '../../support/build.ts';

const far = 'us-east-1b';
const farAgent = (change: Partial<MesosAgent> = {}): MesosAgent =>
  agentOf({ agentId: ids.otherAgent, hostname: '10.0.1.9', ...change });
const farInstance = instanceOf({
  instanceId: ids.other,
  privateIp: '10.0.1.9',
  availabilityZone: far,
});

/** The volume is free in its zone, a spare agent waits there, another one in the next zone. */
const viewOf = (change: Partial<PlacementView> = {}): PlacementView => ({
  apps: [appOf()],
  volumes: [incidentVolumeOf()],
  agents: [agentOf({ active: false }), spareAgent(), farAgent()],
  instances: [instanceOf({ state: 'stopped' }), spareInstance(), farInstance],
  namesakes: [freeVolume()],
  failed: [ids.agent],
  ...change,
});
const withApp = (change: Partial<App>, rest: Partial<PlacementView> = {}) =>
  preflight(viewOf({ apps: [appOf(change)], ...rest }));
const withSpare = (change: Partial<MesosAgent>) =>
  preflight(viewOf({ agents: [spareAgent(change)] }));
const hold = (reason: string) => expect.objectContaining({ kind: 'hold', reason });

describe('preflight', () => {
  it('names the agents that can take the app beside its data', () => {
    expect(preflight(viewOf())).toEqual({ kind: 'ok', candidates: { '/mysql': ['10.0.0.8'] } });
  });

  it('says nothing of apps without a volume in the incident', () => {
    const apps = [appOf(), appOf({ id: '/web', externalVolumes: [], constraints: [] })];
    expect(preflight(viewOf({ apps }))).toMatchObject({ candidates: { '/mysql': ['10.0.0.8'] } });
  });

  it('holds an app that could be launched in another zone, on an empty volume', () => {
    const placement = withApp({ constraints: [] });
    expect(placement).toEqual(hold('placement-could-leave-zone'));
    expect(placement).toMatchObject({ says: expect.stringContaining(far) });
  });

  it('does not need a constraint where every agent is in the zone', () => {
    const agents = [spareAgent()];
    expect(withApp({ constraints: [] }, { agents }).kind).toBe('ok');
  });

  it('holds an app that could land where nobody knows the zone', () => {
    const agents = [spareAgent(), farAgent()];
    const instances = [spareInstance()];
    expect(withApp({ constraints: [] }, { agents, instances })).toEqual(
      hold('placement-could-leave-zone'),
    );
  });

  it('takes EC2’s word for the zone, and the fault domain where EC2 shows no such host', () => {
    const lying = farAgent({ faultDomainZone: `aws/${zone}` });
    expect(withApp({ constraints: [] }, { agents: [lying] })).toEqual(
      hold('placement-could-leave-zone'),
    );
    const agents = [spareAgent({ faultDomainZone: `aws/${zone}` })];
    expect(withApp({ constraints: [] }, { agents, instances: [] }).kind).toBe('ok');
  });

  it.each<[string, readonly string[]]>([
    ['@zone IS', ['@zone', 'IS', `aws/${zone}`]],
    ['@zone LIKE', ['@zone', 'LIKE', 'aws/us-east-1a|aws/us-east-1c']],
    ['@zone UNLIKE', ['@zone', 'UNLIKE', 'aws/us-east-1b']],
    ['hostname LIKE', ['hostname', 'LIKE', '10\\.0\\.0\\.\\d+']],
    ['@hostname IS', ['@hostname', 'IS', '10.0.0.8']],
    ['an attribute', ['rack', 'LIKE', 'a.*']],
    ['an attribute as CLUSTER', ['rack', 'CLUSTER', 'a1']],
    ['an operator in lower case', ['@zone', 'is', `aws/${zone}`]],
  ])('reads %s as a bound to the zone', (_, constraint) => {
    const agents = [spareAgent({ attributes: { rack: 'a1' } }), farAgent()];
    expect(withApp({ constraints: [constraint] }, { agents }).kind).toBe('ok');
  });

  it.each<[string, readonly string[]]>([
    ['UNIQUE, which binds no app of one instance', ['hostname', 'UNIQUE']],
    ['GROUP_BY', ['@zone', 'GROUP_BY', '2']],
    ['MAX_PER', ['@zone', 'MAX_PER', '1']],
    ['CLUSTER without a value', ['rack', 'CLUSTER']],
    ['the region alone', ['@region', 'IS', 'aws/us-east-1']],
    ['a pattern only Java reads', ['@zone', 'LIKE', '(?i)aws/.*+']],
    ['UNLIKE on an attribute the other agent lacks', ['rack', 'UNLIKE', 'b.*']],
  ])('does not read %s as a bound to the zone', (_, constraint) => {
    const agents = [spareAgent({ attributes: { rack: 'a1' } }), farAgent()];
    expect(withApp({ constraints: [constraint] }, { agents })).toEqual(
      hold('placement-could-leave-zone'),
    );
  });

  it.each<[string, Partial<MesosAgent>]>([
    ['is not active', { active: false }],
    ['is deactivated', { deactivated: true }],
    ['is known only from the registry', { recovered: true }],
    ['is the failed one under another id', { agentId: ids.agent }],
    ['lacks cpus', { free: { cpus: 0.4, mem: 8192 } }],
    ['lacks memory', { free: { cpus: 4, mem: 1023 } }],
    ['is reserved for a role the app does not accept', { reservedRoles: ['slave_public'] }],
  ])('holds when the only agent in the zone %s', (_, change) => {
    expect(withSpare(change)).toEqual(hold('no-placement'));
  });

  it('uses an agent of a role that the app accepts', () => {
    const agents = [spareAgent({ reservedRoles: ['slave_public'] })];
    expect(withApp({ acceptedRoles: ['slave_public'] }, { agents }).kind).toBe('ok');
    expect(withApp({ acceptedRoles: ['slave_public'] }, { agents: [spareAgent()] })).toEqual(
      hold('no-placement'),
    );
  });

  it('counts the device names that REX-Ray has left, for all volumes of the app', () => {
    const taken = (letters: string) =>
      [...letters].map((letter) => ({
        device: `/dev/xvd${letter}`,
        volumeId: `vol-0000000000000000${letter.charCodeAt(0)}` as VolumeId,
        deleteOnTermination: false,
        status: 'attached',
      }));
    const on = (letters: string, volumes = [incidentVolumeOf()]) =>
      preflight(viewOf({ volumes, instances: [spareInstance({ devices: taken(letters) })] })).kind;
    expect(on('abcfghijklmno')).toBe('ok');
    expect(on('fghijklmnop')).toBe('hold');
    const two = [
      incidentVolumeOf(),
      incidentVolumeOf({ volumeId: 'vol-000000000000000d2' as VolumeId, name: 'mysql-log' }),
    ];
    expect(on('fghijklmno', two)).toBe('hold');
    expect(on('fghijklmn', two)).toBe('ok');
  });

  it('holds an app whose volumes are in two zones', () => {
    const volumes = [
      incidentVolumeOf(),
      incidentVolumeOf({
        volumeId: 'vol-000000000000000d2' as VolumeId,
        name: 'mysql-log',
        availabilityZone: far,
      }),
    ];
    expect(preflight(viewOf({ volumes }))).toEqual(hold('no-placement'));
  });

  it('holds while another volume has the same name, in whatever zone', () => {
    const twin = freeVolume({
      volumeId: 'vol-000000000000000e1' as VolumeId,
      availabilityZone: far,
    });
    expect(preflight(viewOf({ namesakes: [freeVolume(), twin] }))).toEqual(
      hold('duplicate-volume-name'),
    );
    const gone = { ...twin, state: 'deleted' as const };
    expect(preflight(viewOf({ namesakes: [freeVolume(), gone] })).kind).toBe('ok');
    const other = { ...twin, tags: volumeTags('other') };
    expect(preflight(viewOf({ namesakes: [freeVolume(), other] })).kind).toBe('ok');
  });

  it('does not count a host that EC2 says is not running', () => {
    const stopped = spareInstance({ instanceId: 'i-0000000a' as InstanceId, state: 'stopped' });
    const agents = [spareAgent()];
    expect(preflight(viewOf({ agents, instances: [stopped] })).kind).toBe('hold');
  });
});

describe('room for a volume', () => {
  const holding = (...names: string[]) => {
    const devices = names.map((device) => ({
      device,
      volumeId: ids.root,
      deleteOnTermination: false,
      status: 'attached',
    }));
    return preflight(viewOf({ instances: [spareInstance({ devices })] }));
  };
  const letters = (from: string, to: string): string[] =>
    [...'abcdefghijklmnopqrstuvwxyz'].filter((letter) => letter >= from && letter <= to);

  it('is gone when REX-Ray has used all its letters', () => {
    const used = letters('f', 'p').map((letter) => `/dev/xvd${letter}`);
    expect(holding('/dev/xvda', ...used.slice(1)).kind).toBe('ok');
    expect(holding('/dev/xvda', ...used)).toEqual(hold('no-placement'));
  });

  it('is gone when the machine holds as many disks as EC2 lets it, under whatever letters', () => {
    const others = letters('a', 'z').map((letter) => `/dev/xvdb${letter}`);
    expect(holding(...others.slice(1)).kind).toBe('ok');
    expect(holding(...others)).toEqual(hold('no-placement'));
  });
});

describe('whyLost', () => {
  const ok = { volumeId: ids.data, io: 'ok', modifying: false } as const;
  const lost = expect.objectContaining({ reason: 'volume-lost' });

  it('has nothing against volumes that EC2 knows', () => {
    expect(whyLost([incidentVolumeOf()], [ok], [volumeOf()])).toBeUndefined();
    // Somebody else's of that name is being removed: good.
    const other = volumeOf({ volumeId: 'vol-0fe' as VolumeId, state: 'deleting' });
    expect(whyLost([incidentVolumeOf()], [ok], [other])).toBeUndefined();
    expect(whyLost([], [], [])).toBeUndefined();
  });

  it('finds one of several that EC2 does not know, or that is on its way out', () => {
    const other = incidentVolumeOf({ volumeId: 'vol-0fe' as VolumeId, name: 'logs' });
    expect(whyLost([incidentVolumeOf(), other], [ok], [])).toMatchObject({
      reason: 'volume-lost',
      says: expect.stringContaining('vol-0fe (logs)'),
    });
    for (const state of ['deleting', 'deleted'] as const) {
      expect(whyLost([incidentVolumeOf()], [ok], [volumeOf({ state })])).toEqual(lost);
    }
  });
});

describe('whyNotUsable', () => {
  const impaired = { volumeId: ids.data, io: 'impaired', modifying: false } as const;
  const modifying = { volumeId: ids.data, io: 'ok', modifying: true } as const;
  const why = (condition: typeof impaired | typeof modifying, ...acknowledged: HoldReason[]) =>
    whyNotUsable([incidentVolumeOf()], [condition], acknowledged);
  const notUsable = expect.objectContaining({ reason: 'volume-not-usable' });

  it('has nothing against volumes in order', () => {
    const ok = { volumeId: ids.data, io: 'ok', modifying: false } as const;
    expect(whyNotUsable([incidentVolumeOf()], [ok], [])).toBeUndefined();
    expect(whyNotUsable([], [impaired], [])).toBeUndefined();
  });

  it('wants a person to look at a volume whose I/O EC2 has stopped', () => {
    expect(why(impaired)).toEqual(notUsable);
    expect(why(impaired, 'weak-fence')).toEqual(notUsable);
    expect(why(impaired, 'volume-not-usable')).toBeUndefined();
  });

  it('waits for the end of a modification, which nobody can wave through', () => {
    expect(why(modifying)).toEqual(notUsable);
    expect(why(modifying, 'volume-not-usable')).toEqual(notUsable);
  });
});
