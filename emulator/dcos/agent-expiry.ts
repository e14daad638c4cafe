import type { Cancel, Time } from '../core/time.ts';
import type { AgentRecord } from './agent-record.ts';
import type { Release } from './release.ts';

/** Pings every 15 s, 20 unanswered ones in a row: DC/OS's setting of the Mesos master. */
const PING_MS = 15_000;
const PINGS_MAX = 20;
/** A disconnected agent must re-register within this time. */
const REREGISTER_TIMEOUT_MS = 600_000;
/** How long a change of the replicated registry takes. */
const REGISTRY_WRITE_MS = 100;

/** When the master gives up an agent it does not hear of: not before, and not too many at once. */
export class AgentExpiry {
  readonly #time: Time;
  readonly #release: Release;
  readonly #expire: (agent: AgentRecord) => void;
  readonly #timers = new Map<string, Cancel[]>();
  #removalFreeAt = 0;

  constructor(time: Time, release: Release, expire: (agent: AgentRecord) => void) {
    this.#time = time;
    this.#release = release;
    this.#expire = expire;
  }

  /** It answers no ping from now on: the twentieth silence in a row ends its registration. */
  afterPings(agent: AgentRecord): void {
    const sinceMs = this.#time.now() - (agent.reregisteredAt ?? agent.registeredAt);
    const toNextPingMs = PING_MS - (sinceMs % PING_MS);
    this.#after(agent, toNextPingMs + PINGS_MAX * PING_MS, () => this.#admit(agent));
  }

  unlessReregistered(agent: AgentRecord): void {
    this.#after(agent, REREGISTER_TIMEOUT_MS, () => this.#admit(agent));
  }

  /** Another agent was removed just now: the next removal has to wait its turn. */
  spend(): void {
    this.#removalFreeAt =
      Math.max(this.#time.now(), this.#removalFreeAt) + this.#release.removalIntervalMs;
  }

  /** It is heard of again, or is no longer waited for. */
  calm(agentId: string): void {
    for (const cancel of this.#timers.get(agentId) ?? []) cancel();
    this.#timers.delete(agentId);
  }

  /** The rate limiter: the n-th agent lost at once waits for n - 1 intervals. */
  #admit(agent: AgentRecord): void {
    this.calm(agent.agentId);
    const freeAt = Math.max(this.#time.now(), this.#removalFreeAt);
    this.#removalFreeAt = freeAt + this.#release.removalIntervalMs;
    this.#after(agent, freeAt - this.#time.now(), () => this.#write(agent));
  }

  #write(agent: AgentRecord): void {
    agent.transition = this.#release.partitionAware ? 'unreachable' : 'removed';
    this.#after(agent, REGISTRY_WRITE_MS, () => {
      agent.transition = undefined;
      this.#expire(agent);
    });
  }

  #after(agent: AgentRecord, delayMs: number, effect: () => void): void {
    const timers = this.#timers.get(agent.agentId) ?? [];
    timers.push(this.#time.after(delayMs, effect));
    this.#timers.set(agent.agentId, timers);
  }
}
