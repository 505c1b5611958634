# Enters a job with net-ssh, net-sftp and net-scp, and prints what it saw as JSON.
# Arguments: what sshjob ssh-config has printed, host, a port here that echoes, a folder of the job, and 'scp'.
require 'json'
require 'digest'
require 'net/ssh'
require 'net/sftp'
require 'net/scp'
require 'socket'

config, host, echo_port, folder, scp = ARGV
result = {}
options = { config: [config], use_agent: false, verify_host_key: :always, non_interactive: true }
Net::SSH.start(host, 'anybody', options) do |ssh|
  run = lambda do |command, input = nil, setup = ->(channel) {}|
    seen = { stdout: +'', stderr: +'' }
    ssh.open_channel do |channel|
      setup.call(channel)
      channel.exec(command) do |started, ok|
        raise 'not started' unless ok
        started.on_data { |_, data| seen[:stdout] << data }
        started.on_extended_data { |_, _, data| seen[:stderr] << data }
        started.on_request('exit-status') { |_, data| seen[:status] = data.read_long }
        started.on_request('exit-signal') { |_, data| seen[:signal] = data.read_string }
        if input
          started.send_data(input)
          started.eof!
        end
      end
    end
    ssh.loop
    seen
  end
  setenv = ->(channel) { channel.env('MINE', 'a b') }
  result['command'] = run.call('echo $MINE; echo err >&2; exit 7', nil, setenv).values
  result['signal'] = run.call('kill -TERM $$')[:signal]
  data = Random.bytes(5_000_001)
  result['same'] = Digest::SHA256.digest(run.call('cat', data)[:stdout]) == Digest::SHA256.digest(data)
  pty = ->(channel) { channel.request_pty(term: 'vt100', chars_wide: 90, chars_high: 30) }
  result['terminal'] = run.call('stty size; echo $TERM', nil, pty)[:stdout].split

  local = File.join(folder, 'local')
  File.binwrite(local, data)
  ssh.sftp.upload!(local, "#{folder}/ruby")
  ssh.sftp.rename!("#{folder}/ruby", "#{folder}/renamed")
  result['file'] = Digest::SHA256.digest(ssh.sftp.download!("#{folder}/renamed")) == Digest::SHA256.digest(data)
  result['names'] = ssh.sftp.dir.entries(folder).map(&:name).reject { |name| name.start_with?('.') }.sort
  # It runs the job's own scp, which wants an account.
  if scp == 'scp'
    ssh.scp.upload!(local, "#{folder}/by-scp")
    result['scp'] = Digest::SHA256.digest(ssh.scp.download!("#{folder}/by-scp")) == Digest::SHA256.digest(data)
  end

  here = ssh.forward.local('127.0.0.1', 0, 'localhost', echo_port.to_i)
  answer = Thread.new do
    socket = TCPSocket.new('127.0.0.1', here)
    socket.write('echo')
    socket.read(4).tap { socket.close }
  end
  ssh.loop(0.01) { answer.alive? }
  result['forwarded'] = answer.value
end
puts JSON.generate(result)
