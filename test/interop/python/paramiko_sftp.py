"""Copies files with paramiko's SFTPClient, and prints what it saw as JSON. Arguments: proxy command, key, known_hosts, folder."""
import hashlib, json, os, sys, warnings

warnings.simplefilter('ignore')
import paramiko

proxy, identity, known_hosts, folder = sys.argv[1:]
transport = paramiko.Transport(paramiko.ProxyCommand(proxy))
transport.start_client(timeout=30)
if not paramiko.HostKeys(known_hosts).check('train.job', transport.get_remote_server_key()):
    raise SystemExit('the host key is not in known_hosts')
transport.auth_publickey('anybody', paramiko.Ed25519Key.from_private_key_file(identity))
sftp = paramiko.SFTPClient.from_transport(transport)
data = os.urandom(3_000_001)
result = {}
sftp.mkdir(f'{folder}/p', 0o750)
sftp.chdir(f'{folder}/p')
with sftp.open('data', 'wb') as file:
    file.set_pipelined(True)
    file.write(data)
with sftp.open('data', 'rb') as file:
    file.prefetch()
    result['same'] = hashlib.sha256(file.read()).digest() == hashlib.sha256(data).digest()
with sftp.open('data', 'r+b') as file:
    file.seek(1_000_000)
    file.write(b'patch')
    file.seek(999_999)
    result['patched'] = file.read(7)[1:6].decode()
with sftp.open('data', 'ab') as file:
    file.write(b'tail')
result['size'] = sftp.stat('data').st_size
sftp.symlink('data', 'link')
result['link'] = sftp.readlink('link')
sftp.posix_rename('link', 'renamed')
sftp.chmod('data', 0o604)
sftp.utime('data', (1, 2))
result['mode'] = oct(sftp.stat('data').st_mode)
result['listed'] = sorted(entry.filename for entry in sftp.listdir_attr('.'))
try:
    sftp.stat('missing')
except FileNotFoundError:
    result['missing'] = True
transport.close()
print(json.dumps(result))
