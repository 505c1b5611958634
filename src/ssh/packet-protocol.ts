import type { AlgorithmOffer, Negotiated } from './algorithms.js'
import type { ParsedKey } from './parsed-key.js'

/** A request to authenticate by a public key, RFC 4252 §7. */
export interface PublicKeyAuth {
  /** The type of the key: of an RSA key 'ssh-rsa', whatever it signs with. */
  keyAlgo: string
  key: Buffer | undefined
  /** As OpenSSL verifies it; absent where the client only asks whether it may. */
  signature?: Buffer
  /** What is signed. */
  blob?: Buffer
  /** What an RSA key has hashed with: 'sha256', 'sha512'. */
  hashAlgo: string | undefined
}

/** What the two ends say to each other before the client is in: RFC 4253 §10, RFC 4252. */
export interface Authentication {
  requestService(name: string): void
  acceptService(name: string): void
  /**
   * Asks to be let in with this key, signed at once.
   * @param publicKey 'ssh-ed25519 AAAA…'
   * @param algorithm what an RSA key signs with
   */
  request(
    user: string,
    { publicKey, algorithm }: { publicKey: string; algorithm: string | undefined },
    sign: (data: Buffer, done: (signature: Buffer) => void) => void,
  ): void
  accept(): void
  refuse(methods: string[]): void
  /** The oldest request is answered by a message of the caller's own. */
  skipAnswer(): void
}

/** Called with the messages of authentication, each with what answers it. */
export interface MessageHandlers {
  serviceRequest?: (authentication: Authentication, name: string) => void
  serviceAccept?: (authentication: Authentication, name: string) => void
  /** @param data what stands behind the method's name: read for 'publickey', else mostly as it came */
  request?: (
    authentication: Authentication,
    request: { user: string; service: string; method: string; data: unknown },
  ) => void
  accepted?: () => void
  refused?: () => void
}

/** What one end proves or checks in a key exchange. */
export type HostKeyProof =
  | { role: 'server'; hostKeys: Readonly<Record<string, ParsedKey>> }
  | { role: 'client'; verify: (presented: Buffer) => boolean }

export interface PacketProtocolOptions {
  proof: HostKeyProof
  /** Our identification string (RFC 4253 §4.2), without 'SSH-2.0-'. */
  ident: string
  offer: AlgorithmOffer
  /** What a client may sign with: told to one that wants to know (server-sig-algs, RFC 8308 §3.1). */
  signatures: readonly string[]
  handlers: MessageHandlers
  onWrite: (data: Buffer) => void
  onError: (error: Error) => void
  /** The peer has said that it speaks SSH, and what it calls itself. */
  onIdentified: (software: string) => void
  /** A key exchange is done: the first, and each that follows. */
  onKeys: () => void
  /** The first is done, and what has to follow it at once is said. */
  onReady: (negotiated: Negotiated) => void
  /**
   * Every decrypted message outside of a key exchange, and what begins one. What it throws is a breach of protocol, and
   * comes out of receive().
   * @returns true for one that the protocol is to handle itself
   */
  onMessage: (payload: Buffer) => boolean
  /** The peer ends the connection, and says why. */
  onDisconnect: (description: string) => void
}

/**
 * The binary packet protocol (RFC 4253): identification, key exchange, ciphers, and the messages of authentication.
 * This is all that the rest of this folder knows of whatever does it.
 */
export interface PacketProtocol {
  /** Resolves once start() may be called. */
  readonly usable: Promise<void>
  /** Says who we are. */
  start(): void
  /** Bytes of the peer, which are decrypted in place. @throws for what breaks the protocol */
  receive(bytes: Buffer): void
  /** Sends one message, after the key exchange if one is running. */
  send(parts: readonly Buffer[]): void
  /** Sends one message also in a key exchange, where few are allowed: RFC 4253 §7.1. */
  sendAtOnce(payload: Buffer): void
  /** Begins a key exchange. Not while one is running. */
  rekey(): void
  /** Nothing more is read or said. */
  stop(): void
  /** Whether there is a peer to say something to: begun, and not failed. */
  readonly isSpeaking: boolean
  /** A key exchange is running: messages are queued. */
  readonly isExchanging: boolean
  /** Messages that wait for the end of a key exchange. */
  readonly queued: number
  /** Whether messages of this type, below those of RFC 4254, mean anything here. */
  handles(type: number): boolean
  /** The number of the message that onMessage is called with: RFC 4253 §6.4. */
  readonly sequence: number
  /** The hash of the first key exchange (RFC 4253 §7.2); undefined before its end. */
  readonly sessionId: Buffer | undefined
  readonly authentication: Authentication
  /** Has the next key exchange choose faster ciphers; gives whether there is anything to gain by one. */
  preferFaster(negotiated: Negotiated): boolean
}
