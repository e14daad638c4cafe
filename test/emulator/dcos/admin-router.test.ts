import { generateKeyPairSync, sign } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { cluster } from './cluster.ts';

const VERSION = '/dcos-metadata/dcos-version.json';
const LOGIN = '/acs/api/v1/auth/login';

describe('routes', () => {
  it('lead to Mesos, Marathon (both ways) and the version', () => {
    const { read, call } = cluster({ version: '1.13.4' });
    expect(read('/mesos/slaves').slaves).toHaveLength(2);
    expect(read('/service/marathon/v2/apps').apps).toHaveLength(1);
    expect(read('/marathon/v2/apps').apps).toHaveLength(1);
    expect(read(VERSION)).toMatchObject({ version: '1.13.4' });
    expect(call('GET', '/service/marathon')).toMatchObject({
      status: 301,
      headers: { location: '/service/marathon/' },
    });
    expect(call('GET', '/nowhere').status).toBe(404);
  });

  it('end in pages or plain words of its own when an upstream is away', () => {
    const { call, dcos } = cluster();
    Object.assign(dcos.faults.router, { mesos: 'down', marathon: 'down' });
    expect(call('GET', '/mesos/slaves')).toMatchObject({
      status: 502,
      body: expect.stringContaining('502 Bad Gateway'),
    });
    expect(call('GET', '/service/marathon/v2/apps').status).toBe(502);
    dcos.faults.router.mesos = 'unknown-leader';
    expect(call('GET', '/mesos/slaves')).toMatchObject({
      status: 503,
      body: '503 Service Unavailable: leader is unknown',
    });
    dcos.faults.router.cacheInvalid = true;
    expect(call('GET', '/service/marathon/v2/apps')).toMatchObject({
      status: 503,
      body: '503 Service Unavailable: cache is invalid',
    });
    expect(call('GET', VERSION).status).toBe(200);
  });
});

describe('the way to an agent', () => {
  it('leads to a working one', () => {
    const { call, agentA } = cluster();
    expect(call('GET', `/agent/${agentA}/health`).status).toBe(200);
    expect(call('GET', `/agent/${agentA}/version`).body).toContain('1.10.1');
    expect(call('GET', `/slave/${agentA}/slave(1)/health`).status).toBe(200);
  });

  it('is not there for one the master does not list', () => {
    const { call, agentA, markGone } = cluster();
    expect(call('GET', '/agent/nobody-S7/health').status).toBe(404);
    markGone(agentA);
    expect(call('GET', `/agent/${agentA}/health`).status).toBe(404);
  });

  it('is refused at once by a host whose agent has stopped', () => {
    const { call, agentA, machines, time } = cluster();
    machines.shutDown('i-a');
    time.pass(3000);
    expect(call('GET', `/agent/${agentA}/health`).status).toBe(502);
  });

  it.each(['hang', 'powerOff'] as const)(
    'gives no answer before 60 s after %s, if at all sooner than 504',
    async (fail) => {
      const { send, agentA, machines, time } = cluster();
      machines[fail]('i-a');
      const answered = send('GET', `/agent/${agentA}/health`);
      if (!(answered instanceof Promise)) {
        expect(fail).toBe('powerOff');
        expect(answered.status).toBe(502);
        return;
      }
      let status = 0;
      const seen = answered.then((response) => {
        status = response.status;
      });
      time.pass(59_999);
      await Promise.resolve();
      expect(status).toBe(0);
      time.pass(1);
      await seen;
      expect(status).toBe(504);
    },
  );
});

describe('authentication', () => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  const accounts = { failover: { publicKey }, admin: { password: 'secret' } };
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signed = (claims: object) => {
    const text = `${encode({ alg: 'RS256', typ: 'JWT' })}.${encode(claims)}`;
    return `${text}.${sign('RSA-SHA256', Buffer.from(text), privateKey).toString('base64url')}`;
  };
  const secured = () => {
    const world = cluster();
    world.dcos.auth.require(accounts);
    const nowSeconds = world.time.now() / 1000;
    const get = (authorization?: string) =>
      world.dcos.handle(
        {
          method: 'GET',
          url: 'https://dcos.example.com/mesos/slaves',
          headers: authorization === undefined ? {} : { authorization },
          body: '',
        },
        { accessKeyId: '' },
      );
    return { ...world, nowSeconds, get };
  };

  it('is a 401 page without a token, but not for the version', () => {
    const { get, call } = secured();
    expect(get()).toMatchObject({
      status: 401,
      headers: { 'content-type': 'text/html; charset=UTF-8', 'www-authenticate': 'oauthjwt' },
      body: expect.stringContaining('<html>'),
    });
    expect(get('token=a.b.c')).toMatchObject({ status: 401 });
    expect(call('GET', VERSION).status).toBe(200);
  });

  it('gives a service account a token for its signature, which lasts five days', () => {
    const { call, get, time, nowSeconds } = secured();
    const token = signed({ uid: 'failover', exp: nowSeconds + 300 });
    const { status, body } = call('POST', LOGIN, { uid: 'failover', token });
    expect(status).toBe(200);
    const authorization = `token=${JSON.parse(body).token}`;
    expect(get(authorization)).toMatchObject({ status: 200 });
    expect(get(authorization.replace('token=', 'Bearer '))).toMatchObject({ status: 200 });
    time.pass(5 * 24 * 3_600_000);
    expect(get(authorization)).toMatchObject({ status: 401 });
  });

  it('does not honour the tokens of an account that was revoked', () => {
    const { call, get, dcos } = secured();
    const { body } = call('POST', LOGIN, { uid: 'admin', password: 'secret' });
    const authorization = `token=${JSON.parse(body).token}`;
    expect(get(authorization)).toMatchObject({ status: 200 });
    dcos.auth.require({ failover: { publicKey } });
    expect(get(authorization)).toMatchObject({ status: 401 });
  });

  it.each([
    ['a wrong password', { uid: 'admin', password: 'guess' }, 401],
    ['an unknown account', { uid: 'nobody', password: 'secret' }, 401],
    ['a token signed for another', { uid: 'failover', token: signed({ uid: 'admin' }) }, 401],
    ['an expired token', { uid: 'failover', token: signed({ uid: 'failover', exp: 1 }) }, 401],
    ['an unsigned token', { uid: 'failover', token: `${signed({ uid: 'failover' })}x` }, 401],
    ['both', { uid: 'admin', password: 'secret', token: 'x' }, 400],
    ['neither', { uid: 'admin' }, 400],
    ['no object', 'x', 400],
  ])('refuses %s', (_, credentials, status) => {
    const { call } = secured();
    const answered = call('POST', LOGIN, credentials);
    expect(answered.status).toBe(status);
    if (status === 401) expect(answered.body).toContain('ERR_INVALID_CREDENTIALS');
  });
});
