import { describe, expect, it } from 'vitest';
import { createNotify } from '../../../src/application/notify.ts';
import { createRedeliver, type ParkedNotice } from '../../../src/application/redeliver.ts';
import { parkedNews } from '../../../src/contracts/functions.ts';
import { LedgerUnavailableError, NotifierUnavailableError } from '../../../src/domain/errors.ts';
import type { IncidentId } from '../../../src/domain/ids.ts';
import type { PhaseNews } from '../../../src/ports/events.ts';
import { createWorld } from '../../fakes/world.ts';
import { ids } from '../../support/build.ts';

const other = `${ids.incident}0` as IncidentId;
const parked = (id: string, incidentId: IncidentId, phase = 'held'): ParkedNotice => ({
  id,
  news: { incidentId, phase },
});

/** Redelivers to whoever takes news, or throws. */
const make = (take: (news: PhaseNews) => void = () => {}, eachTakesMs = 0) => {
  const world = createWorld();
  const told: PhaseNews[] = [];
  const alerted: string[] = [];
  const redeliver = createRedeliver({
    ...world.deps,
    cluster: 'prod',
    alerts: { tell: async (alert) => void alerted.push(alert.lines.join(' ')) },
    tell: async (news) => {
      await world.clock.sleep(eachTakesMs);
      take(news);
      told.push(news);
      return { kind: 'posted' };
    },
  });
  return { alerted, redeliver, told, world };
};

describe('what was parked', () => {
  it('is told once for each incident, however many of its notices wait', async () => {
    const { redeliver, told } = make();
    const left = await redeliver([
      parked('1', ids.incident),
      parked('2', other),
      parked('3', other),
    ]);
    expect(left).toEqual([]);
    expect(told.map(({ incidentId }) => incidentId)).toEqual([ids.incident, other]);
  });

  it('of a storm is one digest, whichever of its incidents told of it', async () => {
    const { redeliver, told } = make();
    await redeliver([parked('1', ids.incident, 'storm'), parked('2', other, 'storm')]);
    expect(told).toHaveLength(1);
  });

  it('stays parked when it cannot be told, and keeps the others from nothing', async () => {
    const { redeliver, world } = make(({ incidentId }) => {
      if (incidentId === other) throw new NotifierUnavailableError('post', 'HTTP 503');
    });
    const left = await redeliver([
      parked('1', other),
      parked('2', ids.incident),
      parked('3', other),
    ]);
    expect(left).toEqual(['1', '3']);
    expect(world.counted).toEqual(['NoticeRedelivered', 'NoticeStillParked']);
  });

  it('raises one alert for each outage of Slack, with the reason', async () => {
    let trouble: Error | undefined = new NotifierUnavailableError('post', 'token_revoked');
    const { alerted, redeliver } = make(() => {
      if (trouble !== undefined) throw trouble;
    });
    const all = [parked('1', ids.incident), parked('2', other)];
    await redeliver(all);
    await redeliver(all);
    expect(alerted).toEqual([expect.stringMatching(/token_revoked\. 2 notifications are parked/)]);
    trouble = undefined;
    await redeliver(all);
    trouble = new NotifierUnavailableError('post', 'HTTP 503');
    await redeliver(all);
    expect(alerted[1]).toContain('HTTP 503');
    expect(alerted).toHaveLength(2);
  });

  it.each([
    ['the second channel itself', new NotifierUnavailableError('Publish', 'NotFoundException')],
    ['the ledger', new LedgerUnavailableError('GetItem')],
  ])('raises none for trouble with %s', async (_, error) => {
    const { alerted, redeliver } = make(() => {
      throw error;
    });
    expect(await redeliver([parked('1', ids.incident)])).toEqual(['1']);
    expect(alerted).toEqual([]);
  });

  it('stays parked where nobody can read it', async () => {
    const { redeliver, told } = make();
    expect(await redeliver([{ id: '1', news: undefined }])).toEqual(['1']);
    expect(told).toEqual([]);
  });

  it('is left for the next time when there is no time for it', async () => {
    const { redeliver } = make(() => {}, 15_000);
    const all = ['a', 'b', 'c'].map((id) => parked(id, `${ids.incident}${id}` as IncidentId));
    expect(await redeliver(all)).toEqual(['c']);
  });
});

describe('a parked message', () => {
  const event = { detail: { version: 1, incidentId: ids.incident, phase: 'held' } };

  it.each([
    ['the event itself, as EventBridge parks it', event],
    ['the document around it, as Lambda does', { requestPayload: event, version: '1.0' }],
  ])('is read from %s', (_, body) => {
    expect(parkedNews(JSON.stringify(body))).toMatchObject(event.detail);
  });

  it.each(['', 'no JSON', '{}', '{"detail":{}}', '{"requestPayload":null}'])(
    'is not made up from %j',
    (body) => {
      expect(parkedNews(body)).toBeUndefined();
    },
  );
});

describe('many that tell of one incident at one moment', () => {
  const slack = () => {
    const world = createWorld();
    const said: string[] = [];
    const wait = () => world.clock.sleep(2_000);
    const notify = createNotify({
      ...world.deps,
      notifier: {
        post: async () => {
          await wait();
          said.push('post');
          return { channel: 'C1', ts: '1.1' };
        },
        update: async () => void said.push('update'),
        reply: async () => {},
      },
    });
    return { world, said, notify };
  };

  it('post one message, and the others rewrite it', async () => {
    const { world, said, notify } = slack();
    await world.given();
    const all = [1, 2, 3].map(() => notify({ incidentId: ids.incident }));
    await Promise.all(all);
    expect(said).toEqual(['post', 'update', 'update']);
  });
});
