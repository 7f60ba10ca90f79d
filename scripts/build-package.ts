/** Builds `dist/package/`, which other services import, and packs it to `dist/package.tgz`. */
import { buildPackage } from '../lib/package.ts';

await buildPackage();
