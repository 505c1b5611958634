import fs from 'node:fs/promises'
import { BlockingCalls } from '../../../../src/core/blocking-calls.js'
import { fileCalls } from '../../../../src/job/local-files.js'
import { readAccounts } from '../../../../src/server/sftp/accounts.js'

afterEach(() => jest.restoreAllMocks())

it('of two names for one user, the first is shown, and both are known', async () => {
  const uid = process.getuid?.() ?? 0
  const passwd = ['first', 'second'].map((name) => `${name}:x:${uid}:${uid}::/home/${name}:/bin/sh\n`)
  jest
    .spyOn(fs, 'readFile')
    .mockImplementation(async (file) => (String(file) === '/etc/passwd' ? passwd.join('') : ''))
  const accounts = await readAccounts(fileCalls(new BlockingCalls()))
  expect(accounts.userName(uid)).toBe('first')
  expect(accounts.user('first')?.home).toBe('/home/first')
  expect(accounts.user('second')?.home).toBe('/home/second')
  expect(accounts.user('third')).toBeUndefined()
})
