import type { AgentNode } from './agent-node.ts';
import type { AgentState } from './model.ts';

/** An agent as the master sees it. */
export interface AgentRecord {
  agentId: string;
  node: AgentNode;
  hostname: string;
  availabilityZone: string;
  state: AgentState;
  connected: boolean;
  deactivated: boolean;
  drain: { state: 'DRAINING' | 'DRAINED'; graceMs: number; markGone: boolean } | undefined;
  /** A registry write is under way, or (`gone`, MESOS-9545) is believed to be for ever. */
  transition: 'unreachable' | 'removed' | 'gone' | undefined;
  /** Epoch ms since when it answers nothing. */
  silentSince: number | undefined;
  registeredAt: number;
  reregisteredAt: number | undefined;
}
