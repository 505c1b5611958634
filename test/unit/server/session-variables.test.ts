import { MAX_ENV_BYTES, MAX_ENV_TOTAL_BYTES, MAX_ENV_VARIABLES } from '../../../src/core/limits.js'
import { SessionVariables } from '../../../src/server/session-variables.js'

const bytes = (text: string | number): Buffer =>
  typeof text === 'number' ? Buffer.alloc(text, 'x') : Buffer.from(text)
const none = new Map<string, Buffer>()

describe('what a client sets', () => {
  it('has at most so many bytes, with its name', () => {
    const variables = new SessionVariables(none)
    expect(variables.set('ABC', bytes(MAX_ENV_BYTES - 2))).toBe(false)
    expect(variables.set('ABC', bytes(MAX_ENV_BYTES - 3))).toBe(true)
    expect([...variables.all().keys()]).toEqual(['ABC'])
  })

  it('has at most so many bytes in all, and those that were replaced count', () => {
    const variables = new SessionVariables(none)
    for (let left = MAX_ENV_TOTAL_BYTES; left > 0; left -= MAX_ENV_BYTES)
      expect(variables.set('A', bytes(MAX_ENV_BYTES - 1))).toBe(true)
    expect(variables.set('A', bytes(0))).toBe(false)
  })

  it('is at most so many variables, any of which may be set again', () => {
    const variables = new SessionVariables(none)
    for (let i = 0; i < MAX_ENV_VARIABLES; i++) expect(variables.set(`A${i}`, bytes('1'))).toBe(true)
    expect(variables.set('B', bytes('1'))).toBe(false)
    expect(variables.set('A0', bytes('2'))).toBe(true)
    expect(variables.all().size).toBe(MAX_ENV_VARIABLES)
  })

  it('is a copy: what a packet had is used again', () => {
    const variables = new SessionVariables(none)
    const value = bytes('mine')
    variables.set('A', value)
    value.fill('!')
    expect(variables.all().get('A')).toEqual(bytes('mine'))
  })

  it.each(['SSH_CONNECTION', 'SSH_CLIENT', 'SSH_TTY', 'SSH_USER_AUTH', 'SSH_ORIGINAL_COMMAND'])(
    'is never %s',
    (name) => {
      const variables = new SessionVariables(none)
      expect(variables.set(name, bytes('a lie'))).toBe(false)
      expect(variables.all()).toEqual(none)
    },
  )
})

it('the server has the last word, then the rules, then the client', () => {
  const variables = new SessionVariables(new Map([['A', bytes('server')]]))
  variables.add(new Map([['B', bytes('made')]]))
  for (const name of ['A', 'B', 'C', 'D', 'SSH_AUTH_SOCK']) variables.set(name, bytes('client'))
  const rules = new Map(['A', 'B', 'C', 'SSH_ORIGINAL_COMMAND'].map((name) => [name, bytes('rules')]))
  const text = (all: ReadonlyMap<string, Buffer>) => Object.fromEntries([...all].map(([k, v]) => [k, `${v}`]))
  expect(text(variables.all(rules, bytes('asked')))).toEqual({
    A: 'server',
    B: 'made',
    C: 'rules',
    D: 'client',
    SSH_AUTH_SOCK: 'client',
    SSH_ORIGINAL_COMMAND: 'asked',
  })
  expect(text(variables.all())).toEqual({
    A: 'server',
    B: 'made',
    C: 'client',
    D: 'client',
    SSH_AUTH_SOCK: 'client',
  })
})
