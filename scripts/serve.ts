import { once } from 'node:events';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { Command } from 'commander';
import type { Handler } from '../rehearsal/host/host.ts';
import { parseWhole, UsageError } from '../rehearsal/options.ts';
import { inWorkspace } from './in-workspace.ts';

export const serveCommand = new Command('serve')
  .description('serve the API alone, from the bundle that would be deployed')
  .addHelpText(
    'after',
    `
Environment: PORT (default 3000); REDIS_URL (default: the memory cache); DATABASE_URL (default: a PostgreSQL of its
own, gone afterwards); NODE_ENV (default: development); the switches of the phase, CACHE_MODE and LOG_LEVEL as in
.env.example. OIDC_ISSUER and OIDC_AUDIENCE: whose tokens the admin routes take (default: one that is printed, good for
8 hours and while this process runs).
Exit codes: 130 after Ctrl-C, 1 failed, 2 bad usage.`,
  )
  .action(() =>
    inWorkspace(async (workspace, signal) => {
      const { migrate } = await import('../lambda/database/migrate.ts');
      const { bundleFunction } = await import('../lib/bundle.ts');
      const { admissionOf } = await import('../rehearsal/host/admission.ts');
      const { createHost } = await import('../rehearsal/host/host.ts');
      const { postgresInUse, redacted, redisInUse } = await import('../rehearsal/servers/given-or-own.ts');
      const { PORT = '3000', REDIS_URL: redisUrl, DATABASE_URL: databaseUrl } = process.env;
      const admission = await admissionOf(process.env);
      const port = parseWhole('PORT', PORT, { min: 0, max: 65_535, origin: 'serve' });
      if (redisUrl) await redisInUse(workspace, redisUrl);
      const database = await postgresInUse(workspace, databaseUrl);
      await migrate(database.url);

      process.env['NODE_ENV'] ||= 'development';
      process.env['DATABASE_URL'] = database.url;
      const bundle = pathToFileURL(path.join(bundleFunction('api'), 'index.mjs'));
      const { handler }: { handler: Handler } = await import(bundle.href);
      const server = createHost(handler, { gates: admission.gates });
      server.listen(port, '127.0.0.1');
      await once(server, 'listening').catch((cause: NodeJS.ErrnoException) => {
        if (cause.code !== 'EADDRINUSE' && cause.code !== 'EACCES') throw cause;
        throw new UsageError(`serve: PORT=${port} cannot be opened (${cause.code}); set PORT to a free one`, {
          cause,
        });
      });
      const address = server.address();
      const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : port}`;
      console.log(`serving  ${url}/api/users/{userId}/{collection}`);
      console.log(`flags    ${url}/api/config/flags`);
      console.log(`cache    ${process.env['CACHE_MODE'] ?? (redisUrl ? redacted(redisUrl) : 'memory')}`);
      console.log(`database ${redacted(database.url)}`);
      console.log(admission.howToWrite(url));
      await once(server, 'close', { signal });
    }),
  );
