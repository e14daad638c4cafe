import type { EventOf } from './events.ts';
import { object } from './json.ts';

/** What an operator said, and until when it counts. */
interface Switch {
  at: number;
  until: number;
}

/** All that operators have switched. */
export interface Switches {
  paused: Switch | undefined;
  maintenance: Map<string, Switch>;
  stormWaved: Switch | undefined;
}

/** The operators' switches; one that was on before keeps its time. */
export const switchesOf = ({ item = {}, at }: EventOf<'ledger'>, before: Switches): Switches => {
  const switchOf = (value: unknown, known: Switch | undefined): Switch | undefined => {
    if (typeof value !== 'object' || value === null) return undefined;
    const { until = Infinity } = value as { until?: number };
    return { at: known?.at ?? at, until };
  };
  const maintenance = Object.entries(object(item.maintenance)).flatMap(([id, value]) => {
    const said = switchOf(value, before.maintenance.get(id));
    return said === undefined ? [] : [[id, said] as const];
  });
  return {
    paused: switchOf(item.paused, before.paused),
    maintenance: new Map(maintenance),
    stormWaved: switchOf(item.stormAcknowledged, before.stormWaved),
  };
};
