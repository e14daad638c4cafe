declare module 'dynalite' {
  import type { Server } from 'node:http';

  /** An HTTP server with a DynamoDB behind it, in memory unless a path is given. */
  function dynalite(options: {
    createTableMs?: number;
    deleteTableMs?: number;
    updateTableMs?: number;
  }): Server;
  export = dynalite;
}
