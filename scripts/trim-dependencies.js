// Runs after every install: removes Node's C++ headers (67 MB), because nothing here is compiled against them.
import { globSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../node_modules/node/', import.meta.url));
for (const path of globSync('{.,node_modules/*}/include', { cwd: root })) rmSync(root + path, { recursive: true });
