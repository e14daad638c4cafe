// Plain JavaScript, because it must run where nothing else here does: an older Node stops at the
// first .ts file with a message about file extensions. Loaded by `node --import` before an entry
// point, so that people read what to do instead.

/** The first Node that runs the project: it strips types, and it is Lambda's nodejs24.x. */
const NODE_MAJOR_MIN = 24;
const version = process.versions.node;

if (Number.parseInt(version, 10) < NODE_MAJOR_MIN) {
  process.stderr.write(
    `ebs-failover needs Node ${NODE_MAJOR_MIN} or newer and this is ${version}: start it through ` +
      'npm (npm ci, then npm start), which uses the Node that comes with the project.\n',
  );
  process.exit(1);
}
