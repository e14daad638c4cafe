import { describe, expect, it } from 'vitest';
import { pageOf } from '../../../cli/report/page.ts';
import type { IncidentDocument } from '../../../src/contracts/incident-document.ts';
import { incidentOf } from '../documents.ts';
import { badDay, wholeIncident } from './whole.ts';

/** Words of a closed list, which nobody outside can choose. */
const closed = ['kind', 'version', 'mode', 'status', 'phase', 'outcome', 'state', 'strength'];

/** The same with something behind every text that others can choose: reasons, names, tags, errors. */
const withBehindAll = <Value>(value: Value, tail: string): Value => {
  if (typeof value === 'string') return `${value}${tail}` as Value;
  if (Array.isArray(value)) return value.map((one) => withBehindAll(one, tail)) as Value;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      key,
      closed.includes(key) ? inner : withBehindAll(inner, tail),
    ]),
  ) as Value;
};

const evil = `"'><script>alert(1)</script><img src=x onerror=alert(2)>&lt;`;
const harmless =
  '&quot;&#39;&gt;&lt;script&gt;alert(1)&lt;/script&gt;&lt;img src=x onerror=alert(2)&gt;&amp;lt;';

const documents: readonly (readonly [string, IncidentDocument])[] = [
  ['a good day', wholeIncident()],
  ['a bad day', badDay()],
  ['an incident that was just opened', incidentOf()],
  ['a planned move', wholeIncident({ mode: 'drain', drain: { startedAt: 1, completedAt: 2 } })],
];

describe.each(documents)('the page of %s', (_, shown) => {
  it('lets no text out of its place', () => {
    const marked = pageOf(withBehindAll(shown, 'TAIL'));
    expect(marked.split('TAIL').length).toBeGreaterThan(10);
    expect(pageOf(withBehindAll(shown, evil))).toBe(marked.replaceAll('TAIL', harmless));
  });

  it('fetches nothing and runs nothing', () => {
    const page = pageOf(shown);
    expect(page).toContain(
      `content="default-src &#39;none&#39;; style-src &#39;unsafe-inline&#39;; img-src data:;`,
    );
    expect(page).not.toMatch(/<script|<img|<iframe|<object|@import|url\(|\son\w+=/);
    const links = [...page.matchAll(/\s(?:href|src)="([^"]*)"/g)].map(([, to]) => to ?? '');
    expect(links.filter((to) => !/^#[\w-]+$|^data:,$/.test(to))).toEqual([]);
  });

  it('has a place for every link in it, and every id once', () => {
    const page = pageOf(shown);
    const ids = [...page.matchAll(/\sid="([^"]*)"/g)].map(([, id]) => id ?? '');
    const goals = [...page.matchAll(/\shref="#([^"]*)"/g)].map(([, id]) => id ?? '');
    expect(ids).toEqual([...new Set(ids)]);
    expect(goals.filter((goal) => !ids.includes(goal))).toEqual([]);
  });
});

/** The words of the page, without its markup. */
const wordsOf = (shown: IncidentDocument): string =>
  pageOf(shown)
    .replace(/<style>[\s\S]*<\/style>/, '')
    .replace(/<[^>]+>/g, ' ')
    .replace(/[\s\u00a0]+/g, ' ');

describe('the words of the page', () => {
  it('begin with the result', () => {
    const words = wordsOf(wholeIncident());
    expect(words).toMatch(/Failover of i-\w+ ✓ recovered Impaired; fenced \(skip, strong\)/);
    expect(words).toContain('Downtime 42.0 s from the first sign of the failure');
    expect(words).toContain('Apps back 1 of 1 /mysql');
    expect(words).toContain('Volumes moved 1 of 1 1 released, each after the proof');
    expect(words).toContain('Power proven off by skip, strong, two reads agree');
  });

  it('count a volume that a later incident has moved on as moved', () => {
    const shown = wholeIncident();
    const volumes = shown.volumes.map(({ before, now, ...volume }) => {
      if (now === undefined) throw new Error('nobody owns it');
      const later = { ...now, epoch: now.epoch + 1, incidentId: 'demo#i-0000000f#9' };
      return { ...volume, before: [...before, now], now: later };
    });
    expect(wordsOf({ ...shown, volumes })).toContain('Volumes moved 1 of 1');
  });

  it('have every call with its request and its outcome', () => {
    const good = wordsOf(wholeIncident());
    expect(good).toMatch(/StopInstances .*✓ accepted 84 ms 1dd8520a-3ac6-5ee2-51ed-1/);
    const bad = wordsOf(badDay());
    expect(bad).toContain('✕ refused: IncorrectState');
    expect(bad).toContain('? its answer was lost: ETIMEDOUT');
    expect(bad).toContain('no outcome is on record: it may have been made');
  });

  it('have the evidence for and against, the proof, the epochs, and where the apps are', () => {
    const words = wordsOf(badDay());
    expect(words).toMatch(/Why EC2 calls it impaired for 139 s .*Why not.* EC2 status checks/);
    expect(words).toMatch(/Second read: stopped 2026-11-22T20:59:20.100Z \+100 ms after the step/);
    expect(words).toContain('✕ not healthy 10.0.0.7 → 10.0.0.8');
    expect(words).toContain('Apps back 0 of 1 /mysql');
    expect(words).toContain('volume of it is not free');
    expect(wordsOf(wholeIncident())).toMatch(
      /0 owned i-\w+7 – .*1 in force owned two reads agree i-\w+8 i-\w+7 2026-11-22T20:59:22.000Z/,
    );
  });

  it('say who holds it, and why, before anything else', () => {
    const words = wordsOf(badDay());
    expect(words).toMatch(/‖ held Held: volume-stuck , since \S+ it hangs ben holds it/);
    expect(words).toMatch(/held it for 10\.0 s/);
  });

  it('say what is not there, so that nobody looks for it', () => {
    const words = wordsOf(incidentOf());
    for (const said of [
      'Nothing was looked at yet.',
      'No call was made that changes anything.',
      'No volume was in the scope of this incident.',
      'Nobody gave an order about this incident.',
      'The power was not cut',
    ]) {
      expect(words).toContain(said);
    }
  });

  it('tell a release that no proof covers', () => {
    const volumes = wholeIncident().volumes.map(({ now, ...one }) => {
      const { proof: _, ...bare } = now ?? { volumeId: '', name: '', state: 'owned', epoch: 1 };
      return { ...one, now: bare as NonNullable<typeof now> };
    });
    expect(wordsOf(wholeIncident({ volumes }))).toContain('1 released, not each after a proof');
  });
});
