import { describe, expect, it } from 'vitest';
import { createAlert } from '../../../src/application/alert.ts';
import { createTell } from '../../../src/application/tell.ts';
import type { Alert } from '../../../src/domain/alert.ts';
import { NotifierUnavailableError } from '../../../src/domain/errors.ts';
import { createWorld } from '../../fakes/world.ts';
import { ids, t } from '../../support/build.ts';

const make = () => {
  const world = createWorld();
  const alerted: Alert[] = [];
  const channel = { down: false };
  const alert = createAlert({
    ...world.deps,
    alerts: {
      tell: async (one) => {
        if (channel.down) throw new NotifierUnavailableError('Publish', 'ThrottledException');
        alerted.push(one);
      },
    },
  });
  const hold = { reason: 'weak-fence', says: 'x', since: t(0), looks: 0, retryAt: t(60) } as const;
  const held = async (): Promise<void> => {
    await world.given({ status: 'held', hold });
  };
  const kinds = () => alerted.map(({ kind }) => kind);
  return { alert, channel, held, kinds, world };
};
const { incident: incidentId } = ids;

describe('alerting', () => {
  it('tells each kind once, however often the news comes', async () => {
    const { alert, held, kinds, world } = make();
    await held();
    await alert({ incidentId, phase: 'held' });
    await alert({ incidentId, phase: 'held' });
    await world.ledger.close(incidentId, 1, { status: 'recovered' }, t(9));
    await alert({ incidentId, phase: 'recovered' });
    await alert({ incidentId, phase: 'held' });
    expect(kinds()).toEqual(['held:weak-fence', 'recovered']);
  });

  it('tells once of two that come at the same moment', async () => {
    const { alert, held, kinds } = make();
    await held();
    await Promise.all([1, 2].map(() => alert({ incidentId, phase: 'held' })));
    expect(kinds()).toEqual(['held:weak-fence']);
  });

  it('fails when it cannot tell, and tells when it is tried again', async () => {
    const { alert, channel, held, kinds } = make();
    await held();
    channel.down = true;
    await expect(alert({ incidentId, phase: 'held' })).rejects.toThrow('ThrottledException');
    channel.down = false;
    await alert({ incidentId, phase: 'held' });
    expect(kinds()).toEqual(['held:weak-fence']);
  });

  it('says nothing of phases that need nobody', async () => {
    const { alert, held, kinds } = make();
    await held();
    for (const phase of ['assessed', 'fenced', 'released']) {
      await alert({ incidentId, phase });
    }
    await alert({ incidentId });
    expect(kinds()).toEqual([]);
  });

  it('tells how it ended to whoever was told that it was held', async () => {
    const { alert, held, kinds, world } = make();
    await held();
    await alert({ incidentId, phase: 'held' });
    await world.ledger.close(incidentId, 1, { status: 'cancelled' }, t(9));
    await alert({ incidentId, phase: 'cancelled' });
    expect(kinds()).toEqual(['held:weak-fence', 'cancelled']);
  });
});

describe('two channels', () => {
  const heard: string[] = [];
  const down = (operation: string) => async (): Promise<never> => {
    throw new NotifierUnavailableError(operation, 'HTTP 503');
  };
  const ways = {
    notify: async () => {
      heard.push('message');
      return { kind: 'posted' } as const;
    },
    alert: async () => void heard.push('alert'),
    log: createWorld().deps.log,
  };

  it('are both told', async () => {
    heard.length = 0;
    expect(await createTell(ways)({ incidentId })).toEqual({ kind: 'posted' });
    expect(heard).toEqual(['message', 'alert']);
  });

  it.each([
    ['the first', { ...ways, notify: down('chat.update') }, 'alert'],
    ['the second', { ...ways, alert: down('Publish') }, 'message'],
  ])(
    'do not wait for each other: without %s the other is told, and it fails',
    async (_, deps, other) => {
      heard.length = 0;
      await expect(createTell(deps)({ incidentId })).rejects.toThrow(
        'was not delivered (HTTP 503)',
      );
      expect(heard).toEqual([other]);
    },
  );
});
