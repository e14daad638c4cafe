import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { agent, incidentId } from '../documents.ts';
import { fakeCloud, problemIn, run } from '../fake.ts';
import { wholeIncident } from './whole.ts';

const folder = mkdtempSync(join(tmpdir(), 'report-'));
afterAll(() => rmSync(folder, { recursive: true }));
const cloud = () => fakeCloud({ look: [wholeIncident()] });

describe('report', () => {
  it('writes the page into a file, and says so', async () => {
    const file = join(folder, 'page.html');
    const { failure, inputs, printed } = await run(['report', agent, '--html', file], cloud());
    expect(failure).toBeUndefined();
    expect(inputs).toEqual([['look', { view: 'incidentOf', instanceId: agent }]]);
    expect(printed).toEqual([`Report of ${incidentId} (recovered): ${file}`]);
    expect(readFileSync(file, 'utf8')).toMatch(/^<!doctype html>\n[\s\S]*<\/html>\n$/);
  });

  it('prints nothing but the page where the output is asked for', async () => {
    const { printed } = await run(['report', incidentId, '--html', '-'], cloud());
    expect(printed).toEqual([expect.stringMatching(/^<!doctype html>/)]);
  });

  it('gives programs the document of show, with or without a page', async () => {
    const file = join(folder, 'both.html');
    const alone = await run(['report', incidentId, '--json'], cloud());
    const both = await run(['report', incidentId, '--json', '--html', file], cloud());
    const shown = await run(['show', incidentId, '--json'], cloud());
    expect([alone.printed, both.printed]).toEqual([shown.printed, shown.printed]);
    expect(readFileSync(file, 'utf8')).toContain(incidentId);
  });

  it.each([
    ['a folder that is not there', join(folder, 'none', 'page.html'), 'ENOENT'],
    ['a folder instead of a file', folder, 'EISDIR'],
  ])('names %s', async (_, file, why) => {
    const { failure, printed } = await run(['report', incidentId, '--html', file], cloud());
    expect(problemIn(failure)).toBe(`2 cannot write ${file}: ${why}`);
    expect(printed).toEqual([]);
  });
});
