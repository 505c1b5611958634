import { randomBytes } from 'node:crypto'
import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ANSIBLE, describeClient } from '../helpers/clients.js'
import { findPythonWith } from '../helpers/needs.js'
import { HOST, writeSshConfig } from '../helpers/openssh.js'
import { runProgram } from '../helpers/programs.js'
import { JOB, starterSuite } from '../helpers/starter.js'

/** Each of its modules is a few starts of Python, on both sides: a minute is little where other work goes on. */
const TIMEOUT_MS = 180_000

const playbook = (folder: string): string => `
- hosts: all
  gather_facts: false
  tasks:
    - ansible.builtin.ping:
    - ansible.builtin.copy: { src: ${folder}/source, dest: ${folder}/copy, mode: "0640" }
      register: copied
    - ansible.builtin.shell: echo "$SSHJOB_JOB_ID"; pwd; exit 7
      register: said
      failed_when: said.rc != 7
    - ansible.builtin.assert:
        that:
          - copied is changed
          - said.stdout_lines == ["${JOB}", "${folder}"]
`

describeClient(ANSIBLE, 'modules', () => {
  const { user, start } = starterSuite()

  // ControlMaster and ControlPersist are its own defaults; the master goes with the job.
  it.each([
    ['', 'False'],
    [' with pipelining', 'True'],
  ])(
    'runs ping, copy and shell%s',
    async (_how, pipelining) => {
      const { folder, env } = user()
      await start({ cwd: folder })
      const config = await writeSshConfig(user())
      const data = randomBytes(300_000)
      writeFileSync(join(folder, 'source'), data)
      writeFileSync(join(folder, 'playbook.yml'), playbook(folder))
      const variables = `ansible_python_interpreter=${findPythonWith('json')}`
      const args = ['-i', `${HOST},`, '-e', variables, join(folder, 'playbook.yml')]
      const result = await runProgram('ansible-playbook', args, {
        cwd: folder,
        env: {
          ...env,
          ANSIBLE_SSH_COMMON_ARGS: `-F ${config}`,
          ANSIBLE_PIPELINING: pipelining,
          ANSIBLE_NOCOLOR: '1',
        },
      })
      expect(`${result.stderr}${result.stdout}`).toMatch(/ok=4 +changed=2 +unreachable=0 +failed=0/)
      expect(statSync(join(folder, 'copy')).mode & 0o777).toBe(0o640)
      expect(readFileSync(join(folder, 'copy')).equals(data)).toBe(true)
      rmSync(join(folder, 'copy'))
    },
    TIMEOUT_MS,
  )
})
