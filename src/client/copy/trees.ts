import {
  type Argument,
  abortSignal,
  callback,
  checkCall,
  either,
  flag,
  listOf,
  objectWith,
  optional,
  options as optionsOf,
  textOrBytes,
} from '../../core/check-options.js'
import type { LocalPath, RemoteFiles, RemotePath } from '../sftp/types.js'
import { copyTree, type TreeOptions, throwFailures } from './copy-tree.js'
import { localSide, remoteSide } from './sides.js'

const SOURCES = either('a path or an array of paths', textOrBytes, listOf(textOrBytes))

const CALL: readonly Argument[] = [
  ['files', objectWith('the files of a connection: connection.files', 'upload', 'download', 'readdir')],
  ['sources', SOURCES],
  ['target', textOrBytes],
  optional(
    'options',
    optionsOf<TreeOptions>({
      signal: abortSignal,
      preserve: flag,
      resume: flag,
      onStart: callback,
      onProgress: callback,
      onFailure: callback,
      onSkip: callback,
    }),
  ),
]

/**
 * Copies files and folders of this machine into the job, with what is in them. A target that is a folder takes them with
 * their names. Links that are named are followed; those inside of a tree are copied as links.
 * @param files of the connection
 * @throws SshjobError 'no-such-file', 'usage' where nothing can be copied for it, before anything is; 'file-failed' in the
 *   end, where items could not be copied; 'aborted', after which `resume` goes on; and what ends a connection
 */
export async function uploadTree(
  files: RemoteFiles,
  sources: LocalPath | readonly LocalPath[],
  target: RemotePath,
  options: TreeOptions = {},
): Promise<void> {
  checkCall('uploadTree', [files, sources, target, options], CALL)
  const copy = {
    source: localSide,
    target: remoteSide(files),
    copyFile: files.upload.bind(files),
    sources: pathsOf(sources),
    to: bytesOf(target),
  }
  throwFailures(await copyTree(copy, options))
}

/** Copies files and folders of the job to this machine: as uploadTree(), the other way round. */
export async function downloadTree(
  files: RemoteFiles,
  sources: RemotePath | readonly RemotePath[],
  target: LocalPath,
  options: TreeOptions = {},
): Promise<void> {
  checkCall('downloadTree', [files, sources, target, options], CALL)
  const copy = {
    source: remoteSide(files),
    target: localSide,
    copyFile: files.download.bind(files),
    sources: pathsOf(sources),
    to: bytesOf(target),
  }
  throwFailures(await copyTree(copy, options))
}

type Path = LocalPath | RemotePath

const pathsOf = (paths: Path | readonly Path[]): Buffer[] =>
  typeof paths === 'string' || Buffer.isBuffer(paths) ? [bytesOf(paths)] : paths.map(bytesOf)

const bytesOf = (path: Path): Buffer => (typeof path === 'string' ? Buffer.from(path) : path)
