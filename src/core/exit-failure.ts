/**
 * The exit status of a program that failed itself, so that it is not taken for that of what it runs: ssh(1), "EXIT
 * STATUS"; sshd and sftp-server(8) end so as well.
 */
export const EXIT_FAILURE = 255
