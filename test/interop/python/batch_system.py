"""Runs a command as a batch system or a shell does, and prints what it sees of it as JSON.

The argument is JSON: 'command', 'steps', and what the command is started with: 'ignored' signals, 'limits' by name,
'terminal' (a session of its own, the command in the foreground), 'pass' (descriptors), 'setup' (Python). Steps:
  ['expect', text]         waits until it has written that since the last time
  ['send', pid|group, n]   sends a signal
  ['type', text]           types, or writes to its stdin
  ['see']                  waits for its next stop or its end
  ['continue', pid|group]  SIGCONT; with a terminal, to the foreground
  ['background']           takes the terminal away from it
  ['sleep', seconds]
"""
import fcntl, json, os, pty, resource, select, signal, sys, termios, time

WAIT = 30
spec = json.loads(sys.argv[1])
terminal = spec.get('terminal')
seen, output, errors = [], b'', b''


def prepare():
    for number in spec.get('ignored', []):
        signal.signal(number, signal.SIG_IGN)
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        if number not in spec.get('ignored', []):
            signal.signal(number, signal.SIG_DFL)
    for name, pair in spec.get('limits', {}).items():
        resource.setrlimit(getattr(resource, name), tuple(pair))
    exec(spec.get('setup', ''))


def start():
    """The pid, and our ends of its stdin, stdout and stderr."""
    if terminal:
        master, slave = pty.openpty()
        os.setsid()
        fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
        signal.signal(signal.SIGTTOU, signal.SIG_IGN)
        pipes = [slave, slave, slave]
        ours = [master, master, None]
    else:
        (child_in, our_in), (our_out, child_out), (our_err, child_err) = os.pipe(), os.pipe(), os.pipe()
        pipes, ours = [child_in, child_out, child_err], [our_in, our_out, our_err]
    pid = os.fork()
    if pid == 0:
        os.setpgid(0, 0)
        if terminal:
            os.tcsetpgrp(slave, os.getpid())
            signal.signal(signal.SIGTTOU, signal.SIG_DFL)
        high = [fcntl.fcntl(fd, fcntl.F_DUPFD, 100) for fd in pipes]
        for number, fd in enumerate(high):
            os.dup2(fd, number)
        keep = spec.get('pass', [])
        for fd in range(3, 256):
            if fd not in keep:
                try:
                    os.close(fd)
                except OSError:
                    pass
        for fd in keep:
            os.dup2(os.open('/etc/passwd', os.O_RDONLY), fd)
            os.set_inheritable(fd, True)
        prepare()
        os.execvp(spec['command'][0], spec['command'])
    try:
        os.setpgid(pid, pid)
    except OSError:
        pass
    if not terminal:
        for fd in pipes:
            os.close(fd)
    return pid, ours


def read(timeout):
    global output, errors
    fds = [fd for fd in (ours[1], ours[2]) if fd is not None]
    for fd in select.select(fds, [], [], timeout)[0]:
        try:
            data = os.read(fd, 65536)
        except OSError:
            data = b''
        if fd == ours[1]:
            output += data
            if not data:
                ours[1] = None
        else:
            errors += data
            if not data:
                ours[2] = None


def see(flags):
    end = time.time() + WAIT
    while time.time() < end:
        done, status = os.waitpid(pid, flags | os.WNOHANG)
        if done:
            if os.WIFSTOPPED(status):
                return ['stopped', os.WSTOPSIG(status)]
            if os.WIFCONTINUED(status):
                return ['continued']
            if os.WIFSIGNALED(status):
                return ['signal', os.WTERMSIG(status)]
            return ['exit', os.WEXITSTATUS(status)]
        read(0.01)
    return ['nothing']


pid, ours = start()
place = 0
ended = None
for verb, *words in spec['steps']:
    target = pid if words[:1] == ['pid'] else -pid
    if verb == 'expect':
        end = time.time() + WAIT
        text = words[0].encode()
        while text not in output[place:] and time.time() < end and (ours[1] is not None):
            read(0.1)
        found = output.find(text, place)
        if found < 0:
            seen.append(['missing', words[0]])
            break
        place = found + len(text)
    elif verb == 'send':
        os.kill(target, words[1])
    elif verb == 'type':
        os.write(ours[0], words[0].encode())
    elif verb == 'close':
        os.close(ours[0])
    elif verb == 'see':
        ended = see(os.WUNTRACED)
        seen.append(ended)
    elif verb == 'continue':
        if terminal:
            os.tcsetpgrp(ours[0], pid)
        os.kill(target, signal.SIGCONT)
        if words[1:] == ['see']:
            seen.append(see(os.WCONTINUED))
    elif verb == 'background':
        os.tcsetpgrp(ours[0], os.getpgrp())
    elif verb == 'sleep':
        time.sleep(words[0])
if ended is None or ended[0] == 'stopped' or ended == ['nothing']:
    ended = see(0)
    if ended == ['nothing']:
        os.kill(pid, signal.SIGKILL)
        os.kill(-pid, signal.SIGKILL)
    seen.append(ended)
end = time.time() + 5
while (ours[1] is not None or ours[2] is not None) and time.time() < end:
    read(0.1)
    if terminal and not select.select([ours[0]], [], [], 0.1)[0]:
        break
print(json.dumps({'seen': seen, 'stdout': output.decode('latin1'), 'stderr': errors.decode('latin1')}))
