import { alternate, type Measured, type Side } from './alternate.js'
import type { Row } from './report.js'
import type { TcpServer } from './servers.js'

/** Lets servers work in turns: a row for each but the first, with its label, beside that first one. */
export async function besideFirst(
  servers: readonly TcpServer[],
  sides: readonly Side[],
  rounds: number,
  row: (label: string, ours: Measured, peer: Measured) => Row,
): Promise<Row[]> {
  const [peer, ...mine] = await alternate(sides, rounds)
  if (peer === undefined) return []
  return mine.map((ours, index) => row(servers[index + 1]?.label ?? '', ours, peer))
}
