import { closeSockets } from './loopback.js'

export * from './loopback.js'

/** Nothing that a test has opened outlives it. */
afterEach(closeSockets)
