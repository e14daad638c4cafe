import { InvalidArgumentError } from 'commander';
import { IncidentIdText, InstanceIdText, VolumeIdText } from '../src/contracts/ids.ts';
import type { LookInput } from '../src/contracts/look.ts';
import { HoldReasonText } from '../src/contracts/steps.ts';

/** What people write as arguments, checked before anything is asked of AWS. */

export const instanceId = (text: string) => {
  const parsed = InstanceIdText.safeParse(text);
  if (parsed.success) return parsed.data;
  throw new InvalidArgumentError('It is i- and 8 or 17 hex digits.');
};

export const volumeId = (text: string) => {
  const parsed = VolumeIdText.safeParse(text);
  if (parsed.success) return parsed.data;
  throw new InvalidArgumentError('It is vol- and 8 or 17 hex digits.');
};

/** How an incident is named: in full, or by its instance, which means the open or the last one. */
export const incident = (text: string): LookInput => {
  const full = IncidentIdText.safeParse(text);
  if (full.success) return { view: 'incident', incidentId: full.data };
  const of = InstanceIdText.safeParse(text);
  if (of.success) return { view: 'incidentOf', instanceId: of.data };
  throw new InvalidArgumentError(
    'It is <cluster>#<instance>#<number>, or the id of its instance for the open or last one.',
  );
};

export const holdReason = (text: string) => {
  const parsed = HoldReasonText.safeParse(text);
  if (parsed.success) return parsed.data;
  throw new InvalidArgumentError('It is the reason of a hold, such as flapping: see the runbook.');
};

export const deployment = (text: string): string => {
  if (/^[a-z0-9][a-z0-9-]{0,62}$/.test(text)) return text;
  throw new InvalidArgumentError('It is lower case letters, digits and hyphens.');
};

const unitMs: Readonly<Record<string, number>> = {
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** `90s`, `15m`, `2h`, `1d`; milliseconds. */
export const span = (text: string): number => {
  const [, count, unit] = /^([1-9]\d{0,5})([smhd])$/.exec(text) ?? [];
  const ms = unitMs[unit ?? ''];
  if (ms !== undefined) return Number(count) * ms;
  throw new InvalidArgumentError('It is a number with s, m, h or d, such as 90s or 2h.');
};

/** A time with its zone: one without means another hour to everybody. */
export const moment = (text: string): number => {
  const at = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d)?(?:Z|[+-]\d\d:\d\d)$/.test(text)
    ? Date.parse(text)
    : Number.NaN;
  if (Number.isFinite(at)) return at;
  throw new InvalidArgumentError('It is a time with its zone, such as 2026-11-30T18:00Z.');
};

/** A whole number from 1. */
export const positive = (text: string): number => {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It is a whole number from 1.');
};
