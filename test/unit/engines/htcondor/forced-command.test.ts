import fs from 'node:fs/promises'
import path from 'node:path'
import { takesCommandsInside } from '../../../../src/engines/htcondor/forced-command.js'
import { temporaryDirectory } from '../../../helpers/temporary-directory.js'

const CHECK = 'if [ -S $_CONDOR_SCRATCH_DIR/.docker_sock ]; then\n'
const COMMAND = `  exec "$_CONDOR_BIN"/condor_docker_enter "\${SSH_ORIGINAL_COMMAND}"\n`
const SHELL = '  exec "$_CONDOR_BIN"/condor_docker_enter\n'

describe("HTCondor's script for sessions", () => {
  const folder = temporaryDirectory()
  const write = async (text: string): Promise<string> => {
    const file = path.join(folder(), 'condor_ssh_to_job_shell_setup')
    await fs.writeFile(file, text)
    return file
  }

  it('is one that takes commands into a container, as that of 25.14', async () => {
    expect(takesCommandsInside(await write(`${CHECK}${COMMAND}fi\n`))).toBe(true)
  })

  it.each([
    ['that of 23.9, which runs them on the host', `eval \${SSH_ORIGINAL_COMMAND}\n${CHECK}${SHELL}fi\n`],
    ['one where that is a comment', `${CHECK}# ${COMMAND}${SHELL}fi\n`],
    ['an empty one', ''],
  ])('is not: %s', async (_, text) => {
    expect(takesCommandsInside(await write(text))).toBe(false)
  })

  it('is not, where it can not be read', () => {
    expect(takesCommandsInside(path.join(folder(), 'missing'))).toBe(false)
  })
})
