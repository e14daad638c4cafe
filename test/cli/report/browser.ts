import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';

/** As distributions and vendors call it. */
const names = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome'];

const isProgram = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
};

/** The installed Chromium: CHROMIUM_PATH, or the first of its usual names on PATH. Undefined: there is none. */
export const findChromium = (env: NodeJS.ProcessEnv = process.env): string | undefined => {
  const { CHROMIUM_PATH: named, PATH: path = '' } = env;
  if (named) return named;
  const folders = path.split(delimiter).filter(Boolean);
  return names.flatMap((name) => folders.map((folder) => join(folder, name))).find(isProgram);
};

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
