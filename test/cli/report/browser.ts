import { type Browser, chromium } from 'playwright-core';

/** Nothing of it goes out by itself, so that whatever does is the page's. */
const quiet = [
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Headless, with a profile of its own. Chromium refuses to run as root in its sandbox. */
export const startChromium = (executablePath: string): Promise<Browser> =>
  chromium.launch({ executablePath, args: quiet, chromiumSandbox: process.getuid?.() !== 0 });
