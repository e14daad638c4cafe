import { describe, expect, it } from 'vitest';
import { createNotify } from '../../../src/application/notify.ts';
import { detailsOf } from '../../../src/domain/details.ts';
import { IncidentNotFoundError, NotifierUnavailableError } from '../../../src/domain/errors.ts';
import type { Verdict } from '../../../src/domain/incident.ts';
import type { IncidentMessage } from '../../../src/domain/message.ts';
import type { Notifier } from '../../../src/ports/events.ts';
import { createWorld, type World } from '../../fakes/world.ts';
import { ids, t } from '../../support/build.ts';

const verdict: Verdict = { kind: 'Impaired', at: t(1), why: ['it hangs'], whyNot: [] };
const busy = (notifier: Notifier): Notifier => ({
  ...notifier,
  reply: async () => {
    throw new NotifierUnavailableError('chat.postMessage', 'rate_limited, retry after 1 s');
  },
});
const keysOf = async (world: World): Promise<readonly string[]> =>
  detailsOf({
    incident: await world.incident(),
    calls: [],
    orders: [],
    ownerships: [],
    at: t(0),
  }).map(({ key }) => key);
const held = (world: World) =>
  world.ledger.save(
    ids.incident,
    1,
    {
      status: 'held',
      hold: { reason: 'paused', says: 'ops paused it', since: t(1), looks: 0, retryAt: t(9) },
    },
    t(1),
  );

describe('notify', () => {
  const scripted = () => {
    const said: [string, IncidentMessage['mood']][] = [];
    const thread: string[] = [];
    const replies: string[] = [];
    const notifier: Notifier = {
      post: async (message) => {
        said.push(['post', message.mood]);
        return { channel: 'C1', ts: '1.0' };
      },
      update: async (channel, ts, message) => {
        said.push([`update ${channel} ${ts}`, message.mood]);
      },
      reply: async (channel, ts, lines) => {
        thread.push(...lines);
        replies.push(`${channel} ${ts}`);
      },
    };
    return { notifier, said, thread, replies };
  };
  const notify = (world: World, notifier: Notifier | undefined) =>
    createNotify({ ...world.deps, notifier })({ incidentId: ids.incident });

  it('keeps one message per incident, and rewrites it as the incident goes on', async () => {
    const world = createWorld();
    const { notifier, said } = scripted();
    await world.given();
    expect(await notify(world, notifier)).toEqual({ kind: 'posted' });
    await held(world);
    expect(await notify(world, notifier)).toEqual({ kind: 'updated' });
    expect(said).toEqual([
      ['post', 'working'],
      ['update C1 1.0', 'waiting'],
    ]);
  });

  it('says what the ledger says now, however late the event is', async () => {
    const world = createWorld();
    const { notifier, said } = scripted();
    await world.given();
    await world.ledger.close(ids.incident, 1, { status: 'cancelled' }, t(9));
    await notify(world, notifier);
    expect(said).toEqual([['post', 'calm']]);
  });

  it('is silent where nobody wants messages', async () => {
    const world = createWorld();
    await world.given();
    expect(await notify(world, undefined)).toEqual({ kind: 'silent' });
  });

  it('throws when Slack is down, so that it is tried again, and changes no incident', async () => {
    const world = createWorld();
    const { notifier } = scripted();
    await world.given();
    const before = await world.incident();
    const down: Notifier = {
      ...notifier,
      post: async () => {
        throw new NotifierUnavailableError('chat.postMessage', '503');
      },
    };
    await expect(notify(world, down)).rejects.toThrow(NotifierUnavailableError);
    expect(await world.incident()).toEqual(before);
    expect(await notify(world, notifier)).toEqual({ kind: 'posted' });
  });

  it('does not make an incident up', async () => {
    const { notifier, said } = scripted();
    await expect(notify(createWorld(), notifier)).rejects.toThrow(IncidentNotFoundError);
    expect(said).toEqual([]);
  });

  it('tells the details in its thread, each once, however often and late it is told', async () => {
    const world = createWorld();
    const { notifier, replies, thread } = scripted();
    await world.given({ verdict });
    await notify(world, notifier);
    await notify(world, notifier);
    expect(replies).toEqual(['C1 1.0']);
    expect(thread).toEqual([
      expect.stringContaining('opened: incident'),
      expect.stringContaining('signal:'),
      expect.stringContaining('verdict: Impaired: it hangs'),
    ]);
    const verb = { call: 'StopInstances', target: ids.failed, parameters: {} };
    const [step] = await world.ledger.intend(ids.incident, 1, 'FenceAgent', [verb], t(2));
    await notify(world, notifier);
    expect(thread).toHaveLength(3);
    await world.ledger.conclude(ids.incident, step?.seq ?? 0, { kind: 'accepted', at: t(3) });
    await world.ledger.save(ids.incident, 1, { verdict: { ...verdict, at: t(4) } }, t(4));
    await notify(world, notifier);
    await notify(world, notifier);
    expect(thread.slice(3)).toEqual([
      `+2.0 s call: FenceAgent: StopInstances ${ids.failed}: accepted`,
    ]);
  });

  it('says nothing twice when two tell at the same moment', async () => {
    const world = createWorld();
    const { notifier, thread } = scripted();
    await world.given({ verdict });
    await Promise.all([notify(world, notifier), notify(world, notifier), notify(world, notifier)]);
    expect(thread).toHaveLength(3);
  });

  it('makes one message when two tell at the same moment, and the other rewrites it', async () => {
    const world = createWorld();
    const { notifier, said } = scripted();
    await world.given({ verdict });
    const told = await Promise.all([notify(world, notifier), notify(world, notifier)]);
    expect(told.map(({ kind }) => kind).sort()).toEqual(['posted', 'updated']);
    expect(said.map(([what]) => what)).toEqual(['post', 'update C1 1.0']);
  });

  it('does not wait for ever for one who has taken the message and died', async () => {
    const world = createWorld();
    const { notifier, said } = scripted();
    await world.given({ verdict });
    await world.ledger.takeDetails(ids.incident, ['message'], world.clock.now());
    await expect(notify(world, notifier)).rejects.toThrow(NotifierUnavailableError);
    world.clock.advance(60_000);
    expect(await notify(world, notifier)).toEqual({ kind: 'posted' });
    expect(said).toHaveLength(1);
  });

  it('leaves details that Slack does not take now to the next news', async () => {
    const world = createWorld();
    const { notifier, thread } = scripted();
    await world.given({ verdict });
    expect(await notify(world, busy(notifier))).toEqual({ kind: 'posted' });
    expect(world.logged).toContain('details are told with the next news');
    await notify(world, notifier);
    expect(thread).toHaveLength(3);
  });

  it('is tried again for the details where no news will come', async () => {
    const world = createWorld();
    const { notifier, thread } = scripted();
    await world.given({ verdict });
    await world.ledger.close(ids.incident, 1, { status: 'cancelled' }, t(9));
    await expect(notify(world, busy(notifier))).rejects.toThrow(NotifierUnavailableError);
    expect(await notify(world, notifier)).toEqual({ kind: 'updated' });
    expect(thread).toContain('+9.0 s closed: closed: cancelled');
  });

  it('tells what somebody had taken to tell and died over', async () => {
    const world = createWorld();
    const { notifier, thread } = scripted();
    await world.given({ verdict });
    // Killed: it neither tells nor says what became of it.
    await world.ledger.takeDetails(ids.incident, await keysOf(world), t(0));
    await notify(world, notifier);
    expect(thread).toEqual([]);
    world.clock.advance(60_001);
    await notify(world, notifier);
    expect(thread).toHaveLength(3);
  });
});
