import * as z from 'zod';
import type { Orchestrator } from '../../ports/orchestrator.ts';
import { type AdminRouterOptions, createAdminRouter, expectJson } from './admin-router.ts';
import { createMarathon } from './marathon.ts';
import { createMesos } from './mesos.ts';
import { capabilitiesOf } from './version-matrix.ts';

const VersionFile = z.looseObject({ version: z.string() });

/**
 * Admin Router answers these itself: no token, no right, no such agent. An agent leaves its health
 * open to all and has always had one.
 */
const NOT_THE_AGENT = [401, 403, 404];

/** DC/OS as the orchestrator port: Mesos and Marathon behind Admin Router, and nothing else. */
export const createOrchestrator = (options: AdminRouterOptions): Orchestrator => {
  const ask = createAdminRouter(options);
  return {
    ...createMesos(ask),
    ...createMarathon(ask),

    capabilities: async () => {
      const call = { operation: 'dcos-version', path: '/dcos-metadata/dcos-version.json' };
      const response = await ask({ ...call, method: 'GET', open: true });
      return capabilitiesOf(expectJson(call.operation, response, VersionFile).version);
    },

    probe: async (agentId, timeoutMs, signal) => {
      const path = `/agent/${encodeURIComponent(agentId)}/health`;
      const call = { operation: 'probe', method: 'GET', path, timeoutMs } as const;
      try {
        const { status } = await ask(signal ? { ...call, signal } : call);
        const isAnswer = (status >= 200 && status < 300) || (status >= 400 && status < 500);
        return isAnswer && !NOT_THE_AGENT.includes(status);
      } catch {
        // Whatever went wrong, the agent was not heard; the same probe of others tells why.
        return false;
      }
    },
  };
};
