import { describeDropIn } from './drop-in.js'

describeDropIn('trixie')
