"""Enters a job with asyncssh, and prints what it saw as JSON. Arguments: the proxy's command, key, known_hosts."""
import asyncio, hashlib, json, os, shlex, sys, warnings

warnings.simplefilter('ignore')
import asyncssh

proxy, identity, known_hosts = sys.argv[1:]
HOST = 'train.job'


class Client(asyncssh.SSHClient):
    def validate_host_public_key(self, host, addr, port, key):
        # The proxy has written the key of this session down before the first byte of SSH came through.
        line = f'{HOST} {key.export_public_key().decode().strip()}'
        return line in open(known_hosts).read().split('\n')


async def interact():
    result = {}
    options = dict(
        client_factory=Client, known_hosts=([], [], []), username='anybody', client_keys=[identity], config=None,
        proxy_command=shlex.split(proxy), keepalive_interval=1, agent_path=None,
    )
    async with asyncssh.connect(HOST, **options) as connection:
        done = await connection.run('echo out; echo err >&2; exit 7')
        result['result'] = [done.stdout, done.stderr, done.exit_status]
        done = await connection.run('kill -SEGV $$')
        result['signal'] = [done.exit_signal[0], done.exit_signal[2], done.returncode]

        process = await connection.create_process("trap 'echo got it; exit 4' USR1; echo ready; while :; do sleep 0.05; done")
        await process.stdout.readline()
        process.send_signal('USR1')
        result['sent signal'] = [await process.stdout.read(), (await process.wait()).exit_status]
        process = await connection.create_process('exec sleep 1000')
        process.kill()
        result['killed'] = (await process.wait()).exit_signal[0]

        done = await connection.run('echo $MINE', env={'MINE': 'a b'})
        result['environment'] = done.stdout

        data = os.urandom(10_000_000)
        done = await connection.run('cat', input=data, encoding=None)
        result['same'] = hashlib.sha256(done.stdout).digest() == hashlib.sha256(data).digest()

        many = await asyncio.gather(*(connection.run(f'sleep 0.1; exit {n}') for n in range(10)))
        result['channels'] = [done.exit_status for done in many]

        command = "stty size; echo $TERM; trap 'stty size; exit 5' WINCH; echo ready; while :; do sleep 0.05; done"
        process = await connection.create_process(command, term_type='vt100', term_size=(90, 30, 900, 600))
        result['terminal'] = (await process.stdout.readuntil('ready\r\n')).split()[:3]
        process.change_terminal_size(120, 40)
        result['resized'] = (await process.stdout.readline()).split()
        result['terminal status'] = (await process.wait()).exit_status

        modes = {asyncssh.PTY_VERASE: 8, asyncssh.PTY_IXON: 0}
        done = await connection.run('stty -a', term_type='vt100', term_modes=modes)
        result['modes'] = ['erase = ^H' in done.stdout, ' -ixon' in done.stdout]

        # A pseudo-terminal has no line to break; the session must live on.
        process = await connection.create_process('read line; echo "$line"', term_type='vt100')
        process.send_break(100)
        process.stdin.write('after the break\n')
        result['after a break'] = (await process.wait()).stdout.split('\n')[-2].strip()

        try:
            await connection.open_connection('localhost', 1)
        except asyncssh.ChannelOpenError as error:
            result['refused port'] = error.reason
    print(json.dumps(result))


asyncio.run(interact())
