import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { pageOf } from '../../../cli/report/page.ts';
import { findChromium } from '../../../scripts/tools.ts';
import { closeClouds } from '../../functions/cloud.ts';
import { startChromium } from './browser.ts';
import { playIncident, playNames } from './incidents.ts';
import { badDay } from './whole.ts';

interface Measured {
  readonly widerBy: number;
  readonly texts: number;
  readonly small: readonly string[];
  readonly pale: readonly string[];
  readonly cutOff: readonly string[];
  readonly sections: readonly string[];
  readonly scripts: number;
  readonly words: string;
}

const measure = readFileSync(new URL('measure.js', import.meta.url), 'utf8');
const chromium = findChromium();
const folder = mkdtempSync(join(tmpdir(), 'report-'));
let browser: Browser | undefined;
beforeAll(async () => {
  if (chromium !== undefined) browser = await startChromium(chromium);
});
beforeEach(({ skip }) => {
  skip(chromium === undefined, 'no Chromium is installed, and CHROMIUM_PATH names none');
});
afterAll(async () => {
  await browser?.close();
  rmSync(folder, { recursive: true });
});

interface Screen {
  readonly width: number;
  readonly colorScheme: 'light' | 'dark';
}
const screens: readonly Screen[] = [1280, 390].flatMap((width) =>
  (['light', 'dark'] as const).map((colorScheme) => ({ width, colorScheme })),
);

let opened = 0;
/** What the page is like on that screen, what it asked for beside itself, and its picture. */
const lookAt = async (page: string, { colorScheme, width }: Screen) => {
  if (browser === undefined) throw new Error('Chromium was not started');
  opened += 1;
  const file = join(folder, `${opened}.html`);
  writeFileSync(file, page);
  const { href } = pathToFileURL(file);
  const tab = await browser.newPage({ viewport: { width, height: 900 }, colorScheme });
  const fetched: string[] = [];
  const wrong: string[] = [];
  tab.on('request', (request) => fetched.push(request.url()));
  tab.on('console', (message) => wrong.push(message.text()));
  tab.on('pageerror', (error) => wrong.push(error.message));
  await tab.goto(href);
  const measured = (await tab.evaluate(measure)) as Measured;
  const picture = join(folder, `${opened}.png`);
  await tab.screenshot({ path: picture });
  await tab.close();
  return { ...measured, fetched: fetched.filter((url) => url !== href), wrong, picture };
};

const blanks = new Map<string, number>();
/** How large the picture of a page is that shows nothing. */
const blankBytes = async (screen: Screen): Promise<number> => {
  const name = JSON.stringify(screen);
  const known = blanks.get(name);
  if (known !== undefined) return known;
  const { picture } = await lookAt('<!doctype html><body></body>', screen);
  blanks.set(name, statSync(picture).size);
  return blankBytes(screen);
};

const sections = [
  ...['course', 'unusual', 'result', 'evidence', 'proof', 'people'],
  ...['ledger', 'calls', 'timeline', 'machine', 'about'],
];

const expectReadable = async (page: string, screen: Screen) => {
  const seen = await lookAt(page, screen);
  expect(seen).toMatchObject({
    widerBy: 0,
    small: [],
    pale: [],
    cutOff: [],
    sections,
    scripts: 0,
    fetched: [],
    wrong: [],
  });
  expect(seen.texts).toBeGreaterThan(60);
  expect(statSync(seen.picture).size).toBeGreaterThan(5 * (await blankBytes(screen)));
  return seen;
};

describe.each(playNames)('the page of an incident that was %s', (name) => {
  it('is readable on every screen', async () => {
    const shown = await playIncident(name).finally(closeClouds);
    for (const screen of screens) {
      const { words } = await expectReadable(pageOf(shown), screen);
      expect(words).toContain(shown.instanceId);
      for (const { requestId } of shown.calls) if (requestId) expect(words).toContain(requestId);
    }
  });
});

describe('the page of a bad day', () => {
  it.each(screens)('is readable with $width pixels, $colorScheme', async (screen) => {
    await expectReadable(pageOf(badDay()), screen);
  });

  it('shows what others wrote as text, however it is written', async () => {
    const evil = `"><script>document.title='run'</script><img src="http://127.0.0.1:9/x">`;
    const shown = { ...badDay(), summary: evil, operatorHold: { by: evil, reason: evil, at: 1 } };
    const [phone] = screens.slice(-1);
    if (phone === undefined) throw new Error('no screen');
    const { words } = await expectReadable(pageOf(shown), phone);
    expect(words).toContain(evil);
  });
});

describe('the look at a page', () => {
  const [wide = { width: 1280, colorScheme: 'light' as const }] = screens;
  const planted = (markup: string, page = pageOf(badDay())): string =>
    page.replace('</main>', `${markup}</main>`);

  it.each([
    ['what is too wide', '<p style="width:2000px;max-width:none">wide</p>', { widerBy: 784 }],
    ['small print', '<p style="font-size:11px">small</p>', { small: ['P "small"'] }],
    ['pale words', '<p style="color:#b0b0b0">pale</p>', { pale: ['P "pale"'] }],
    [
      'words outside of the screen',
      '<div style="overflow:hidden"><p style="margin-left:-600px">gone</p></div>',
      { cutOff: ['P "gone"'] },
    ],
  ])('sees %s', async (_, markup, says) => {
    expect(await lookAt(planted(markup), wide)).toMatchObject(says);
  });

  it('sees what is fetched, and that the page lets nothing be fetched', async () => {
    const image = '<img src="http://127.0.0.1:9/x.png">';
    const open = planted(image).replace(/<meta http-equiv="Content-Security-Policy"[^>]*>/, '');
    expect((await lookAt(open, wide)).fetched).toEqual(['http://127.0.0.1:9/x.png']);
    const { wrong } = await lookAt(planted(image), wide);
    expect(wrong.join()).toContain('Content Security Policy');
  });

  it('sees that a script runs, which the page forbids', async () => {
    const script = '<script>document.body.append("it ran")</script>';
    const open = planted(script).replace(/<meta http-equiv="Content-Security-Policy"[^>]*>/, '');
    expect(await lookAt(open, wide)).toMatchObject({ scripts: 1 });
    expect((await lookAt(open, wide)).words).toContain('it ran');
    expect((await lookAt(planted(script), wide)).words).not.toContain('it ran');
  });
});
