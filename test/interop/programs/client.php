<?php
// Enters a job with phpseclib 2, and prints what it saw as JSON.
// Arguments: the server's command, an RSA key, the line of the host key, a folder of the job.
use phpseclib\Crypt\RSA;
use phpseclib\Net\SFTP;

require 'phpseclib/autoload.php';
error_reporting(E_ALL & ~E_DEPRECATED);
[, $command, $identity, $hostKey, $folder] = $argv;
$result = [];

function connect($class, $command, $identity, $hostKey)
{
    // It takes a stream: the command gets the other end as its input and output.
    [$ours, $theirs] = stream_socket_pair(STREAM_PF_UNIX, STREAM_SOCK_STREAM, 0);
    proc_open("exec $command", [$theirs, $theirs, STDERR], $pipes);
    fclose($theirs);
    $ssh = new $class($ours);
    $ssh->setTimeout(60);
    // It names the signature where the type of the key stands.
    if (explode(' ', $ssh->getServerPublicHostKey())[1] !== explode(' ', $hostKey)[1]) {
        exit('another host key');
    }
    $key = new RSA();
    $key->loadKey(file_get_contents($identity));
    $ssh->login('anybody', $key) or exit('no login');
    return $ssh;
}

$sftp = connect(SFTP::class, $command, $identity, $hostKey);
$sftp->enableQuietMode();
$stdout = $sftp->exec('echo out; echo err >&2; exit 7');
$result['command'] = [$stdout, $sftp->getStdError(), $sftp->getExitStatus()];
$data = random_bytes(3000001);
$sftp->put("$folder/php", $data);
$sftp->rename("$folder/php", "$folder/renamed");
$result['file'] = $sftp->get("$folder/renamed") === $data;
$result['same'] = $sftp->exec("cat $folder/renamed") === $data;
$names = array_diff($sftp->nlist($folder), ['.', '..']);
sort($names);
$result['names'] = $names;
$result['missing'] = $sftp->stat("$folder/missing");
echo json_encode($result), "\n";
