import { randomBytes } from 'node:crypto'
import type { Socket } from 'node:net'
import { quoteWords } from './openssh.js'
import { SSHJOB_SERVER } from './programs.js'
import { exchange } from './sockets.js'

/** What an editor puts into the job: a server on a free port of loopback and on a unix socket, that writes back. */
const SERVER = `
import net from 'node:net'
const listen = (...where) => new Promise((resolve) => {
  const server = net.createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => undefined)
    socket.pipe(socket)
  })
  server.listen(...where, () => resolve(server.address()))
})
await listen(process.argv[2])
console.log('listening on ' + (await listen(0, '127.0.0.1')).port)
`

/** What the script prints: whether the server ran already, its process, and where it listens. */
export const MARKER = /^editor: (running|started) pid==(\d+)== listeningOn==(\d+)==$/m

export interface EditorScript {
  /** A folder of the job, which need not be there yet. */
  folder: string
  /** What the server is started with, such as setsid. */
  before?: string
}

/**
 * The script that such an editor gives to bash on its standard input: it looks for its server in the job, installs and
 * starts one in the background if there is none, waits for its port, and prints it.
 */
export function editorScript({ folder, before = '' }: EditorScript): string {
  const words = quoteWords([process.execPath, `${folder}/server.mjs`, `${folder}/socket`])
  return `folder=${quoteWords([folder])}
found=running
if ! grep -qs server.mjs "/proc/$(cat "$folder/pid" 2>/dev/null)/cmdline"; then
  found=started
  rm -rf "$folder"; mkdir -p "$folder"; touch "$folder/log"
  cat > "$folder/server.mjs" <<'END OF SERVER'
${SERVER}
END OF SERVER
  ${before} ${words} > "$folder/log" 2>&1 < /dev/null &
  echo $! > "$folder/pid"
fi
for _ in $(seq 400); do
  port=$(sed -n 's/^listening on //p' "$folder/log")
  [ -n "$port" ] && break
  sleep 0.1
done
echo "editor: $found pid==$(cat "$folder/pid")== listeningOn==$port=="
`
}

/** All that these editors need of forwarding. */
export const LOCAL_ONLY = ['--allow-forwarding', 'local']
/** Where the job is served, and what `sshjob ssh-config` is told to reach it. */
export const WAYS = [
  ['under a starter', []],
  ['in `sshjob-server -i`', ['--proxy-command', `${process.execPath} ${SSHJOB_SERVER} -i`]],
] as const

const CONNECTIONS = 50

/** Sends through each of many connections at once, different bytes through each, and gets the same back. */
export async function checkMany(connect: () => Promise<Socket>): Promise<void> {
  const same = Array.from({ length: CONNECTIONS }, async () => {
    const data = randomBytes(100_000)
    return (await exchange(await connect(), data)).equals(data)
  })
  expect((await Promise.all(same)).filter(Boolean)).toHaveLength(CONNECTIONS)
}
