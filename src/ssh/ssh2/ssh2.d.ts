/**
 * The parts of ssh2 1.17.0 that this project stands on. They are not ssh2's public API: the version is pinned, and
 * test/unit/ssh/ssh2-internals.test.ts fails when one of them is not what it was.
 */
declare module 'ssh2/lib/protocol/Protocol.js' {
  import type { KexInit } from 'ssh2/lib/protocol/kex.js'

  type Negotiated = import('../algorithms.js').Negotiated
  type AlgorithmOffer = import('../algorithms.js').AlgorithmOffer
  type ParsedKey = import('../parsed-key.js').ParsedKey

  export interface MessageHandlers {
    DISCONNECT?: (protocol: Protocol, reason: number, description: string) => void
    DEBUG?: (protocol: Protocol, display: boolean, message: string) => void
    SERVICE_REQUEST?: (protocol: Protocol, name: string) => void
    SERVICE_ACCEPT?: (protocol: Protocol, name: string) => void
    USERAUTH_REQUEST?: (
      protocol: Protocol,
      user: string,
      service: string,
      method: string,
      data: unknown,
    ) => void
    USERAUTH_FAILURE?: (protocol: Protocol, methods: string[], partial: boolean) => void
    USERAUTH_SUCCESS?: (protocol: Protocol) => void
    USERAUTH_BANNER?: (protocol: Protocol, message: string) => void
  }

  export interface ProtocolConfig {
    server?: boolean
    ident?: string
    offer: AlgorithmOffer
    hostKeys?: Readonly<Record<string, ParsedKey>>
    hostVerifier?: (key: Buffer, permit: (permitted: boolean) => void) => boolean | undefined
    onWrite: (data: Buffer) => void
    onError: (error: Error) => void
    onHeader?: (header: { versions: { software: string }; comments: string | undefined }) => void
    onHandshakeComplete?: (negotiated: Negotiated) => void
    debug?: (message: string) => void
    messageHandlers?: MessageHandlers
  }

  export interface PacketCipher {
    outSeqno: number
    allocPacket(payloadLength: number): Buffer
    encrypt(packet: Buffer): void
  }

  class Protocol {
    constructor(config: ProtocolConfig)
    start: (() => void) | undefined
    parse(chunk: Buffer, start: number, length: number): void
    cleanup(): void
    rekey(): void
    service(name: string): void
    serviceAccept(name: string): void
    authPK(
      username: string,
      publicKey: string,
      algorithm: string | undefined,
      sign: (data: Buffer, done: (signature: Buffer) => void) => void,
    ): void
    authSuccess(): void
    authFailure(methods: string[], partial?: boolean): void
    /** Called with every decrypted payload outside a key exchange; ours looks at it first. */
    _onPayload: (payload: Buffer) => unknown
    _onHandshakeComplete: (negotiated: Negotiated) => void
    /** What our KEXINITs offer. */
    _offer: KexInit
    /** Our KEXINIT while a key exchange runs: packets are queued meanwhile. */
    _kexinit: Buffer | undefined
    _queue: Buffer[] | undefined
    _kex: { remoteExtInfoEnabled: boolean; sessionID: Buffer; _remoteKexinit: Buffer | undefined } | undefined
    /** The peer has announced a guess that is wrong: the packet behind its KEXINIT is to be ignored. */
    _skipNextInboundPacket: boolean
    _cipher: PacketCipher
    /** Takes the payloads itself while keys are exchanged. */
    _decipher: { inSeqno: number; _onPayload: (payload: Buffer) => unknown }
    _strictMode: boolean | undefined
    /** Methods of requests that have no answer yet. */
    _authsQueue: string[]
    _destruct: ((reason?: string) => void) | undefined
    _packetRW: {
      write: {
        allocStart: number
        allocStartKEX: number
        alloc(payloadLength: number, force?: boolean): Buffer
        finalize(packet: Buffer, force?: boolean): Buffer
      }
    }
  }
  export default Protocol
}

declare module 'ssh2/lib/protocol/kex.js' {
  class KexInit {
    constructor(offer: import('../algorithms.js').AlgorithmOffer)
    lists: { kex: { array: string[] } }
  }

  export type { KexInit }

  const kex: { KexInit: typeof KexInit }
  export default kex
}

declare module 'ssh2/lib/protocol/utils.js' {
  import type Protocol from 'ssh2/lib/protocol/Protocol.js'

  const utils: {
    sendPacket(protocol: Protocol, packet: Buffer, bypassQueue?: boolean): boolean
    /** What OpenSSL has signed, in SSH's form. */
    convertSignature(signature: Buffer, keyType: string): Buffer | false
    /** And the other way round; undefined for one that is none. */
    sigSSHToASN1(signature: Buffer, keyType: string): Buffer | undefined
  }
  export default utils
}

declare module 'ssh2/lib/protocol/crypto.js' {
  /** `init` resolves once Poly1305 can be computed without the native binding, and rejects if it can't be. */
  const crypto: { bindingAvailable: boolean; init: Promise<void> }
  export default crypto
}

declare module 'ssh2/lib/protocol/keyParser.js' {
  type ParsedKey = import('../parsed-key.js').ParsedKey
  const keyParser: { parseKey(key: string | Buffer): ParsedKey | ParsedKey[] | Error }
  export default keyParser
}
