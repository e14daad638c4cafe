import { expect } from 'vitest';
import { setStage } from '../../emulator/scenes/stage.ts';
import type { Pressed } from '../../emulator/services/slack/press.ts';
import { messageLines } from '../../emulator/services/slack/text.ts';
import { type Cloud, openCloud } from './cloud.ts';

/*
 * Buttons as people press them in the emulated Slack, which signs each press and sends it to the
 * function's public address, against the whole service.
 */

export const instanceId = 'i-0a1b2c3d4e5f60718';
export const incidentId = `demo#${instanceId}#1`;
/** Two sweeps: the first adopts the volumes, the second knows the inventory. */
const SWEEPS_MS = 130_000;

export const opened = async (options: Parameters<typeof openCloud>[1] = {}): Promise<Cloud> => {
  const cloud = await openCloud(1, { tables: {}, ...options });
  setStage(cloud, { group: false, alarms: true, instanceId });
  await cloud.pass(SWEEPS_MS);
  return cloud;
};

/** Lets time pass until the promise has settled. */
export const settled = async <T>(cloud: Cloud, work: Promise<T>): Promise<T> => {
  let isOver = false;
  const end = (): void => {
    isOver = true;
  };
  work.then(end, end);
  await cloud.until(() => isOver);
  return work;
};

/** Presses, and lets time pass until the person knows what came of it. */
export const press = async (
  cloud: Cloud,
  what: { action: string; user?: string; ts?: string },
): Promise<Pressed & { told: string }> => {
  const { user = 'U0ANA' } = what;
  const before = cloud.slack.ephemerals().length;
  const pressed = await settled(cloud, cloud.slack.press(what));
  await cloud.until(() => cloud.slack.ephemerals().length > before);
  const told = cloud.slack.ephemerals().at(-1);
  expect(told).toMatchObject({ channel: 'C0FAILOVER', user });
  return { ...pressed, told: messageLines(told ?? { blocks: [] }).join('\n') };
};

/** Everything that stands in the channel now. */
export const channelOf = (cloud: Cloud): string =>
  cloud.slack.messages().flatMap(messageLines).join('\n');
export const said = (cloud: Cloud, text: string) =>
  cloud.until(() => channelOf(cloud).includes(text));
export const ordersOf = (cloud: Cloud) =>
  cloud.printed('operate').filter(({ message }) => message === 'order taken');

/** Mesos has lost it, EC2 finds it well: held until a person says so. */
export const partitioned = async (options: Parameters<typeof openCloud>[1] = {}) => {
  const cloud = await opened(options);
  cloud.dcos.faults.partition(instanceId, true);
  await said(cloud, 'held (partitioned)');
  return cloud;
};
