// Copies the vendored scripts and packs the icon sprite into ../static, byte for byte the same on every run.
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const modules = join(here, 'node_modules');
const out = join(here, '..', 'static');

const vendored = {
  'htmx.min.js': 'htmx.org/dist/htmx.min.js',
  'htmx-ext-ws.min.js': 'htmx-ext-ws/dist/ws.min.js',
  'htmx-ext-sse.min.js': 'htmx-ext-sse/dist/sse.min.js',
  'idiomorph-ext.min.js': 'idiomorph/dist/idiomorph-ext.min.js',
  'htmx-LICENSE.txt': 'htmx.org/LICENSE',
  'idiomorph-LICENSE.txt': 'idiomorph/LICENSE',
  'lucide-LICENSE.txt': 'lucide-static/LICENSE',
};
mkdirSync(join(out, 'vendor'), { recursive: true });
for (const [to, from] of Object.entries(vendored)) copyFileSync(join(modules, from), join(out, 'vendor', to));

const names = readFileSync(join(here, 'icons.txt'), 'utf8').split('\n').map(line => line.trim()).filter(line => line && !line.startsWith('#')).sort();
const body = name => readFileSync(join(modules, 'lucide-static', 'icons', name + '.svg'), 'utf8')
  .replace(/<!--.*?-->/s, '').replace(/<svg[^>]*>/s, '').replace('</svg>', '').replace(/\s+/g, ' ').replace(/> </g, '><').replaceAll(' />', '/>').trim();
const symbols = names.map(name => `<symbol id="i-${name}" viewBox="0 0 24 24">${body(name)}</symbol>`);
writeFileSync(join(out, 'icons.svg'), `<svg xmlns="http://www.w3.org/2000/svg">\n${symbols.join('\n')}\n</svg>\n`);
