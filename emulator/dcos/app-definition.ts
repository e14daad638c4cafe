import { z } from 'zod';
import type { Release } from './release.ts';

/** A definition Marathon refuses: 400 for the wrong shape, 422 for the wrong content. */
export class InvalidAppError extends Error {
  override readonly name = 'InvalidAppError';
  readonly status: 400 | 422;
  readonly body: { message: string; details: { path: string; errors: string[] }[] };
  constructor(status: 400 | 422, details: { path: string; errors: string[] }[]) {
    const message = status === 400 ? 'Invalid JSON' : 'Object is not valid';
    super(`${message}: ${details.map((d) => `${d.path}: ${d.errors.join(', ')}`).join('; ')}`);
    this.status = status;
    this.body = { message, details };
  }
}

const Volume = z.looseObject({
  containerPath: z.string().optional(),
  mode: z.string().optional(),
  external: z
    .looseObject({
      name: z.string().optional(),
      provider: z.string().optional(),
      size: z.number().optional(),
      shared: z.boolean().optional(),
      options: z.record(z.string(), z.string()).optional(),
    })
    .optional(),
  persistent: z.looseObject({}).optional(),
});
type Volume = z.infer<typeof Volume>;

const PortMapping = z.looseObject({ hostPort: z.int().min(0).max(65535).nullish() });

const AppDefinition = z.looseObject({
  id: z.string().min(1),
  instances: z.int().min(0).default(1),
  cpus: z.number().min(0).default(1),
  mem: z.number().min(0).default(128),
  constraints: z.array(z.array(z.string())).default([]),
  acceptedResourceRoles: z.array(z.string()).optional(),
  backoffSeconds: z.number().min(0).default(1),
  backoffFactor: z.number().min(1).default(1.15),
  maxLaunchDelaySeconds: z.number().min(0).optional(),
  healthChecks: z
    .array(
      z.looseObject({
        protocol: z.string().default('HTTP'),
        intervalSeconds: z.number().default(60),
        timeoutSeconds: z.number().default(20),
      }),
    )
    .default([]),
  container: z
    .looseObject({
      type: z.string().default('DOCKER'),
      volumes: z.array(Volume).default([]),
      portMappings: z.array(PortMapping).optional(),
      docker: z.looseObject({ portMappings: z.array(PortMapping).optional() }).optional(),
    })
    .optional(),
  portDefinitions: z.array(z.looseObject({ port: z.int().optional() })).optional(),
  ports: z.array(z.int()).optional(),
  upgradeStrategy: z
    .looseObject({
      minimumHealthCapacity: z.number().optional(),
      maximumOverCapacity: z.number().optional(),
    })
    .optional(),
  unreachableStrategy: z
    .union([
      z.literal('disabled'),
      z.looseObject({
        inactiveAfterSeconds: z.number().min(0),
        expungeAfterSeconds: z.number().min(0),
      }),
    ])
    .optional(),
});

/** An app as Marathon keeps it: what was sent, plus the fields its scheduling depends on. */
export interface App {
  /** Absolute, with leading slash. */
  id: string;
  definition: Record<string, unknown>;
  version: string;
  instances: number;
  cpus: number;
  mem: number;
  /** Wanted host ports; 0 = any. */
  ports: number[];
  constraints: string[][];
  roles: string[];
  backoff: { seconds: number; factor: number; maxSeconds: number };
  healthCheck: { intervalSeconds: number; timeoutSeconds: number } | undefined;
  volumeNames: string[];
  volumeSizeGiB: number;
  /** Container paths of local persistent volumes: such an app is pinned to its agent. */
  localVolumePaths: string[];
  unreachable: { inactiveAfterSeconds: number; expungeAfterSeconds: number } | 'disabled';
}

/** REX-Ray's size for a volume nobody gave one. */
const DEFAULT_SIZE_GIB = 16;

const isDvdi = (volume: Volume): boolean => volume.external?.provider === 'dvdi';

/** What DVDIProvider refuses, per path. */
const volumeErrors = (app: z.infer<typeof AppDefinition>, takenNames: Set<string>) => {
  const volumes = (app.container?.volumes ?? []).filter(isDvdi);
  const details: { path: string; errors: string[] }[] = [];
  const refuse = (path: string, error: string) => details.push({ path, errors: [error] });
  if (volumes.length === 0) return details;
  const names = volumes.map(({ external }) => external?.name);
  if (app.instances > 1) {
    const rule = 'Number of instances is limited to 1 when declaring DVDI volumes in app';
    refuse('/instances', `${rule} [${app.id}]`);
  }
  if (new Set(names).size < names.length) {
    refuse('/container/volumes', 'Volume names must be unique per app');
  }
  for (const [index, { external, mode }] of volumes.entries()) {
    const path = `/container/volumes(${index})`;
    const options = Object.keys(external?.options ?? {});
    if (external?.name === undefined) refuse(`${path}/external/name`, 'not defined');
    else if (takenNames.has(external.name) && external.shared !== true) {
      refuse('/container/volumes', `Volume name '${external.name}' is already in use`);
    }
    if (!options.includes('dvdi/driver')) refuse(`${path}/external/options`, 'not defined');
    if (app.container?.type === 'MESOS') {
      if (mode !== undefined && mode !== 'RW') refuse(`${path}/mode`, 'must be RW');
      continue;
    }
    if (external?.size !== undefined) refuse(`${path}/external/size`, 'must be undefined');
    if (options.some((option) => option !== 'dvdi/driver')) {
      refuse(`${path}/external/options`, 'only dvdi/driver is allowed with DOCKER containers');
    }
  }
  const { minimumHealthCapacity = 0, maximumOverCapacity = 0 } = app.upgradeStrategy ?? {};
  if (maximumOverCapacity !== 0) refuse('/upgradeStrategy/maximumOverCapacity', 'must be 0');
  if (minimumHealthCapacity < 0 || minimumHealthCapacity > 1) {
    refuse('/upgradeStrategy/minimumHealthCapacity', 'must be between 0 and 1');
  }
  return details;
};

const OPERATORS = ['UNIQUE', 'CLUSTER', 'GROUP_BY', 'LIKE', 'UNLIKE', 'MAX_PER', 'IS'];

const isConstraint = ([field, operator = '', value = '']: string[]): boolean => {
  if (field === undefined || !OPERATORS.includes(operator)) return false;
  if (operator === 'MAX_PER') return /^\d+$/.test(value);
  if (operator !== 'LIKE' && operator !== 'UNLIKE') return true;
  try {
    return new RegExp(value) instanceof RegExp;
  } catch {
    return false;
  }
};

/** What Marathon itself refuses, whatever the volumes. */
const otherErrors = (app: z.infer<typeof AppDefinition>) => {
  const details: { path: string; errors: string[] }[] = [];
  for (const [index, constraint] of app.constraints.entries()) {
    if (isConstraint(constraint)) continue;
    details.push({ path: `/constraints(${index})`, errors: ['is not a valid constraint'] });
  }
  const strategy = app.unreachableStrategy;
  if (strategy === undefined || strategy === 'disabled') return details;
  if (strategy.inactiveAfterSeconds > strategy.expungeAfterSeconds) {
    const errors = ['inactiveAfterSeconds must be less or equal to expungeAfterSeconds'];
    details.push({ path: '/unreachableStrategy', errors });
  }
  return details;
};

/** What Marathon adds to an app it shows: sent back to it, all this means nothing. */
const SHOWN_ONLY = ['tasks', 'lastTaskFailure', 'taskStats', 'readinessCheckResults'];

/** As an exported definition is read: an absent value may be written as null. */
const withoutNulls = (json: unknown): unknown =>
  JSON.parse(JSON.stringify(json ?? {}, (_, value: unknown) => value ?? undefined));

const wantedPorts = (app: z.infer<typeof AppDefinition>): number[] => {
  const mappings = app.container?.portMappings ?? app.container?.docker?.portMappings;
  if (mappings !== undefined) return mappings.map(({ hostPort }) => hostPort ?? 0);
  return (app.portDefinitions ?? []).map(() => 0).concat((app.ports ?? []).map(() => 0));
};

/**
 * Reads a Marathon app definition in the 1.4 or the 1.5 shape. `takenNames` are the external
 * volumes of other apps. The container's shape is kept as sent.
 * @throws InvalidAppError
 */
export const readApp = (
  json: unknown,
  context: { release: Release; version: string; takenNames: (appId: string) => Set<string> },
): App => {
  const parsed = AppDefinition.safeParse(withoutNulls(json));
  if (!parsed.success) {
    const details = parsed.error.issues.map(({ path, message }) => ({
      path: `/${path.join('/')}`,
      errors: [message],
    }));
    throw new InvalidAppError(400, details);
  }
  const app = parsed.data;
  const id = `/${app.id.replace(/^\/+/, '')}`;
  if (!/^(\/[a-z0-9]([a-z0-9.-]*[a-z0-9])?)+$/.test(id)) {
    throw new InvalidAppError(422, [{ path: '/id', errors: ['must fully match the id pattern'] }]);
  }
  const refused = [...volumeErrors({ ...app, id }, context.takenNames(id)), ...otherErrors(app)];
  if (refused.length > 0) throw new InvalidAppError(422, refused);

  const volumes = app.container?.volumes ?? [];
  const external = volumes.filter(isDvdi);
  const local = volumes.filter(({ persistent }) => persistent !== undefined);
  const maxSeconds = app.maxLaunchDelaySeconds ?? context.release.maxLaunchDelaySeconds;
  const [healthCheck] = app.healthChecks;
  const byDefault = { inactiveAfterSeconds: 0, expungeAfterSeconds: 0 };
  const unreachable = app.unreachableStrategy ?? (local.length > 0 ? 'disabled' : byDefault);
  return {
    id,
    definition: {
      ...Object.fromEntries(Object.entries(app).filter(([key]) => !SHOWN_ONLY.includes(key))),
      id,
      maxLaunchDelaySeconds: maxSeconds,
      ...(context.release.partitionAware ? { unreachableStrategy: unreachable } : {}),
    },
    version: context.version,
    instances: app.instances,
    cpus: app.cpus,
    mem: app.mem,
    ports: wantedPorts(app),
    constraints: app.constraints,
    roles: app.acceptedResourceRoles ?? ['*'],
    backoff: { seconds: app.backoffSeconds, factor: app.backoffFactor, maxSeconds },
    healthCheck,
    volumeNames: external.flatMap(({ external: e }) => (e?.name === undefined ? [] : [e.name])),
    volumeSizeGiB: external[0]?.external?.size ?? DEFAULT_SIZE_GIB,
    localVolumePaths: local.map(({ containerPath }) => containerPath ?? ''),
    unreachable,
  };
};
