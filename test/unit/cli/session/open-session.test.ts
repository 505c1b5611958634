import { expandProxyCommand } from '../../../../src/cli/session/open-session.js'

describe('the proxy command', () => {
  it('gets the job for %h, and a percent sign for two', () => {
    expect(expandProxyCommand('docker exec -i %h date +%%s', 'c.1')).toBe('docker exec -i c.1 date +%s')
  })

  it.each(['$(reboot)', "a'b", 'a b', '-x', ''])('takes no job called %j into a command line', (job) => {
    expect(() => expandProxyCommand('exec %h', job)).toThrow(`'${job}' is no name of a job.`)
  })

  it.each(['nc %p', 'nc %'])('refuses %j, which it does not know', (command) => {
    expect(() => expandProxyCommand(command, 'train')).toThrow('--proxy-command knows %h and %%, not %')
  })
})
