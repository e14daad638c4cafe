import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { projectDir } from '../support/project-files.ts';
import { fixture, fixtureNames } from '../unit/contracts/fixtures.ts';

const page = readFileSync(join(projectDir, 'docs/signals.md'), 'utf8');

/** `source` and `detail-type` of every sample. */
const kinds = fixtureNames.map((name) => fixture(name) as Record<string, string>);
/** Kinds without a row that names both. */
const untold = (text: string, events: readonly Record<string, string>[]): string[] => {
  const rows = text.split('\n').filter((line) => line.startsWith('|'));
  const missing = events.filter(
    ({ source = '', 'detail-type': type = '' }) =>
      !rows.some((row) => row.includes(`| ${source} |`) && row.includes(type)),
  );
  return [...new Set(missing.map((event) => `${event.source} ${event['detail-type']}`))];
};

describe('the page of signals', () => {
  it('has a row for every event there is a sample of', () => {
    expect(untold(page, kinds)).toEqual([]);
  });

  it('would miss an event without a row', () => {
    const event = { source: 'aws.ec2', 'detail-type': 'EC2 Instance Nonsense' };
    expect(untold(page, [event])).toEqual(['aws.ec2 EC2 Instance Nonsense']);
  });
});
