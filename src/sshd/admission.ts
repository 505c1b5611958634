import type { Admission } from '../server/admission.js'
import { chooseAlgorithms } from './algorithm-list.js'
import type { Config } from './config.js'
import { loadHostKeys } from './host-keys.js'
import { type LoginOptions, makeLogin } from './login.js'
import { toMilliseconds } from './values.js'

/**
 * Who gets in, as the configuration has it.
 * @param config what holds for every connection
 * @param hostKeys files besides the configuration's, before them
 * @throws SshjobError 'usage' where no host key can be used
 */
export function makeAdmission({
  config,
  hostKeys,
  login,
}: {
  config: Config
  hostKeys: readonly string[]
  login: LoginOptions
}): Admission {
  return {
    hostKeys: loadHostKeys(config, hostKeys, login.log),
    algorithms: {
      kex: chooseAlgorithms('KexAlgorithms', config.word('KexAlgorithms')),
      ciphers: chooseAlgorithms('Ciphers', config.word('Ciphers')),
      macs: chooseAlgorithms('MACs', config.word('MACs')),
      signatures: chooseAlgorithms('PubkeyAcceptedAlgorithms', config.word('PubkeyAcceptedAlgorithms')),
    },
    login: (user) => makeLogin(login, user),
    announcesHostKeys: true,
    loginGraceMs: toMilliseconds(config.number('LoginGraceTime')),
  }
}
