import { getSchemaSerdePlugin, NormalizedSchema } from '@smithy/core/schema';
import { toUtf8, v4 } from '@smithy/core/serde';
import { createXmlReaders, type XmlReader } from './plain-xml.ts';

/** As far as a call of ours needs the SDK's own. */
interface Request {
  headers: Record<string, string>;
}
interface Args {
  input?: unknown;
  request?: Request;
}
interface Result {
  response: unknown;
  output?: { $metadata: Record<string, unknown> };
}
type Handler = (args: Args) => Promise<Result>;
type Middleware = (next: Handler, context: object) => Handler;

interface Instruction {
  readonly type: string;
  readonly name: string;
  readonly value?: unknown;
  readonly get?: (input: unknown) => unknown;
}
interface Command {
  readonly input: Readonly<Record<string, unknown>>;
  readonly schema: unknown;
}
interface CommandClass {
  getEndpointParameterInstructions(): Readonly<Record<string, Instruction>>;
}

interface AuthScheme {
  readonly name: string;
  readonly signingName?: string;
  readonly signingRegion?: string;
}

interface Endpoint {
  readonly url: URL;
  readonly properties?: {
    readonly authSchemes?: readonly AuthScheme[];
  };
}

interface XmlDeserializer {
  read(schema: unknown, bytes: Uint8Array, child?: string): unknown;
  readonly stringDeserializer: { read(schema: unknown, text: string): unknown };
}

interface Config {
  readonly defaultSigningName: string;
  readonly endpointProvider: (params: object) => Endpoint;
  readonly protocol: {
    getShapeId(): string;
    setSerdeContext(config: Config): void;
    readonly deserializer: unknown;
  };
}

export type ClientClass = new (options: object) => { readonly config: unknown };

/** What a client is made with; another choice would need more than is built here. */
interface Options {
  readonly region: string;
  readonly maxAttempts: 1;
  readonly useDualstackEndpoint: false;
  readonly useFipsEndpoint: false;
  readonly requestHandler: {
    handle(request: unknown, options: object): Promise<{ response: unknown }>;
  };
  readonly credentials: {
    readonly accessKeyId: string;
    readonly sessionToken?: string;
    readonly accountId?: string;
  };
  readonly endpoint?: string;
}

/** Throws a RangeError for whatever would make the SDK do something that is not done here. */
const checked = (options: Options): Options => {
  const { region, maxAttempts, useDualstackEndpoint, useFipsEndpoint, credentials } = options;
  const asBuilt =
    typeof region === 'string' &&
    maxAttempts === 1 &&
    useDualstackEndpoint === false &&
    useFipsEndpoint === false &&
    typeof credentials?.accessKeyId === 'string';
  if (asBuilt) return options;
  throw new RangeError(
    'the lean SDK takes a region, credentials, one attempt and the plain endpoints only',
  );
};

/** What all clients of a class share, asked of one real client. */
interface Model {
  readonly config: Config;
  readonly serialize: Middleware;
  readonly deserialize: Middleware;
}

/** Puts the fast reader before the protocol's own, which takes what is not plain. */
const readPlainXml = (deserializer: XmlDeserializer): void => {
  const slow = deserializer.read.bind(deserializer);
  const compile = createXmlReaders((schema, text) =>
    deserializer.stringDeserializer.read(schema, text),
  );
  const readers = new Map<unknown, XmlReader>();
  const readerOf = (ns: NormalizedSchema): XmlReader => {
    const read = readers.get(ns) ?? compile(ns);
    readers.set(ns, read);
    return read;
  };
  deserializer.read = (schema, bytes, child) => {
    const ns = NormalizedSchema.of(schema as never);
    // An error's shape is known only after it is read.
    if (ns.isDocumentSchema()) return slow(schema, bytes, child);
    return readerOf(ns)(toUtf8(bytes), child) ?? slow(schema, bytes, child);
  };
};

const modelOf = (Client: ClientClass): Model => {
  const credentials = { accessKeyId: 'model', secretAccessKey: 'model' };
  const config = new Client({ region: 'us-east-1', credentials }).config as Config;
  const { protocol } = config;
  if (/#(?:ec2Query|awsQuery)$/.test(protocol.getShapeId())) {
    readPlainXml(protocol.deserializer as XmlDeserializer);
  }
  const middlewares = new Map<string | undefined, Middleware>();
  const stack = {
    add: (middleware: unknown, { name }: { name?: string }) =>
      void middlewares.set(name, middleware as Middleware),
  };
  // The whole configuration would be copied twice for each call, and half of it is getters.
  getSchemaSerdePlugin({ protocol } as never).applyToStack(stack as never);
  protocol.setSerdeContext(config);
  const serialize = middlewares.get('serializerMiddleware');
  const deserialize = middlewares.get('deserializerMiddleware');
  if (!serialize || !deserialize) throw new Error('the SDK names its middlewares otherwise');
  return { config, serialize, deserialize };
};

/** As the SDK's endpoint middleware fills the parameters of a service's rules. */
const endpointParams = (options: Options, command: Command): object => {
  const builtIn: Readonly<Record<string, unknown>> = {
    region: options.region,
    useFipsEndpoint: false,
    useDualstackEndpoint: false,
    endpoint: options.endpoint && new URL(options.endpoint).href,
    accountId: options.credentials.accountId,
    accountIdEndpointMode: 'preferred',
  };
  const { getEndpointParameterInstructions } = command.constructor as unknown as CommandClass;
  const params: Record<string, unknown> = {};
  for (const [param, instruction] of Object.entries(getEndpointParameterInstructions())) {
    const { type, name, value, get } = instruction;
    if (type === 'builtInParams') params[param] = builtIn[name];
    else if (type === 'contextParams') params[param] = command.input[name];
    else if (type === 'staticContextParams') params[param] = value;
    else params[param] = get?.(command.input);
  }
  return params;
};

/** 20261123T030000Z */
const amzDate = (): string => new Date().toISOString().replace(/[:-]|\.\d{3}/g, '');

const asError = (thrown: unknown): Error & { $metadata?: Record<string, unknown> } =>
  thrown instanceof Error ? thrown : Object.assign(new Error(), thrown);

const ATTEMPTS = { attempts: 1, totalRetryDelay: 0 } as const;

const aborted = (): Error => Object.assign(new Error('Request aborted'), { name: 'AbortError' });

/**
 * The SDK's client of the same name without the stack of middlewares around a call: the protocol's
 * own serialisers, readers and errors, one attempt, and an Authorization header with everything but
 * a true signature, which nobody here verifies. It does not learn the service's time from a Date
 * header, which nobody here sends.
 */
export const leanClient = (Client: ClientClass) => {
  let shared: Model | undefined;

  return class {
    readonly #options: Options;
    readonly #model: Model;

    constructor(options: Options) {
      this.#options = checked(options);
      shared ??= modelOf(Client);
      this.#model = shared;
    }

    async send(command: Command, options: { abortSignal?: AbortSignal } = {}): Promise<unknown> {
      const { config, serialize, deserialize } = this.#model;
      const endpointV2 = config.endpointProvider(endpointParams(this.#options, command));
      const context = { __smithy_context: { operationSchema: command.schema }, endpointV2 };
      const { requestHandler } = this.#options;
      const read = deserialize(({ request }) => requestHandler.handle(request, options), context);
      const attempt: Handler = async (args) => {
        this.#sign(args.request as Request, endpointV2);
        try {
          const result = await read(args);
          if (result.output) Object.assign(result.output.$metadata, ATTEMPTS);
          return result;
        } catch (thrown) {
          if (options.abortSignal?.aborted) throw aborted();
          const error = asError(thrown);
          error.$metadata = Object.assign(error.$metadata ?? {}, ATTEMPTS);
          throw error;
        }
      };
      const { output } = await serialize(attempt, context)({ input: command.input });
      return output;
    }

    destroy(): void {
      // Nothing is held.
    }

    #sign({ headers }: Request, { properties }: Endpoint): void {
      const { region, credentials } = this.#options;
      const { defaultSigningName } = this.#model.config;
      const scheme: AuthScheme = properties?.authSchemes?.[0] ?? { name: 'sigv4' };
      if (scheme.name !== 'sigv4') throw new RangeError(`the lean SDK knows no ${scheme.name}`);
      const { signingRegion = region, signingName = defaultSigningName } = scheme;
      const date = amzDate();
      const scope = `${date.slice(0, 8)}/${signingRegion}/${signingName}/aws4_request`;
      headers['amz-sdk-invocation-id'] = v4();
      headers['x-amz-date'] = date;
      if (credentials.sessionToken) headers['x-amz-security-token'] = credentials.sessionToken;
      headers.authorization =
        `AWS4-HMAC-SHA256 Credential=${credentials.accessKeyId}/${scope}, ` +
        'SignedHeaders=x-amz-date, Signature=0';
    }
  };
};
