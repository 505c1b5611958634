"""Enters a job with paramiko, and prints what it saw as JSON. Arguments: the proxy's command, key, known_hosts."""
import hashlib, json, os, sys, threading, time, warnings

warnings.simplefilter('ignore')
import paramiko

proxy, identity, known_hosts = sys.argv[1:]
HOST = 'train.job'


def connect():
    transport = paramiko.Transport(paramiko.ProxyCommand(proxy))
    transport.start_client(timeout=30)
    # The proxy has written the key of this session down before the first byte of SSH came through.
    hosts = paramiko.HostKeys(known_hosts)
    key = transport.get_remote_server_key()
    if not hosts.check(HOST, key):
        raise SystemExit('the host key is not in known_hosts')
    transport.auth_publickey('anybody', paramiko.Ed25519Key.from_private_key_file(identity))
    return transport


def session(transport, command):
    channel = transport.open_session()
    channel.settimeout(60)
    channel.exec_command(command)
    return channel


def read_all(recv):
    chunks = []
    while True:
        chunk = recv(65536)
        if not chunk:
            return b''.join(chunks)
        chunks.append(chunk)


def read_until(channel, text):
    seen = b''
    while text not in seen:
        chunk = channel.recv(4096)
        if not chunk:
            raise SystemExit(f'the output ended without {text}: {seen}')
        seen += chunk
    return seen


result = {}
transport = connect()
transport.set_keepalive(1)

channel = session(transport, 'echo out; echo err >&2; exit 7')
result['stdout'] = read_all(channel.recv).decode()
result['stderr'] = read_all(channel.recv_stderr).decode()
result['status'] = channel.recv_exit_status()

# paramiko knows no exit-signal: it says -1.
channel = session(transport, 'kill -TERM $$')
result['signal'] = channel.recv_exit_status()

channel = transport.open_session()
channel.set_environment_variable('MINE', 'a b')
channel.exec_command('echo $MINE')
result['environment'] = read_all(channel.recv).decode()

data = os.urandom(10_000_000)
channel = session(transport, 'cat')
writer = threading.Thread(target=lambda: (channel.sendall(data), channel.shutdown_write()))
writer.start()
result['same'] = hashlib.sha256(read_all(channel.recv)).digest() == hashlib.sha256(data).digest()
writer.join()

channels = [session(transport, f'sleep 0.1; exit {n}') for n in range(10)]
result['channels'] = [channel.recv_exit_status() for channel in channels]

channel = transport.open_session()
channel.get_pty('vt100', 90, 30)
channel.exec_command("stty size; echo $TERM; trap 'stty size; exit 5' WINCH; echo ready; while :; do sleep 0.05; done")
result['terminal'] = read_until(channel, b'ready').decode().split()[:3]
channel.resize_pty(120, 40)
result['resized'] = read_until(channel, b'40 120').decode().split()[-2:]
result['terminal status'] = channel.recv_exit_status()

channel = transport.open_session()
channel.get_pty()
channel.invoke_shell()
channel.sendall(b'echo a$((1+1))b; exit 3\n')
read_until(channel, b'a2b')
result['shell status'] = channel.recv_exit_status()

# paramiko stops for good where a channel is closed while it exchanges keys: its reader waits for itself.
while not channel.closed:
    time.sleep(0.01)
# A channel counts as closed a moment before its reader has answered; this answer comes to the reader after that.
transport.global_request('keepalive@openssh.com', wait=True)
transport.renegotiate_keys()
result['after new keys'] = read_all(session(transport, 'echo still').recv).decode()
transport.close()
print(json.dumps(result))
