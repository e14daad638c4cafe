import type { Durations } from '../core/durations.ts';
import type { Rng } from '../core/random.ts';
import type { Time } from '../core/time.ts';
import type { Service } from '../core/wire.ts';
import { AdminRouter, type RouterFaults } from './admin-router.ts';
import { AgentNode } from './agent-node.ts';
import { Auth } from './auth.ts';
import { Guests } from './guests.ts';
import { Marathon } from './marathon.ts';
import { MarathonApi } from './marathon-api.ts';
import { Master } from './master.ts';
import { type Leadership, MasterApi } from './master-api.ts';
import type { AgentSpec, Change, Ground, Hardware, TraceLine } from './model.ts';
import { type Release, releaseOf } from './release.ts';
import type { RexraySettings } from './rexray.ts';
import { agentsOf, type Truth, truthOf } from './truth.ts';

export interface DcosDeps {
  time: Time;
  rng: Rng;
  machines: Hardware;
  durations: Durations;
  /** `2.1` or `1.12.4`; a minor alone means its newest patch. */
  version?: string;
  rexray?: Partial<RexraySettings>;
  trace?: (line: TraceLine) => void;
}

/** An emulated DC/OS cluster: masters behind Admin Router, agents, and what runs on them. */
export interface Dcos extends Service {
  readonly release: Release;
  /** Installs DC/OS on a machine; answers the agent id. Hostname is the private IP. */
  addAgent(spec: AgentSpec): string;
  /**
   * Adds a Marathon app, launched the ordinary way.
   * @throws InvalidAppError, which carries Marathon's status and body
   */
  createApp(definition: object): void;
  /**
   * Adds an app that has long been running on that machine, its volumes (which must be attached
   * there) holding `rows` acknowledged rows each.
   * @throws RangeError when the machine's agent or a volume is not as it must be
   * @throws InvalidAppError
   */
  placeApp(definition: object, instanceId: string, options?: { rows?: number }): void;
  /**
   * Adds an app that is being launched on that machine just now.
   * @throws RangeError when the machine's agent makes no offers
   * @throws InvalidAppError
   */
  launchApp(definition: object, instanceId: string): void;
  /** What is, whatever any answer says. */
  truth(): Truth;
  /** The agents alone of it. */
  agents(): Truth['agents'];
  readonly guests: Pick<Guests, 'report' | 'foreignRows'>;
  onChange(listener: (change: Change) => void): void;
  readonly auth: Pick<Auth, 'require'>;
  readonly faults: Faults;
}

/** Trouble that can be switched on and off. */
export interface Faults {
  /** Admin Router and what it can reach. */
  readonly router: RouterFaults;
  masterLeadership(leadership: Leadership): void;
  /** Another Mesos master takes over. */
  masterFailover(): void;
  /** The master has just removed an agent: by its rate limit the next one waits. */
  spendRemoval(): void;
  /** Task updates to Marathon are lost while set. */
  dropUpdates(drop: boolean): void;
  marathonElecting(electing: boolean): void;
  /** Nobody hears the machine's agent any more, while everything on it works on. */
  partition(instanceId: string, isolated: boolean): void;
  /** The agent's work directory is wiped: it comes back under another id, which is answered. */
  reinstallAgent(instanceId: string): string;
  /** Two weeks have passed for a gone agent: the master does not remember that it is gone. */
  pruneGone(agentId: string): void;
}

const DEFAULT_VERSION = '2.1';
const DEFAULT_ROWS = 1000;

class EmulatedDcos implements Dcos {
  readonly release: Release;
  readonly guests: Guests;
  readonly auth: Auth;
  readonly faults: Faults;
  readonly #ground: Ground;
  readonly #rexray: RexraySettings;
  readonly #master: Master;
  readonly #marathon: Marathon;
  readonly #router: AdminRouter;
  readonly #nodes: AgentNode[] = [];
  readonly #listeners: ((change: Change) => void)[] = [];

  constructor(deps: DcosDeps) {
    const { time, machines, durations, trace } = deps;
    const rng = deps.rng.fork('dcos');
    this.release = releaseOf(deps.version ?? DEFAULT_VERSION);
    this.#rexray = { preempt: false, stuck: 'timeout', ...deps.rexray };
    const emit = (change: Change) => {
      for (const listener of this.#listeners) listener(change);
    };
    this.#ground = {
      time,
      rng,
      machines,
      durations,
      emit,
      trace: (source, text, data) => {
        trace?.({ at: time.now(), source, text, ...(data === undefined ? {} : { data }) });
      },
    };
    this.guests = new Guests(this.#ground);
    this.#master = new Master(this.#ground, this.release);
    this.#marathon = new Marathon(this.#ground, this.#master);
    this.auth = new Auth(time, rng.fork('auth').hex(32));
    const masterApi = new MasterApi(this.#master);
    const marathonApi = new MarathonApi(this.#marathon, this.#master, time);
    this.#router = new AdminRouter({
      time,
      master: this.#master,
      masterApi,
      marathonApi,
      auth: this.auth,
      refusesWhenOff: (instanceId) => rng.fork(`off/${instanceId}`).next() < 0.5,
    });
    this.faults = {
      router: this.#router.faults,
      masterLeadership: (leadership) => {
        masterApi.leadership = leadership;
      },
      masterFailover: () => this.#master.failover(),
      spendRemoval: () => this.#master.expiry.spend(),
      dropUpdates: (drop) => {
        this.#master.dropsUpdates = drop;
      },
      marathonElecting: (electing) => {
        marathonApi.electing = electing;
      },
      partition: (instanceId, isolated) => this.#node(instanceId).isolate(isolated),
      reinstallAgent: (instanceId) => {
        const node = this.#node(instanceId);
        node.reinstall(this.#master.newAgentId());
        return node.agentId;
      },
      pruneGone: (agentId) => this.#master.prune(agentId),
    };
    machines.subscribe((event) => {
      if (event.kind === 'volume-deleted') this.guests.volumeDeleted(event.volumeId);
      else if ('volumeId' in event) this.guests.volumeChanged(event.volumeId);
      for (const node of this.#nodes) node.onMachineEvent(event);
    });
  }

  handle(...args: Parameters<Service['handle']>): ReturnType<Service['handle']> {
    return this.#router.handle(...args);
  }

  addAgent(spec: AgentSpec): string {
    const node = new AgentNode(
      this.#ground,
      { guests: this.guests, master: this.#master, rexray: this.#rexray },
      this.#master.newAgentId(),
      spec,
    );
    this.#nodes.push(node);
    node.boot(spec.bootMs ?? 0);
    return node.agentId;
  }

  createApp(definition: object): void {
    this.#marathon.create(this.#marathon.read(definition));
  }

  placeApp(definition: object, instanceId: string, options: { rows?: number } = {}): void {
    const app = this.#marathon.read(definition);
    const node = this.#node(instanceId);
    const mounts = new Map(
      app.volumeNames.map((name) => [name, this.#attachedVolume(name, instanceId)]),
    );
    const { launch, instance } = this.#marathon.place(app, node.agentId);
    if (app.healthCheck !== undefined) instance.healthyAt = this.#ground.time.now();
    node.adopt(launch, mounts, options.rows ?? DEFAULT_ROWS);
  }

  launchApp(definition: object, instanceId: string): void {
    const node = this.#node(instanceId);
    node.launch(this.#marathon.place(this.#marathon.read(definition), node.agentId).launch);
  }

  truth(): Truth {
    return truthOf(this.#master, this.#marathon, this.guests);
  }

  agents(): Truth['agents'] {
    return agentsOf(this.#master);
  }

  onChange(listener: (change: Change) => void): void {
    this.#listeners.push(listener);
  }

  #node(instanceId: string): AgentNode {
    const node = this.#nodes.find(({ spec }) => spec.instanceId === instanceId);
    if (node === undefined) throw new RangeError(`no agent runs on ${instanceId}`);
    return node;
  }

  #attachedVolume(name: string, instanceId: string): string {
    const volume = this.#ground.machines
      .volumes()
      .find((v) => v.name === name && v.attachments.some((a) => a.instanceId === instanceId));
    if (volume === undefined) throw new RangeError(`no volume '${name}' attached to ${instanceId}`);
    return volume.volumeId;
  }
}

/** @throws UnknownReleaseError */
export const createDcos = (deps: DcosDeps): Dcos => new EmulatedDcos(deps);
