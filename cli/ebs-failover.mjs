#!/usr/bin/env node
// Plain JavaScript, so that an older Node reads what to do instead of a complaint about types.
import '../scripts/require-node.mjs';

const { main } = await import('./main.ts');
process.exitCode = await main(process.argv.slice(2));
