import { FIND_OPTIONS, withOptions } from '../arguments/engine-options.js'
import { CP_OPTIONS } from '../copy/options.js'
import type { Manual } from './manual.js'

export const manual: Manual = {
  name: 'sshjob cp',
  summary: 'copies files into a job, or out of it',
  calls: ['[options] SRC... JOB:PATH', '[options] JOB:PATH... DST'],
  description: [
    "Relative paths in the job start in its working directory. What has a colon before its first slash is in a job: './a:b' is a file here. A target that is a folder takes the sources with their names.",
    "'-' is our standard input, or output: 'sshjob cp train:log -'.",
    'A target that is a link to a file is refused; links in a folder are copied as links.',
  ],
  options: withOptions(CP_OPTIONS, FIND_OPTIONS),
  operands: ['place'],
  examples: [
    ['sshjob cp model.pt train:', "into the job's working directory"],
    ['sshjob cp -a train:results .', 'a folder with what is in it'],
    ['tar c src | sshjob cp - train:src.tar', 'what a program writes'],
  ],
}
