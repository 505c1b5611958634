// A transformer for jest: the sources are tested with the ssh2 that is bundled.
import { mendCrypto } from '../../scripts/mend-ssh2.mjs'

export default {
  process: (source) => ({ code: mendCrypto(source) }),
}
