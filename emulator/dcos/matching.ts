import type { App } from './app-definition.ts';

/** Resources an agent has to give right now. */
export interface Offer {
  agentId: string;
  hostname: string;
  role: string;
  cpus: number;
  mem: number;
  usedPorts: Set<number>;
  attributes: Record<string, string>;
  /** `aws/us-west-2` and `aws/us-west-2a`; absent without fault domains. */
  region: string | undefined;
  zone: string | undefined;
  /** The agent is in a maintenance window. */
  unavailable: boolean;
}

/** Where the other instances of the app run: what UNIQUE and its kin compare with. */
export interface Placement {
  hostname: string;
  attributes: Record<string, string>;
  region: string | undefined;
  zone: string | undefined;
}

/** Why Marathon leaves an offer unused, in the queue's words. */
export type RejectReason =
  | 'UnfulfilledRole'
  | 'UnfulfilledConstraint'
  | 'NoCorrespondingReservationFound'
  | 'AgentMaintenance'
  | 'InsufficientCpus'
  | 'InsufficientMemory'
  | 'InsufficientPorts';

const FIRST_PORT = 1025;
const LAST_PORT = 32000;

const fieldOf = (place: Placement, field: string): string | undefined => {
  switch (field) {
    case 'hostname':
    case '@hostname':
      return place.hostname;
    case '@zone':
      return place.zone;
    case '@region':
      return place.region;
    default:
      return place.attributes[field];
  }
};

const satisfies = (constraint: string[], place: Placement, others: Placement[]): boolean => {
  const [field = '', operator = '', value] = constraint;
  const mine = fieldOf(place, field);
  if (operator === 'UNLIKE') {
    return mine === undefined || !new RegExp(`^(?:${value ?? ''})$`).test(mine);
  }
  if (mine === undefined) return false;
  const theirs = others.map((other) => fieldOf(other, field));
  const alike = theirs.filter((other) => other === mine).length;
  switch (operator) {
    case 'LIKE':
      return new RegExp(`^(?:${value ?? ''})$`).test(mine);
    case 'IS':
      return mine === value;
    case 'UNIQUE':
      return alike === 0;
    case 'MAX_PER':
      return alike < Number(value);
    case 'CLUSTER':
      return value === undefined || value === ''
        ? theirs.every((other) => other === mine)
        : mine === value;
    case 'GROUP_BY': {
      const counts = new Map<string | undefined, number>();
      for (const other of theirs) counts.set(other, (counts.get(other) ?? 0) + 1);
      return alike <= Math.min(...counts.values(), Number.POSITIVE_INFINITY) || counts.size === 0;
    }
    default:
      return false;
  }
};

/** Why the app cannot use the offer, or `undefined` when it can. */
export const rejection = (
  app: App,
  offer: Offer,
  others: Placement[],
  reservedOn: string | undefined,
): RejectReason | undefined => {
  if (!app.roles.includes(offer.role)) return 'UnfulfilledRole';
  if (reservedOn !== undefined && reservedOn !== offer.agentId) {
    return 'NoCorrespondingReservationFound';
  }
  if (offer.unavailable) return 'AgentMaintenance';
  if (!app.constraints.every((c) => satisfies(c, offer, others))) return 'UnfulfilledConstraint';
  if (offer.cpus < app.cpus) return 'InsufficientCpus';
  if (offer.mem < app.mem) return 'InsufficientMemory';
  const taken = app.ports.some((port) => port !== 0 && offer.usedPorts.has(port));
  const free = LAST_PORT - FIRST_PORT + 1 - offer.usedPorts.size;
  return taken || free < app.ports.length ? 'InsufficientPorts' : undefined;
};

/** Host ports for the app on this offer: fixed ones as wanted, the rest drawn. */
export const choosePorts = (
  app: App,
  offer: Offer,
  draw: (min: number, max: number) => number,
): number[] => {
  const chosen = new Set(app.ports.filter((port) => port !== 0));
  return app.ports.map((wanted) => {
    if (wanted !== 0) return wanted;
    let port = draw(FIRST_PORT, LAST_PORT);
    while (chosen.has(port) || offer.usedPorts.has(port)) {
      port = port === LAST_PORT ? FIRST_PORT : port + 1;
    }
    chosen.add(port);
    return port;
  });
};
