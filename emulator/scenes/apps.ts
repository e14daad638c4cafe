/** The catalog's MySQL with an external persistent volume, as DC/OS hands it to Marathon. */
export const catalogMysql = {
  id: '/mysql',
  cpus: 0.5,
  mem: 1024,
  instances: 1,
  container: {
    type: 'DOCKER',
    volumes: [
      {
        containerPath: '/var/lib/mysql',
        external: { name: 'mysql', provider: 'dvdi', options: { 'dvdi/driver': 'rexray' } },
        mode: 'RW',
      },
    ],
    docker: {
      image: 'mysql:5.7.12',
      network: 'BRIDGE',
      portMappings: [
        { containerPort: 3306, hostPort: 0, protocol: 'tcp', labels: { VIP_0: '/mysql:3306' } },
      ],
      forcePullImage: false,
    },
  },
  healthChecks: [
    {
      protocol: 'TCP',
      portIndex: 0,
      gracePeriodSeconds: 300,
      intervalSeconds: 60,
      timeoutSeconds: 20,
      maxConsecutiveFailures: 3,
    },
  ],
  labels: { DCOS_SERVICE_NAME: 'mysql', MARATHON_SINGLE_INSTANCE_APP: 'true' },
  upgradeStrategy: { minimumHealthCapacity: 0, maximumOverCapacity: 0 },
};

/** The same with volumes of other names. */
export const withVolumes = (id: string, names: readonly string[]): object => ({
  ...catalogMysql,
  id,
  container: {
    ...catalogMysql.container,
    volumes: names.map((name) => ({
      containerPath: `/var/lib/${name}`,
      external: { name, provider: 'dvdi', options: { 'dvdi/driver': 'rexray' } },
      mode: 'RW',
    })),
  },
});

/** Something without data on the same agent: fencing takes it down too, and it comes back. */
export const webApp = {
  id: '/shop/web',
  cpus: 0.25,
  mem: 256,
  instances: 1,
  cmd: 'python3 -m http.server 8080',
};

interface WithVolumes {
  container?: { volumes?: { external?: { name?: unknown } }[] };
}

/** Names of the external volumes a definition declares. */
export const externalVolumeNames = (definition: object): string[] =>
  ((definition as WithVolumes).container?.volumes ?? []).flatMap(({ external }) =>
    typeof external?.name === 'string' ? [external.name] : [],
  );

/** The app's id as Marathon writes it, with its leading slash. */
export const appIdOf = (definition: object): string => {
  const { id } = definition as { id?: unknown };
  return `/${String(id).replace(/^\/+/, '')}`;
};
