import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { mockClient } from 'aws-sdk-client-mock';
import { beforeEach, describe, expect, it } from 'vitest';
import 'aws-sdk-client-mock-vitest/extend';
import {
  createPhaseEvents,
  phaseEventDetail,
} from '../../../../src/adapters/event-bus/phase-events.ts';
import type { EpochMs, IncidentId } from '../../../../src/domain/ids.ts';
import type { Incident } from '../../../../src/domain/incident.ts';
import { agent, awsError, lostConnection, recorder } from './support.ts';

const mock = mockClient(EventBridgeClient);
const client = new EventBridgeClient({ region: 'us-east-1' });
const at = Date.parse('2026-11-22T21:29:54.000Z') as EpochMs;

const incident: Incident = {
  id: `east#${agent}#2` as IncidentId,
  cluster: 'east',
  instanceId: agent,
  n: 2,
  status: 'open',
  token: 3,
  seq: 5,
  executionName: `fo-${agent}-2-3`,
  openedAt: at,
  updatedAt: at,
  signals: [
    {
      key: 'operator-1',
      source: 'operator',
      instanceId: agent,
      says: 'password is hunter2',
      receivedAt: at,
    },
  ],
};

beforeEach(() => {
  mock.reset();
});

describe('phase events', () => {
  it('say who, what and when, under a fixed source and type', async () => {
    mock.on(PutEventsCommand).resolves({ FailedEntryCount: 0, Entries: [{ EventId: 'e' }] });
    const { metrics, log, counted } = recorder();
    await createPhaseEvents({ client, bus: 'failover', metrics, log }).publish(
      'assessed',
      incident,
      at,
    );
    expect(mock.calls().map(({ args }) => args[0].input)).toEqual([
      {
        Entries: [
          {
            EventBusName: 'failover',
            Source: 'ebs-failover',
            DetailType: 'Failover Phase',
            Time: new Date(at),
            Detail: JSON.stringify({
              version: 1,
              phase: 'assessed',
              at,
              incidentId: incident.id,
              cluster: 'east',
              instanceId: agent,
              status: 'open',
              token: 3,
              executionName: incident.executionName,
            }),
          },
        ],
      },
    ]);
    expect(counted).toEqual([]);
  });

  it('tell verdict, fence and hold once there are any', () => {
    const detail = phaseEventDetail(
      'held',
      {
        ...incident,
        status: 'held',
        verdict: { kind: 'Impaired', at, why: ['system check failed'], whyNot: [] },
        fence: { since: at, rungs: [], voided: [], method: 'skip', strength: 'strong' },
        hold: { reason: 'no-placement', says: 'add an agent', since: at, looks: 1, retryAt: at },
      },
      at,
    );
    expect(detail).toMatchObject({
      phase: 'held',
      status: 'held',
      verdict: { kind: 'Impaired', why: ['system check failed'] },
      fence: { method: 'skip', strength: 'strong' },
      hold: { reason: 'no-placement', says: 'add an agent' },
    });
  });

  it('do not repeat what an operator wrote', () => {
    expect(JSON.stringify(phaseEventDetail('assessed', incident, at))).not.toContain('hunter2');
  });

  it('do not tell of a fence that is not proven yet', () => {
    const fencing: Incident = { ...incident, fence: { since: at, rungs: [], voided: [] } };
    expect(phaseEventDetail('protected', fencing, at)).not.toHaveProperty('fence');
  });

  const failing = [
    ['the bus refuses the entry', { FailedEntryCount: 1, Entries: [{ ErrorCode: 'Denied' }] }],
    ['the bus does not say whether it took it', {}],
  ] as const;
  it.each(failing)('are counted, not thrown, when %s', async (_case, answer) => {
    mock.on(PutEventsCommand).resolves(answer as object);
    const { metrics, log, counted, logged } = recorder();
    const events = createPhaseEvents({ client, bus: 'failover', metrics, log });
    await events.publish('fenced', incident, at);
    expect(counted).toEqual(['PhaseEventLost']);
    expect(logged).toHaveLength(1);
  });

  it.each([
    [awsError('AccessDeniedException'), 'AccessDeniedException'],
    [lostConnection(), 'ECONNRESET'],
  ])('are counted, not thrown, when the call fails: %s', async (error, code) => {
    mock.on(PutEventsCommand).rejects(error);
    const { metrics, log, counted, logged } = recorder();
    const events = createPhaseEvents({ client, bus: 'failover', metrics, log });
    await events.publish('fenced', incident, at);
    expect(counted).toEqual(['PhaseEventLost']);
    expect(logged).toEqual([
      { message: 'phase event lost', keys: { phase: 'fenced', incidentId: incident.id, code } },
    ]);
  });

  it('are counted, not thrown, when the incident cannot be written as JSON', async () => {
    const { metrics, log, counted } = recorder();
    const events = createPhaseEvents({ client, bus: 'failover', metrics, log });
    await events.publish('fenced', { ...incident, token: 1n as unknown as number }, at);
    expect(counted).toEqual(['PhaseEventLost']);
    expect(mock).toHaveReceivedCommandTimes(PutEventsCommand, 0);
  });
});
