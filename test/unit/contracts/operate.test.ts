import { describe, expect, it } from 'vitest';
import {
  type OperateAnswer,
  OperateInput,
  OperateOutput,
  type OperateRequest,
} from '../../../src/contracts/operate.ts';
import { problemOf } from '../../../src/contracts/problem.ts';
import { orderActions } from '../../../src/domain/order.ts';

const who = { by: 'ana', reason: 'upgrade' };
const incidentId = 'prod#i-00000000000000007#1' as Extract<
  OperateRequest,
  { action: 'hold' }
>['incidentId'];
const instanceId = 'i-00000000000000007' as Extract<
  OperateRequest,
  { action: 'end-maintenance' }
>['instanceId'];
const until = '2026-11-30T19:00:00+01:00';

/** One of each, as somebody writes it. */
const requests: readonly OperateRequest[] = [
  { action: 'approve', incidentId, approvalId: 'a-1', ...who },
  { action: 'deny', incidentId, approvalId: 'a-1', ...who },
  { action: 'hold', incidentId, ...who },
  { action: 'resume', incidentId, ...who },
  { action: 'acknowledge', incidentId, hold: 'storm', ...who },
  { action: 'acknowledge-storm', until, ...who },
  { action: 'pause', until, ...who },
  { action: 'unpause', ...who },
  { action: 'begin-maintenance', instanceId, until, ...who },
  { action: 'end-maintenance', instanceId, ...who },
];

const problem = (request: unknown): string => {
  const parsed = OperateInput.safeParse(request);
  return parsed.success ? 'none' : problemOf(parsed.error);
};

describe('an order', () => {
  it.each(requests)('to $action is understood', (request) => {
    expect(problem(request)).toBe('none');
  });

  it('exists for every action the domain knows', () => {
    expect(requests.map(({ action }) => action).sort()).toEqual([...orderActions].sort());
  });

  it('gives its end as a moment', () => {
    const parsed = OperateInput.parse({ action: 'pause', until, ...who });
    expect(parsed).toMatchObject({ until: Date.UTC(2026, 10, 30, 18) });
  });

  it('needs no end to pause, and no hold to acknowledge what holds it now', () => {
    expect(problem({ action: 'pause', ...who })).toBe('none');
    expect(problem({ action: 'acknowledge', incidentId, ...who })).toBe('none');
  });

  it.each([
    ['an action that is none', { action: 'stop', ...who }, /^action: action must be approve, deny/],
    ['nobody', { action: 'unpause', by: ' ', reason: 'x' }, /^by: must be who asks/],
    ['no reason', { action: 'unpause', by: 'ana' }, /^reason: must be the reason/],
    [
      'a time without its offset',
      { action: 'pause', until: '2026-11-30T18:00:00', ...who },
      /^until: must be a time such as/,
    ],
    [
      'a maintenance without an end',
      { action: 'begin-maintenance', instanceId, ...who },
      /^until: must be a time such as/,
    ],
    ['a name for an id', { action: 'hold', incidentId: 'mysql', ...who }, /must be an incident id/],
    ['a word too many', { action: 'unpause', force: true, ...who }, /force/],
    [
      'a hold that does not exist',
      { action: 'acknowledge', incidentId, hold: 'x', ...who },
      /^hold:/,
    ],
  ])('is refused with %s', (_, request, says) => {
    expect(problem(request)).toMatch(says);
  });

  it('is answered in words', () => {
    const answer: OperateAnswer = { kind: 'done', says: 'prod is paused' };
    expect(OperateOutput.parse(answer)).toEqual(answer);
    expect(OperateOutput.safeParse({ kind: 'done', says: '' }).success).toBe(false);
  });
});
