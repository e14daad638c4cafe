import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { capabilitiesOf } from '../../../../src/adapters/dcos/version-matrix.ts';
import { OrchestratorRefusedError } from '../../../../src/domain/errors.ts';

describe('capabilities of a DC/OS release', () => {
  it.each`
    version           | gone     | lost     | deactivate
    ${'1.8.8'}        | ${false} | ${false} | ${false}
    ${'1.9.9'}        | ${false} | ${false} | ${false}
    ${'1.10.11'}      | ${false} | ${false} | ${false}
    ${'1.11.6'}       | ${true}  | ${true}  | ${false}
    ${'1.11.12'}      | ${true}  | ${true}  | ${false}
    ${'1.12.0'}       | ${true}  | ${true}  | ${false}
    ${'1.12.4'}       | ${true}  | ${true}  | ${false}
    ${'1.12.5'}       | ${true}  | ${false} | ${false}
    ${'1.13.0'}       | ${true}  | ${true}  | ${false}
    ${'1.13.4'}       | ${true}  | ${true}  | ${false}
    ${'1.13.5'}       | ${true}  | ${false} | ${false}
    ${'1.13.9'}       | ${true}  | ${false} | ${false}
    ${'2.0.6'}        | ${true}  | ${false} | ${true}
    ${'2.1.0'}        | ${true}  | ${false} | ${true}
    ${'2.2.1'}        | ${true}  | ${false} | ${true}
    ${'2.2.9'}        | ${true}  | ${false} | ${true}
    ${'2.1'}          | ${true}  | ${false} | ${true}
    ${'2.1.0-beta2'}  | ${true}  | ${false} | ${true}
    ${'1.12'}         | ${true}  | ${true}  | ${false}
    ${'1.12.5-beta1'} | ${true}  | ${true}  | ${false}
    ${'1.12.6-dev'}   | ${true}  | ${false} | ${false}
  `('$version: gone $gone, lost if unreachable $lost, deactivate $deactivate', (row) => {
    expect(capabilitiesOf(row.version)).toEqual({
      version: row.version,
      markAgentGone: row.gone,
      markGoneOfUnreachableIsLost: row.lost,
      deactivateAgent: row.deactivate,
    });
  });

  it.each(['2.3.0', '3.0.1'])('treats %s as the newest known release and says so', (version) => {
    expect(capabilitiesOf(version)).toEqual({
      ...capabilitiesOf('2.2.1'),
      version: `${version} (not known, treated as 2.2)`,
    });
  });

  it.each(['', 'latest', 'v2', '2', '2.', '2.1.', '2.1.0.1', '2.1x.3'])(
    'refuses to guess what "%s" can do',
    (version) => {
      expect(() => capabilitiesOf(version)).toThrow(OrchestratorRefusedError);
    },
  );

  it.each(['1.7.4', '0.9.0'])('refuses %s, which has no operator API to speak to', (version) => {
    expect(() => capabilitiesOf(version)).toThrow('before 1.8');
  });
});

describe('docs/compatibility.md', () => {
  const page = new URL('../../../../docs/compatibility.md', import.meta.url);
  const rows = readFileSync(page, 'utf8')
    .split('\n')
    .map((line) => line.split('|').map((cell) => cell.trim()))
    .filter(([, release]) => /^\d+\.\d+/.test(release ?? ''));

  it('lists every release line', () => {
    const lines = new Set(rows.map(([, release]) => release?.match(/^\d+\.\d+/)?.[0]));
    expect([...lines]).toEqual(['1.8', '1.9', '1.10', '1.11', '1.12', '1.13', '2.0', '2.1', '2.2']);
  });

  it.each(rows)('%s%s is what the code says', (_, release, ...cells) => {
    const [, , , deactivate, gone, late] = cells;
    const versions = release?.match(/\d+\.\d+(?:\.\d+)?/g) ?? [];
    for (const version of versions) {
      expect(capabilitiesOf(version)).toMatchObject({
        deactivateAgent: deactivate === 'yes',
        markAgentGone: gone === 'yes',
        markGoneOfUnreachableIsLost: late === '**too late**',
      });
    }
  });
});
