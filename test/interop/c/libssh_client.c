/* Enters a job with libssh, by the configuration of OpenSSH's client, and prints what it saw.
   Arguments: ssh_config, host, a file here, its copy in the job, a port that the job reaches and that writes back. */
#include <fcntl.h>
#include <libssh/libssh.h>
#include <libssh/sftp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static ssh_session session;

static void check(int ok, const char *what) {
  if (ok) return;
  fprintf(stderr, "%s: %s\n", what, ssh_get_error(session));
  exit(1);
}

static char *read_all(ssh_channel channel, int is_stderr, size_t *size) {
  size_t room = 1 << 25;
  char *data = calloc(1, room);
  int count;
  *size = 0;
  while ((count = ssh_channel_read(channel, data + *size, room - *size - 1, is_stderr)) > 0) *size += count;
  return data;
}

static void run(const char *command) {
  ssh_channel channel = ssh_channel_new(session);
  size_t size;
  check(ssh_channel_open_session(channel) == SSH_OK, "session");
  check(ssh_channel_request_env(channel, "MINE", "a b") == SSH_OK, "env");
  check(ssh_channel_request_exec(channel, command) == SSH_OK, "exec");
  printf("stdout %s", read_all(channel, 0, &size));
  printf("stderr %s", read_all(channel, 1, &size));
  printf("status %d\n", ssh_channel_get_exit_status(channel));
  ssh_channel_free(channel);
}

static void in_terminal(void) {
  ssh_channel channel = ssh_channel_new(session);
  size_t size;
  check(ssh_channel_open_session(channel) == SSH_OK, "session");
  check(ssh_channel_request_pty_size(channel, "vt100", 90, 30) == SSH_OK, "pty");
  check(ssh_channel_request_exec(channel, "stty size; echo $TERM") == SSH_OK, "exec");
  printf("terminal %s", read_all(channel, 0, &size));
  ssh_channel_free(channel);
}

/* Writes a file of the job and reads it back; the caller compares it with the one here. */
static void copy(const char *here, const char *there) {
  static char data[1 << 16];
  sftp_session sftp = sftp_new(session);
  FILE *source = fopen(here, "rb");
  size_t size, total = 0;
  ssize_t count;
  int differs = 0;
  check(sftp != NULL && sftp_init(sftp) == SSH_OK && source != NULL, "sftp");
  sftp_file file = sftp_open(sftp, there, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  check(file != NULL, "open");
  while ((size = fread(data, 1, 32000, source)) > 0)
    check(sftp_write(file, data, size) == (ssize_t)size, "write");
  sftp_close(file);
  rewind(source);
  file = sftp_open(sftp, there, O_RDONLY, 0);
  check(file != NULL, "open to read");
  while ((count = sftp_read(file, data, sizeof data)) > 0) {
    static char expected[sizeof data];
    differs |= fread(expected, 1, count, source) != (size_t)count || memcmp(data, expected, count) != 0;
    total += count;
  }
  sftp_close(file);
  printf("copied %zu %s\n", total, differs ? "different" : "same");
  check(sftp_unlink(sftp, "/nowhere/at/all") < 0, "unlink");
  printf("missing %d\n", sftp_get_error(sftp));
  sftp_free(sftp);
  fclose(source);
}

static void forward(int port) {
  ssh_channel channel = ssh_channel_new(session);
  size_t size;
  check(ssh_channel_open_forward(channel, "127.0.0.1", port, "localhost", 0) == SSH_OK, "forward");
  check(ssh_channel_write(channel, "echo\n", 5) == 5, "write");
  check(ssh_channel_send_eof(channel) == SSH_OK, "eof");
  printf("forwarded %s", read_all(channel, 0, &size));
  ssh_channel_free(channel);
}

int main(int argc, char **argv) {
  if (argc != 6) return 2;
  session = ssh_new();
  ssh_options_set(session, SSH_OPTIONS_HOST, argv[2]);
  ssh_options_set(session, SSH_OPTIONS_USER, "anybody");
  check(ssh_options_parse_config(session, argv[1]) == SSH_OK, "configuration");
  check(ssh_connect(session) == SSH_OK, "connection");
  check(ssh_session_is_known_server(session) == SSH_KNOWN_HOSTS_OK, "host key");
  check(ssh_userauth_publickey_auto(session, NULL, NULL) == SSH_AUTH_SUCCESS, "authentication");
  run("echo \"$MINE\"; echo err >&2; exit 7");
  in_terminal();
  copy(argv[3], argv[4]);
  forward(atoi(argv[5]));
  ssh_disconnect(session);
  ssh_free(session);
  return 0;
}
