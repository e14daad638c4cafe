import { describe, expect, it } from 'vitest';
import type * as z from 'zod';
import * as steps from '../../../src/contracts/steps.ts';

const incidentId = 'demo#i-0a1b2c3d4e5f60718#3';
const instanceId = 'i-0a1b2c3d4e5f60718';
const volumeId = 'vol-0c3d4e5f607182930';
const keys = { incidentId, token: 2 };
const hold = { kind: 'hold', reason: 'no-placement' };
const cancelled = { kind: 'cancelled' };
const waiting = { kind: 'waiting', waitSeconds: 1 };

const documents: [name: keyof typeof steps, good: object[]][] = [
  ['StepInput', [keys]],
  ['ReleaseVolumeInput', [{ ...keys, volumeIds: [volumeId] }]],
  [
    'HoldIncidentInput',
    [
      { ...keys, state: { decision: { kind: 'hold', reason: 'weak-fence' } } },
      { ...keys, state: { error: { Error: 'States.Timeout' } } },
      { ...keys, state: { error: { Error: 'CloudThrottledError', Cause: '{...}' }, more: 1 } },
    ],
  ],
  [
    'OpenIncidentOutput',
    [
      { kind: 'opened', incidentId, instanceId, token: 1 },
      { kind: 'joined', incidentId, instanceId, execution: 'arn:x', says: 'at work' },
      { kind: 'refused', instanceId, says: 'not ours' },
    ],
  ],
  [
    'AssessAgentOutput',
    [{ kind: 'proceed' }, { kind: 'watch', waitSeconds: 5 }, cancelled, { kind: 'returned' }, hold],
  ],
  [
    'QuarantineAgentOutput',
    [{ kind: 'quarantined' }, waiting, { kind: 'changed', waitSeconds: 1 }, cancelled, hold],
  ],
  ['ProtectDataOutput', [{ kind: 'protected' }, cancelled, hold]],
  [
    'FenceAgentOutput',
    [
      { kind: 'fenced', groups: [[volumeId]] },
      { kind: 'fenced', groups: [] },
      waiting,
      cancelled,
      hold,
    ],
  ],
  ['ReleaseVolumeOutput', [{ kind: 'released' }, { kind: 'held' }, { kind: 'lost' }, waiting]],
  ['HandOffOutput', [{ kind: 'handedOff' }, waiting, hold]],
  ['VerifyRecoveryOutput', [{ kind: 'recovered' }, waiting, hold]],
  ['UndoProtectionOutput', [{ kind: 'undone' }]],
  [
    'CloseIncidentOutput',
    [
      { kind: 'closed', status: 'recovered', summary: 'back on 10.0.1.7' },
      { kind: 'closed', status: 'cancelled', summary: 'well again' },
    ],
  ],
  [
    'HoldIncidentOutput',
    [
      { kind: 'retry', waitSeconds: 60 },
      { kind: 'ended', status: 'held', summary: 'no spare agent' },
    ],
  ],
];
const cases = documents.flatMap(([name, goods]) => goods.map((good) => ({ name, good })));
const schemas: Record<keyof typeof steps, z.ZodType> = { ...steps };
const accepts = (name: keyof typeof steps, document: unknown): boolean =>
  schemas[name].safeParse(document).success;

describe('what the states say to each other', () => {
  it.each(cases)('lets $name $good pass unchanged', ({ name, good }) => {
    expect(schemas[name].parse(good)).toEqual(good);
  });

  it.each(cases)('refuses $name $good with a key more', ({ name, good }) => {
    expect(accepts(name, { ...good, extra: 1 })).toBe(false);
  });

  it.each(cases)('refuses $name $good with a required key less', ({ name, good }) => {
    for (const key of Object.keys(good)) {
      const rest = Object.fromEntries(Object.entries(good).filter(([other]) => other !== key));
      expect([key, accepts(name, rest)]).toEqual([key, false]);
    }
  });

  it.each([0, -1, 0.2, Number.NaN, '5'])('does not wait for %s seconds', (waitSeconds) => {
    expect(accepts('FenceAgentOutput', { kind: 'waiting', waitSeconds })).toBe(false);
    expect(accepts('HoldIncidentOutput', { kind: 'retry', waitSeconds })).toBe(false);
  });

  it.each([
    'demo#i-0a1b2c3d4e5f60718#0',
    'demo#i-0a1b2c3d4e5f6071#1',
    'Demo#i-0a1b2c3d4e5f60718#1',
    'demo#i-0a1b2c3d4e5f60718',
    `${incidentId}\n`,
    '',
    7,
  ])('does not take %j for an incident id', (wrong) => {
    expect(accepts('StepInput', { incidentId: wrong, token: 1 })).toBe(false);
  });

  it.each([0, -1, 1.5, '1'])('does not take %j for a token', (token) => {
    expect(accepts('StepInput', { incidentId, token })).toBe(false);
  });

  it('routes on no decision and no hold reason that the workflow does not know', () => {
    expect(accepts('HandOffOutput', { kind: 'cancelled' })).toBe(false);
    expect(accepts('HandOffOutput', { kind: 'hold', reason: 'tired' })).toBe(false);
  });
});

describe('what people start an execution with', () => {
  const execution = { executionArn: 'arn:x', executionName: 'x' };
  const opened = (input: unknown) => steps.OpenIncidentInput.safeParse({ input, ...execution });
  const problemsOf = (input: object): string =>
    steps.OpenIncidentInput.safeParse({ ...input, ...execution })
      .error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`)
      .join('; ') ?? 'none';
  const problems = (input: unknown): string => problemsOf({ input });

  it('needs an instance id and nothing else', () => {
    expect(opened({ instanceId }).data?.input).toEqual({ instanceId });
  });

  it('takes everything an operator or intake has to say', () => {
    const input = {
      instanceId,
      reason: 'does not answer',
      requestedBy: 'ana',
      incidentId,
      token: 4,
      dryRun: false,
      mode: 'failover',
      fence: 'terminate',
      force: true,
      volumes: ['vol-0a1b2c3d4e5f60718'],
    };
    expect(opened(input).data?.input).toEqual(input);
  });

  it('may ask a drain for anything but a fence', () => {
    const drain = (input: object) => problemsOf({ input: { instanceId, ...input }, mode: 'drain' });
    expect(drain({ volumes: ['vol-0a1b2c3d4e5f60718'], force: true })).toBe('none');
    expect(drain({ fence: 'stop' })).toContain('input.fence: a drain fences nothing');
    expect(drain({ mode: 'failover' })).toContain('input.mode: mode names the other');
  });

  it('drops what the console adds', () => {
    expect(opened({ instanceId, Comment: 'hello' }).data?.input).toEqual({ instanceId });
  });

  it.each([
    [{}, 'input.instanceId: must be an EC2 instance id: i- and 8 or 17 hex digits'],
    [{ instanceId: 'mysql-1' }, 'input.instanceId: must be an EC2 instance id'],
    [{ instance_id: instanceId }, 'input.instance_id: did you mean instanceId?'],
    [{ instanceId, 'dry-run': true }, 'input.dry-run: did you mean dryRun?'],
    [{ instanceId, DRYRUN: true }, 'input.DRYRUN: did you mean dryRun?'],
    [{ instanceId, dryRun: 'yes' }, 'input.dryRun: '],
    [{ instanceId, Force: true }, 'input.Force: did you mean force?'],
    [{ instanceId, force: 1 }, 'input.force: must be true or false'],
    [{ instanceId, fence: 'kill' }, 'input.fence: must be stop or terminate'],
    [{ instanceId, volumes: 'vol-1' }, 'input.volumes: must be a list of EBS volume ids'],
    [{ instanceId, volumes: ['mysql'] }, 'input.volumes.0: must be an EBS volume id'],
    [{ instanceId, volumes: [] }, 'input.volumes: must name a volume'],
    [{ instanceId, incidentId, token: 1, dryRun: true }, 'input: a dry run is about an instance'],
    [{ instanceId, mode: 'drain' }, 'input.mode: '],
    [{ instanceId, token: 3 }, 'input: incidentId and token go together'],
    [{ instanceId, incidentId }, 'input: incidentId and token go together'],
    ['i-0a1b2c3d4e5f60718', 'input: '],
    [null, 'input: '],
  ])('says what is wrong with %j', (input, problem) => {
    expect(problems(input)).toContain(problem);
  });
});
