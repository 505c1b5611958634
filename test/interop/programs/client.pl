# Enters a job with Net::SSH2, and prints what it saw as JSON.
# Arguments: the proxy's command, key, known_hosts, host, a port here that echoes, a folder of the job.
use strict;
use warnings;
use Digest::SHA qw(sha256_hex);
use Fcntl qw(O_WRONLY O_CREAT);
use JSON::PP;
use MIME::Base64 qw(decode_base64);
use Net::SSH2;
use Socket;

my ($proxy, $identity, $known_hosts, $host, $echo_port, $folder) = @ARGV;
my %result;

# libssh2 takes a socket: the proxy gets the other end as its input and output.
socketpair(my $ours, my $theirs, AF_UNIX, SOCK_STREAM, PF_UNSPEC) or die $!;
my $pid = fork // die $!;
if ($pid == 0) {
    open STDIN, '<&', $theirs;
    open STDOUT, '>&', $theirs;
    close $_ for $ours, $theirs;
    exec 'sh', '-c', "exec $proxy" or die $!;
}
close $theirs;

my $ssh = Net::SSH2->new(timeout => 60_000);
$ssh->connect($ours) or $ssh->die_with_error;
# The proxy has written the keys of this session down before the first byte of SSH came through.
open my $file, '<', $known_hosts or die $!;
my %known = map { decode_base64((split)[2]) => 1 } grep { (split)[0] eq $host } <$file>;
my ($seen) = $ssh->remote_hostkey;
$known{$seen} or die 'the host key is not in known_hosts';
$ssh->auth_publickey('anybody', undef, $identity) or $ssh->die_with_error;

sub run {
    my ($command, %more) = @_;
    my $channel = $ssh->channel or $ssh->die_with_error;
    $channel->setenv(%{ $more{env} }) if $more{env};
    $channel->pty(@{ $more{pty} }) if $more{pty};
    $channel->exec($command) or $ssh->die_with_error;
    # It is less than a window: all of it can be sent before anything is read.
    if (defined(my $input = $more{input})) {
        for (my $at = 0; $at < length $input;) { $at += $channel->write(substr $input, $at, 32768) }
        $channel->send_eof;
    }
    my ($out, $err) = ('', '');
    until ($channel->eof) {
        my ($more_out, $more_err) = $channel->read2(65536) or last;
        $out .= $more_out;
        $err .= $more_err;
    }
    $channel->close;
    $channel->wait_closed;
    return [$out, $err, $channel->exit_status];
}

$result{command} = run('echo $MINE; echo err >&2; exit 7', env => { MINE => 'a b' });
my $data = join '', map { pack 'N', rand 2**32 } 1 .. 250_000;
$result{same} = sha256_hex(run('cat', input => $data)->[0]) eq sha256_hex($data) ? \1 : \0;
$result{terminal} = [split ' ', run('stty size; echo $TERM', pty => ['vt100', undef, 90, 30])->[0]];

my $sftp = $ssh->sftp or $ssh->die_with_error;
my $up = $sftp->open("$folder/perl", O_WRONLY | O_CREAT) or $sftp->die_with_error;
for (my $at = 0; $at < length $data;) { $at += $up->write(substr $data, $at, 30_000) }
undef $up;
$sftp->rename("$folder/perl", "$folder/renamed") or $sftp->die_with_error;
my $down = $sftp->open("$folder/renamed") or $sftp->die_with_error;
my $read = '';
while ($down->read(my $buffer, 65536)) { $read .= $buffer }
$result{file} = $read eq $data ? \1 : \0;
my $dir = $sftp->opendir($folder) or $sftp->die_with_error;
my @names;
while (my $entry = $dir->read) { push @names, $entry->{name} unless $entry->{name} =~ /^\./ }
$result{names} = [sort @names];


my $tunnel = $ssh->tcpip('localhost', $echo_port) or $ssh->die_with_error;
$tunnel->write('echo');
$tunnel->read(my $echoed, 4);
$result{forwarded} = $echoed;
$ssh->disconnect;
close $ours;
waitpid $pid, 0;
print JSON::PP->new->encode(\%result), "\n";

