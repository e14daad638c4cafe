import { createHmac, createPublicKey, timingSafeEqual, verify } from 'node:crypto';
import { z } from 'zod';
import type { Time } from '../core/time.ts';
import type { WireRequest, WireResponse } from '../core/wire.ts';
import { json, page } from './http.ts';

/** Who may log in: a user by password, a service account by its key. */
export interface Account {
  password?: string;
  /** PEM. */
  publicKey?: string;
}

/** DC/OS sets the life of a token to five days. */
const TOKEN_SECONDS = 5 * 24 * 3600;

const Login = z.looseObject({
  uid: z.string().optional(),
  password: z.string().optional(),
  token: z.string().optional(),
});
const Claims = z.looseObject({ uid: z.string(), exp: z.number().optional() });

const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** Login and the check of every other call. Off until accounts are set. */
export class Auth {
  readonly #time: Time;
  readonly #secret: string;
  #accounts: Record<string, Account> | undefined;

  constructor(time: Time, secret: string) {
    this.#time = time;
    this.#secret = secret;
  }

  /** Demands a token from now on; `undefined` turns that off. */
  require(accounts: Record<string, Account> | undefined): void {
    this.#accounts = accounts;
  }

  /** `POST /acs/api/v1/auth/login`, as the DC/OS IAM answers it. */
  login(request: WireRequest): WireResponse {
    let sent: unknown;
    try {
      sent = JSON.parse(request.body);
    } catch {
      return this.#badRequest('Request has bad Content-Type or lacks JSON data');
    }
    const parsed = Login.safeParse(sent);
    if (!parsed.success) return this.#badRequest('Login data is not an object of strings');
    const { uid, password, token } = parsed.data;
    if ((password === undefined) === (token === undefined)) {
      return this.#badRequest('One of `password` and `token` must be provided');
    }
    const account = uid === undefined ? undefined : this.#accounts?.[uid];
    const proven =
      password === undefined
        ? this.#isSigned(uid, token ?? '', account?.publicKey)
        : account?.password === password;
    if (account === undefined || !proven) {
      const body = { code: 'ERR_INVALID_CREDENTIALS', description: 'Invalid credentials.' };
      return json(401, { title: 'Unauthorized', ...body }, { 'www-authenticate': 'acsjwt' });
    }
    const issued = this.#issue(uid ?? '');
    const cookie = `dcos-acs-auth-cookie=${issued}; Path=/; HttpOnly`;
    return json(200, { token: issued }, { 'set-cookie': cookie });
  }

  /** The 401 page for a call without a valid token; `undefined` lets it through. */
  deny(request: WireRequest): WireResponse | undefined {
    if (this.#accounts === undefined) return undefined;
    const header = request.headers.authorization ?? '';
    const [, token] = /token=(.+)/.exec(header) ?? /Bearer (.+)/.exec(header) ?? [];
    if (token !== undefined && this.#isIssued(token)) return undefined;
    return page(401, 'Unauthorized', { 'www-authenticate': 'oauthjwt' });
  }

  #badRequest(description: string): WireResponse {
    return json(400, { title: 'Bad Request', code: 'ERR_INVALID_DATA', description });
  }

  #issue(uid: string): string {
    const exp = Math.floor(this.#time.now() / 1000) + TOKEN_SECONDS;
    const signed = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode({ uid, exp })}`;
    return `${signed}.${this.#mac(signed)}`;
  }

  #mac(signed: string): string {
    return createHmac('sha256', this.#secret).update(signed).digest('base64url');
  }

  #isIssued(token: string): boolean {
    const [header, payload, signature = ''] = token.split('.');
    const given = Buffer.from(signature);
    const right = Buffer.from(this.#mac(`${header}.${payload}`));
    if (given.length !== right.length || !timingSafeEqual(given, right)) return false;
    const claims = this.#claims(payload);
    return claims !== undefined && this.#accounts?.[claims.uid] !== undefined;
  }

  #isSigned(uid: string | undefined, token: string, publicKey: string | undefined): boolean {
    const [header, payload, signature = ''] = token.split('.');
    if (publicKey === undefined || this.#claims(payload)?.uid !== uid) return false;
    const signed = Buffer.from(`${header}.${payload}`);
    const key = createPublicKey(publicKey);
    return verify('RSA-SHA256', signed, key, Buffer.from(signature, 'base64url'));
  }

  /** Readable and not expired, or nothing. */
  #claims(payload: string | undefined): z.infer<typeof Claims> | undefined {
    try {
      const claims = Claims.parse(JSON.parse(Buffer.from(payload ?? '', 'base64url').toString()));
      const expired = claims.exp !== undefined && claims.exp * 1000 <= this.#time.now();
      return expired ? undefined : claims;
    } catch {
      return undefined;
    }
  }
}
