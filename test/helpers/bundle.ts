import path from 'node:path'
import esbuild from 'esbuild'

/** Makes one file of a few lines of TypeScript, which import from 'src/…', for Node.js to run as a process of its own. */
export async function bundle(source: string, directory: string, name = 'program'): Promise<string> {
  const outfile = path.join(directory, `${name}.mjs`)
  await esbuild.build({
    stdin: { contents: source, resolveDir: process.cwd(), loader: 'ts' },
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    outfile,
    logLevel: 'error',
  })
  return outfile
}
