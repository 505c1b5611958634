/** CommonJS inside of ES modules: `require` for Node.js's own modules, the file names for Emscripten's output. */
export const COMMONJS_IN_MODULE = [
  "import { createRequire as __createRequire } from 'node:module'",
  "import { dirname as __directoryOf } from 'node:path'",
  "import { fileURLToPath as __pathOf } from 'node:url'",
  'const require = __createRequire(import.meta.url)',
  'const __filename = __pathOf(import.meta.url)',
  'const __dirname = __directoryOf(__filename)',
].join('\n')
