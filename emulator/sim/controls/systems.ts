import type { WorldOptions } from '../../world.ts';
import { deployAlone } from './deployment.ts';
import { fenceThenScript } from './fence-then-script.ts';
import { naive } from './naive.ts';

/** What makes one system differ from the next in an equal world. */
type Setting = Pick<WorldOptions, 'withFailover' | 'deploy' | 'rexray'>;

/** ebs-failover and what people use without it, weakest first. */
export const systems = {
  stock: { withFailover: false },
  'rexray-preempt': { withFailover: false, rexray: { preempt: true } },
  naive: { deploy: deployAlone(naive) },
  'fence-then-script': { deploy: deployAlone(fenceThenScript) },
  'ebs-failover': {},
} as const satisfies Record<string, Setting>;

export type SystemName = keyof typeof systems;
export const systemNames = Object.keys(systems) as SystemName[];
