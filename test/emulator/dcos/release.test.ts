import { describe, expect, it } from 'vitest';
import { releaseOf, UnknownReleaseError } from '../../../emulator/dcos/release.ts';

describe('releases', () => {
  it.each([
    ['1.8', '1.8.8', '1.0.3', '1.3.9'],
    ['1.12', '1.12.5', '1.7.3', '1.7.216'],
    ['1.12.4', '1.12.4', '1.7.2', '1.7.202'],
    ['2.1', '2.1.4', '1.10.1', '1.10.34'],
  ])('takes %s for %s, which carries Mesos %s and Marathon %s', (asked, dcos, mesos, marathon) => {
    expect(releaseOf(asked)).toMatchObject({ dcos, mesos, marathon });
  });

  it.each(['3.0', '1.12.9', '2', '2.1.x', ''])('refuses %j and names what it knows', (version) => {
    expect(() => releaseOf(version)).toThrow(UnknownReleaseError);
    expect(() => releaseOf(version)).toThrow(/known are 1\.8\.8-8, .*2\.2\.1-1/);
  });

  it('can mark agents gone from 1.11 and drain them from 2.0', () => {
    expect(releaseOf('1.10')).toMatchObject({ markAgentGone: false, drain: false });
    expect(releaseOf('1.11')).toMatchObject({ markAgentGone: true, drain: false });
    expect(releaseOf('2.0')).toMatchObject({ markAgentGone: true, drain: true });
  });

  it.each([
    ['1.11.12', true],
    ['1.12.4', true],
    ['1.12.5', false],
    ['1.13.4', true],
    ['1.13.5', false],
    ['2.0', false],
  ])('%s has MESOS-9545: %s', (version, mesos9545) => {
    expect(releaseOf(version).mesos9545).toBe(mesos9545);
  });

  it('lets one agent go per 20 minutes until 1.11, and caps the backoff lower from 1.13', () => {
    expect(releaseOf('1.11').removalIntervalMs).toBe(20 * 60_000);
    expect(releaseOf('1.12').removalIntervalMs).toBe(600);
    expect(releaseOf('1.12').maxLaunchDelaySeconds).toBe(3600);
    expect(releaseOf('1.13').maxLaunchDelaySeconds).toBe(300);
  });
});
