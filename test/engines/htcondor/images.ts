import type { Pool } from './start-pool.js'

/** A folder that Apptainer takes as an image: a shell, and a few programs. */
const SCRIPT = `
  mkdir -p /srv/image/{proc,sys,dev,etc,tmp,var/tmp,home,root,run}
  programs='/bin/sh /bin/cat /bin/sleep'
  cp --parents $programs $(ldd $programs | grep -o '/lib[^ ]*' | sort -u) /srv/image
  echo it is >/srv/image/in-the-image`

/** The lines of a job in a container of Apptainer's. */
export const APPTAINER = ['container_image = /srv/image', 'transfer_container = false'] as const

/** The lines of a job in a container of Docker's, without any network. */
export const DOCKER = [
  'universe = docker',
  'docker_image = small',
  'docker_network_type = none',
  'should_transfer_files = yes',
] as const

export async function makeImage(pool: Pool): Promise<void> {
  await pool.get('root', ['bash', '-ec', SCRIPT])
}
