import { describeClient } from './client-suite.js'

describeClient('sid')
