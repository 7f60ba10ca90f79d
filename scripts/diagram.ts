/** Makes the diagram in docs/architecture.md, and the rules in docs/operations/security-groups.md, from the synthesized app. */
import { madePages, writePages } from './diagram/pages.ts';

const written = writePages(madePages());
process.stdout.write(written.length > 0 ? `wrote ${written.join(' and ')}\n` : 'nothing has changed\n');
