export interface MachineId {
  hostname?: string | undefined;
  ip?: string | undefined;
}

export interface MaintenanceWindow {
  machine_ids: MachineId[];
  unavailability: object;
}

/** A request the master answers 400. */
export class MaintenanceError extends Error {
  override readonly name = 'MaintenanceError';
}

/** The master's maintenance schedule, and the machines that are DOWN by it. */
export class Maintenance {
  #windows: MaintenanceWindow[] = [];
  #down: MachineId[] = [];

  get windows(): readonly MaintenanceWindow[] {
    return this.#windows;
  }

  get down(): readonly MachineId[] {
    return this.#down;
  }

  /** Scheduled and not yet DOWN. */
  get draining(): MachineId[] {
    return this.#windows
      .flatMap(({ machine_ids }) => machine_ids)
      .filter((machine) => !this.#down.some((other) => isSame(machine, other)));
  }

  /** The window an agent is in; hostname and IP are the same on DC/OS. */
  windowOf(hostname: string): MaintenanceWindow | undefined {
    return this.#windows.find(({ machine_ids }) =>
      machine_ids.some((machine) => isMachineOf(machine, hostname)),
    );
  }

  isDown(hostname: string): boolean {
    return this.#down.some((machine) => isMachineOf(machine, hostname));
  }

  /** Replaces the whole schedule. A DOWN machine must stay in it. */
  replace(windows: MaintenanceWindow[]): void {
    const named = windows.flatMap(({ machine_ids }) => machine_ids);
    for (const machine of this.#down) {
      if (named.some((other) => isSame(machine, other))) continue;
      throw new MaintenanceError(`Machine '${machine.hostname}' is DOWN and cannot be unscheduled`);
    }
    this.#windows = windows;
  }

  start(machines: MachineId[]): void {
    for (const machine of machines) {
      if (this.draining.some((other) => isSame(machine, other))) continue;
      const name = JSON.stringify(machine);
      throw new MaintenanceError(
        `Machine '${name}' is not in DRAINING mode and cannot be brought down`,
      );
    }
    this.#down.push(...machines);
  }

  stop(machines: MachineId[]): void {
    for (const machine of machines) {
      if (this.#down.some((other) => isSame(machine, other))) continue;
      const name = JSON.stringify(machine);
      throw new MaintenanceError(`Machine '${name}' is not in DOWN mode and cannot be brought up`);
    }
    const stays = (machine: MachineId) => !machines.some((other) => isSame(machine, other));
    this.#down = this.#down.filter(stays);
    this.#windows = this.#windows
      .map((window) => ({ ...window, machine_ids: window.machine_ids.filter(stays) }))
      .filter(({ machine_ids }) => machine_ids.length > 0);
  }
}

const isSame = (a: MachineId, b: MachineId): boolean => a.hostname === b.hostname && a.ip === b.ip;

/** Hostname AND ip must be what the agent announced. */
const isMachineOf = ({ hostname, ip }: MachineId, announced: string): boolean =>
  hostname === announced && ip === announced;
