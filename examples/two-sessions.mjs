// Server and client in one process, over a pair of streams in memory: two sessions at once on one connection.
import { connect, localJob, serve, streamPair } from 'sshjob'

const [here, there] = streamPair()
const served = serve(there, localJob({ id: 'example', command: ['example'] }))
const connection = await connect(here)

const [counting, shouting] = await Promise.all([
  connection.exec('for i in 1 2 3; do echo $i; done'),
  connection.exec('tr a-z A-Z', { stdin: 'a word\n' }),
])
console.log((await counting.output()).stdout.toString().split('\n').join(' '))
console.log((await shouting.output()).stdout.toString())

await connection.close()
await served.closed
