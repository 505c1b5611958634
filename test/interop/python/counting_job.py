"""A job that says which signals it gets, and ends with the status that it is given on stdin."""
import os, signal, sys

left_alone = {signal.SIGKILL, signal.SIGSTOP, signal.SIGCHLD, 32, 33}
stops = {signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU}


def say(text):
    os.write(1, f'{text}\n'.encode())


for number in range(1, 65):
    if number in left_alone or ('stops' not in sys.argv and number in stops):
        continue
    if signal.getsignal(number) == signal.SIG_IGN and number not in (signal.SIGPIPE, signal.SIGXFSZ):
        continue
    signal.signal(number, lambda got, frame: say(f'got {got}'))
say('ready')
for line in sys.stdin:
    word = line.strip()
    if word.startswith('exit'):
        sys.exit(int(word.split()[1]))
    say(f'read {word}')
