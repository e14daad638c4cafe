import { describe, expect, it } from 'vitest';
import { plays, type SceneName, sceneNames } from '../../emulator/scenes/plays.ts';
import type { Report } from '../../emulator/scenes/report.ts';
import { playScene } from '../../emulator/scenes/scene.ts';

const playAnew = (scene: SceneName): Promise<Report> => playScene({ scene, seed: 1, tables: {} });

/** Each is played once: equal options give an equal report, as the last test here sees. */
const played = new Map<SceneName, Promise<Report>>();
const play = (scene: SceneName): Promise<Report> => {
  const report = played.get(scene) ?? playAnew(scene);
  played.set(scene, report);
  return report;
};

const taken = ({ calls }: Report, operation: string): number =>
  Object.values(calls).reduce((sum, of) => sum + (of[operation] ?? 0), 0);

/** Calls that take something away from a machine. */
const FORCED = ['StopInstances', 'TerminateInstances', 'DetachVolume', 'MARK_AGENT_GONE'];
const forcedIn = (report: Report): number =>
  FORCED.reduce((sum, operation) => sum + taken(report, operation), 0);

const nothingLost = { lostRows: 0, foreignWrites: 0 };

/** A hundred agents with four volumes each take minutes to play. */
const WHOLE_MS = 900_000;

describe('each scene', () => {
  const others = sceneNames.filter((name) => !['hung', 'stopped', 'terminated'].includes(name));
  it.each(others)(
    '%s ends as it is documented, and no row is lost',
    async (name) => {
      const report = await play(name);
      expect(report.outcome).toBe(plays[name].promised);
      expect(report.data).toMatchObject(nothingLost);
      expect(report.scene).toBe(name);
    },
    WHOLE_MS,
  );
});

describe('a failure that no event tells of', () => {
  it('is found by the sweep within a minute', async () => {
    const report = await play('lost-event');
    expect(report.foundMs).toBeLessThanOrEqual(60_000);
    expect(report.incident?.verdict).toBe('Down');
  });
});

describe('an agent that is cut off', () => {
  it('is fenced only after a person has said so', async () => {
    const report = await play('partition');
    expect(report.incident?.verdict).toBe('Partitioned');
    expect(report.fence?.method).toBe('skip');
  });
});

describe('masters that are cut off', () => {
  it('fence nobody, and tell of all in one message', async () => {
    const report = await play('masters-partitioned');
    expect(forcedIn(report)).toBe(0);
    expect(report.incidents).toEqual({ 'held: blind': 30 });
    expect(report.messages).toBe(1);
  }, 60_000);
});

describe('what is no failure', () => {
  it.each(['reboot', 'flapping'] as const)('%s touches nothing', async (name) => {
    const report = await play(name);
    expect(forcedIn(report)).toBe(0);
    expect(report.fence).toBeNull();
    expect(report.volumes.map(({ epoch }) => epoch)).toEqual([0]);
  });

  it.each(['retirement', 'spot', 'asg-terminate'] as const)(
    '%s is moved without a fence and without force',
    async (name) => {
      const report = await play(name);
      expect(report.fence).toBeNull();
      expect(forcedIn(report)).toBe(0);
      expect(report.apps).toMatchObject([{ healthy: true }]);
      expect(report.retries.failedLaunches).toBe(0);
    },
  );
});

describe('a fenced host that comes back', () => {
  it('gets no work, and takes nothing from the new owner', async () => {
    const report = await play('zombie');
    // The newest incident is that of the return.
    expect(report.incident).toMatchObject({ verdict: 'Returned' });
    expect(report.fence).toBeNull();
    expect(report.volumes[0]?.toInstanceId).not.toBe(report.agent.instanceId);
  });
});

describe('many that fail together', () => {
  it(
    'are each recovered in a storm',
    async () => {
      const report = await play('storm');
      expect(report.incidents).toEqual({ recovered: 100 });
    },
    WHOLE_MS,
  );

  it('are held in a zone that is lost, and nothing loops', async () => {
    const report = await play('zone-loss');
    expect(Object.keys(report.incidents ?? {}).every((how) => how.startsWith('held'))).toBe(true);
    expect(forcedIn(report)).toBe(0);
    expect(taken(report, 'DescribeInstances')).toBeLessThan(200);
  }, 60_000);

  it('give an equal document for an equal seed', async () => {
    expect(await playAnew('zone-loss')).toEqual(await play('zone-loss'));
  }, 60_000);
});
