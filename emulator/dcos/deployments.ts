import { isoTime } from '../core/time.ts';
import type { App } from './app-definition.ts';
import { type Ground, uuidOf } from './model.ts';

type Action = 'StartApplication' | 'ScaleApplication' | 'RestartApplication' | 'StopApplication';

/** A change of an app under way; it locks the app against other changes. */
export interface Deployment {
  id: string;
  version: string;
  appId: string;
  action: Action;
}

/** Deployments in progress. Plain kills create none and are not blocked by any. */
export class Deployments {
  readonly #ground: Ground;
  readonly #isSettled: (appId: string) => boolean;
  #running: Deployment[] = [];
  #count = 0;

  constructor(ground: Ground, isSettled: (appId: string) => boolean) {
    this.#ground = ground;
    this.#isSettled = isSettled;
  }

  get running(): readonly Deployment[] {
    return this.#running;
  }

  of(appId: string): Deployment[] {
    return this.#running.filter((deployment) => deployment.appId === appId);
  }

  isStopping(appId: string): boolean {
    return this.of(appId).some(({ action }) => action === 'StopApplication');
  }

  start(action: Action, app: App): Deployment {
    this.#running = this.#running.filter(({ appId }) => appId !== app.id);
    const hex = this.#ground.rng.fork(`deployment/${this.#count++}`).hex(32);
    const id = uuidOf(hex);
    const version = isoTime(this.#ground.time.now());
    const deployment = { id, version, appId: app.id, action };
    this.#running.push(deployment);
    return deployment;
  }

  cancel(id: string): void {
    this.#running = this.#running.filter((deployment) => deployment.id !== id);
  }

  /** Ends what has reached its goal. */
  settle(): void {
    this.#running = this.#running.filter(({ appId }) => !this.#isSettled(appId));
  }
}
