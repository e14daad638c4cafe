import type { InstanceId } from '../domain/ids.ts';
import type { Signal } from '../domain/incident.ts';
import { createIntake, type IntakeDeps } from './intake.ts';

/** What a find is called in the log, and its metric; the same for what could not be looked at. */
export interface FindWords {
  readonly found: readonly [says: string, metric: string];
  readonly unseen: readonly [says: string, metric: string];
}

/**
 * Looks at each suspect and admits what is found of it by the same gate as an event would be. One that
 * cannot be looked at must not keep the others waiting.
 */
export const admitEach = async <Suspect extends { readonly instanceId: InstanceId }>(
  deps: IntakeDeps,
  suspects: readonly Suspect[],
  { found, unseen }: FindWords,
  lookAt: (suspect: Suspect) => Promise<Signal | undefined>,
): Promise<InstanceId[]> => {
  const { log, metrics } = deps;
  const admit = createIntake(deps);
  const admitted = await Promise.all(
    suspects.map(async (suspect) => {
      const { instanceId } = suspect;
      try {
        const signal = await lookAt(suspect);
        if (signal === undefined) return [];
        await admit([signal]);
        log.warn(found[0], { instanceId, says: signal.says });
        metrics.count(found[1]);
        return [instanceId];
      } catch (error) {
        const problem = error instanceof Error ? error.message : 'unknown';
        log.error(unseen[0], { instanceId, problem });
        metrics.count(unseen[1]);
        return [];
      }
    }),
  );
  return admitted.flat();
};
