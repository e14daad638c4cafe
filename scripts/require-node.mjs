// Plain JavaScript, because it must run where nothing else here does: an older Node stops at the
// first .ts file with a message about file extensions. Loaded by `node --import` before an entry
// point, so that people read what to do instead.

/** The first Node that runs the project: it strips types and is what Lambda's nodejs24.x is. */
export const NODE_MAJOR_MIN = 24;

/**
 * @param {string} version as in process.versions.node, such as "20.20.2"
 * @returns {string | undefined} what is wrong, in one sentence; undefined when all is well
 */
export const nodeComplaint = (version) =>
  Number.parseInt(version, 10) >= NODE_MAJOR_MIN
    ? undefined
    : `ebs-failover needs Node ${NODE_MAJOR_MIN} or newer and this is ${version}: start it through ` +
      'npm (npm ci, then npm start), which uses the Node that comes with the project.';

const complaint = nodeComplaint(process.versions.node);
if (complaint !== undefined) {
  process.stderr.write(`${complaint}\n`);
  process.exit(1);
}
