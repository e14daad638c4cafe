import type { Time } from '../core/time.ts';
import type { Caller, Service, WireRequest, WireResponse } from '../core/wire.ts';
import type { Auth } from './auth.ts';
import { json, page, text } from './http.ts';
import type { MarathonApi } from './marathon-api.ts';
import type { Master } from './master.ts';
import type { MasterApi } from './master-api.ts';

/** nginx gives up on a silent upstream after a minute. */
const UPSTREAM_TIMEOUT_MS = 60_000;

/** What Admin Router itself can suffer; each upstream otherwise follows its own state. */
export interface RouterFaults {
  mesos: 'up' | 'down' | 'unknown-leader';
  marathon: 'up' | 'down';
  /** It has lost its view of the cluster. */
  cacheInvalid: boolean;
}

interface Parts {
  time: Time;
  master: Master;
  masterApi: MasterApi;
  marathonApi: MarathonApi;
  auth: Auth;
  /** Whether a powered-off host's address is refused at once, or swallows packets. */
  refusesWhenOff(instanceId: string): boolean;
}

/** The DC/OS front door on the masters. */
export class AdminRouter implements Service {
  readonly faults: RouterFaults = { mesos: 'up', marathon: 'up', cacheInvalid: false };
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  handle(request: WireRequest, _caller?: Caller): WireResponse | Promise<WireResponse> {
    const { pathname, search } = new URL(request.url);
    const { auth, master, masterApi, marathonApi } = this.#parts;
    if (pathname === '/dcos-metadata/dcos-version.json') {
      return json(200, {
        version: master.release.dcos,
        'dcos-image-commit': master.id.replaceAll('-', ''),
        'bootstrap-id': master.id.replaceAll('-', '').toUpperCase(),
      });
    }
    if (pathname === '/acs/api/v1/auth/login') return auth.login(request);
    const denied = auth.deny(request);
    if (denied !== undefined) return denied;
    if (this.faults.cacheInvalid) return text(503, '503 Service Unavailable: cache is invalid');
    if (/^\/service\/[^/]+$/.test(pathname)) {
      return page(301, 'Moved Permanently', { location: `${pathname}/${search}` });
    }
    const [, prefix = '', rest = ''] =
      /^(\/mesos|\/service\/marathon|\/marathon|\/agent|\/slave)(\/.*)$/.exec(pathname) ?? [];
    switch (prefix) {
      case '/mesos':
        if (this.faults.mesos === 'down') return page(502, 'Bad Gateway');
        if (this.faults.mesos === 'unknown-leader') {
          return text(503, '503 Service Unavailable: leader is unknown');
        }
        return masterApi.handle(rest + search, request);
      case '/service/marathon':
      case '/marathon':
        if (this.faults.marathon === 'down') return page(502, 'Bad Gateway');
        return marathonApi.handle(rest + search, request);
      case '/agent':
      case '/slave':
        return this.#agent(rest);
      default:
        return page(404, 'Not Found');
    }
  }

  /** Proxies to an agent the master lists; its silence is nginx's to wait out. */
  #agent(path: string): WireResponse | Promise<WireResponse> {
    const [, agentId = '', rest = '/'] = /^\/([^/]+)(\/.*)?$/.exec(path) ?? [];
    const agent = this.#parts.master.agent(agentId);
    if (agent?.state !== 'registered') return page(404, 'Not Found');
    switch (agent.node.answers) {
      case 'yes':
        return this.#agentAnswers(rest);
      case 'refuses':
        return page(502, 'Bad Gateway');
      case 'off':
        if (this.#parts.refusesWhenOff(agent.node.spec.instanceId)) return page(502, 'Bad Gateway');
        return this.#timeout();
      case 'silent':
        return this.#timeout();
    }
  }

  #agentAnswers(path: string): WireResponse {
    const endpoint = path.replace(/^\/slave\(1\)/, '');
    if (endpoint === '/health') return text(200, '');
    if (endpoint === '/version') return json(200, { version: this.#parts.master.release.mesos });
    return text(404, '');
  }

  #timeout(): Promise<WireResponse> {
    return new Promise((resolve) => {
      this.#parts.time.after(UPSTREAM_TIMEOUT_MS, () => resolve(page(504, 'Gateway Time-out')));
    });
  }
}
