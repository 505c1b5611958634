"""Copies files with asyncssh, and prints what it saw as JSON. Arguments: proxy command, key, known_hosts, folder."""
import asyncio, json, os, shlex, sys, warnings

warnings.simplefilter('ignore')
import asyncssh

proxy, identity, known_hosts, folder = sys.argv[1:]


class Client(asyncssh.SSHClient):
    def validate_host_public_key(self, host, addr, port, key):
        line = f'train.job {key.export_public_key().decode().strip()}'
        return line in open(known_hosts).read().split('\n')


async def interact():
    result = {}
    options = dict(
        client_factory=Client, known_hosts=([], [], []), username='anybody', client_keys=[identity], config=None,
        proxy_command=shlex.split(proxy), agent_path=None,
    )
    source = f'{folder}/source'
    os.makedirs(f'{source}/inner')
    data = os.urandom(3_000_001)
    open(f'{source}/data', 'wb').write(data)
    for n in range(100):
        open(f'{source}/inner/{n}', 'w').write(str(n))
    async with asyncssh.connect('train.job', **options) as connection:
        async with connection.start_sftp_client() as sftp:
            await sftp.put(source, f'{folder}/there', recurse=True, preserve=True)
            await sftp.get(f'{folder}/there', f'{folder}/back', recurse=True, preserve=True)
            result['same'] = open(f'{folder}/back/data', 'rb').read() == data
            result['files'] = len(os.listdir(f'{folder}/back/inner'))
            result['listed'] = len(await sftp.listdir(f'{folder}/there/inner'))
            await sftp.makedirs(f'{folder}/a/b/c')
            await sftp.rmtree(f'{folder}/a')
            result['removed'] = not os.path.exists(f'{folder}/a')
            result['bytes'] = (await sftp.statvfs(folder)).bsize > 0
    print(json.dumps(result))


asyncio.run(interact())
