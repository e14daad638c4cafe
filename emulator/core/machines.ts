/**
 * What the DC/OS half of the emulated world may know of the EC2 half: machines with power and a
 * kernel, block devices behind them. It is the hypervisor's and the guest's view, not the API's:
 * nothing here is stale, throttled or refused for lack of rights.
 */
export interface Machine {
  instanceId: string;
  /** Changes with every start: the incarnation. Epoch ms. */
  launchTime: number;
  privateIp: string;
  availabilityZone: string;
  /** True from boot until power is really off: a `stopping` instance is still powered. */
  powered: boolean;
  /** A hung kernel answers nothing and closes no connection, but its disks are still attached. */
  kernel: 'ok' | 'hung';
  /** The operating system is going down in an orderly way (plain Stop or Terminate). */
  shuttingDown: boolean;
  tags: Record<string, string>;
  /** Its security groups let nothing through: nobody on the network hears it, nor it anybody. */
  cutOff?: boolean;
}

export interface BlockVolume {
  volumeId: string;
  name: string | undefined;
  availabilityZone: string;
  state: 'creating' | 'available' | 'in-use' | 'deleting' | 'deleted' | 'error';
  attachments: {
    instanceId: string;
    device: string;
    state: 'attaching' | 'attached' | 'detaching' | 'detached' | 'busy';
  }[];
  /** Reads and writes wait: nothing lands on it. */
  ioPaused?: boolean;
}

export type MachineEvent =
  | { kind: 'powered-on'; instanceId: string }
  | { kind: 'powered-off'; instanceId: string }
  | { kind: 'shutting-down'; instanceId: string }
  | { kind: 'hung'; instanceId: string }
  | { kind: 'thawed'; instanceId: string }
  /** The network is taken from the machine and given back; everything on it works on. */
  | { kind: 'cut-off'; instanceId: string }
  | { kind: 'reconnected'; instanceId: string }
  | { kind: 'attached'; instanceId: string; volumeId: string; device: string }
  /** The device is gone from the machine, orderly or by force. */
  | { kind: 'detached'; instanceId: string; volumeId: string; forced: boolean }
  | { kind: 'io-paused'; volumeId: string }
  | { kind: 'io-resumed'; volumeId: string }
  | { kind: 'volume-created'; volumeId: string }
  | { kind: 'volume-deleted'; volumeId: string };

/** Errors carry the EC2 error code (`VolumeInUse`, `InvalidVolume.ZoneMismatch`, ...). */
export class Ec2Refusal extends Error {
  override readonly name = 'Ec2Refusal';
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

export interface Machines {
  machine(instanceId: string): Machine | undefined;
  all(): Machine[];
  volumes(): BlockVolume[];
  /** As the agent's REX-Ray would ask, with its instance role. Completion is an `attached` event. */
  attachVolume(volumeId: string, instanceId: string, device: string): void;
  /** No instance id, as REX-Ray asks. Completion is a `detached` event. */
  detachVolume(volumeId: string, options: { force: boolean }): void;
  /** Answers the new id; the volume is `available` after a `volume-created` event. */
  createVolume(spec: { availabilityZone: string; sizeGiB: number; name: string }): string;
  subscribe(listener: (event: MachineEvent) => void): void;
}
