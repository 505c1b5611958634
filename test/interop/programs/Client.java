// Enters a job with JSch, and prints what it saw, a line each.
// Arguments: the proxy's command, key, known_hosts, host, a port here that echoes, a folder of the job.
import com.jcraft.jsch.*;
import java.io.*;
import java.net.Socket;
import java.util.*;

public class Client {
    // The input and output of a command, in the place of a connection.
    static class CommandProxy implements Proxy {
        final String command;
        final JSch jsch;
        final String knownHosts;
        Process process;
        InputStream input;

        CommandProxy(String command, JSch jsch, String knownHosts) {
            this.command = command;
            this.jsch = jsch;
            this.knownHosts = knownHosts;
        }

        public void connect(SocketFactory factory, String host, int port, int timeout) throws Exception {
            process = new ProcessBuilder("sh", "-c", "exec " + command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
            input = new BufferedInputStream(process.getInputStream());
            // The proxy has written the keys of this session down before the first byte of SSH comes through.
            input.mark(1);
            input.read();
            input.reset();
            jsch.setKnownHosts(knownHosts);
        }

        public InputStream getInputStream() {
            return input;
        }

        public OutputStream getOutputStream() {
            return process.getOutputStream();
        }

        public Socket getSocket() {
            return null;
        }

        public void close() {
            process.destroy();
        }
    }

    static byte[] run(Session session, String command, byte[] input, String what) throws Exception {
        ChannelExec channel = (ChannelExec) session.openChannel("exec");
        channel.setCommand(command);
        channel.setEnv("MINE", "a b");
        ByteArrayOutputStream errors = new ByteArrayOutputStream();
        channel.setErrStream(errors);
        channel.setInputStream(new ByteArrayInputStream(input));
        InputStream output = channel.getInputStream();
        channel.connect(30000);
        byte[] read = output.readAllBytes();
        while (!channel.isClosed()) Thread.sleep(10);
        if (what != null) System.out.println(what + " " + new String(read).trim() + " " + errors.toString().trim() + " " + channel.getExitStatus());
        channel.disconnect();
        return read;
    }

    public static void main(String[] args) throws Exception {
        JSch jsch = new JSch();
        jsch.addIdentity(args[1]);
        Session session = jsch.getSession("anybody", args[3]);
        session.setProxy(new CommandProxy(args[0], jsch, args[2]));
        session.setConfig("StrictHostKeyChecking", "yes");
        session.setConfig("PreferredAuthentications", "publickey");
        session.setConfig("server_host_key", "ecdsa-sha2-nistp256");
        session.connect(30000);
        run(session, "echo $MINE; echo err >&2; exit 7", new byte[0], "command");
        byte[] data = new byte[3000001];
        new java.util.Random().nextBytes(data);
        System.out.println("same " + Arrays.equals(data, run(session, "cat", data, null)));

        ChannelShell shell = (ChannelShell) session.openChannel("shell");
        shell.setPtyType("vt100", 90, 30, 0, 0);
        shell.setInputStream(new ByteArrayInputStream("stty size; echo $TERM; exit 3\n".getBytes()));
        InputStream screen = shell.getInputStream();
        shell.connect(30000);
        String seen = new String(screen.readAllBytes());
        while (!shell.isClosed()) Thread.sleep(10);
        System.out.println("shell " + seen.contains("30 90\r\nvt100") + " " + shell.getExitStatus());

        ChannelSftp sftp = (ChannelSftp) session.openChannel("sftp");
        sftp.connect(30000);
        sftp.cd(args[5]);
        sftp.put(new ByteArrayInputStream(data), "java");
        sftp.rename("java", "renamed");
        System.out.println("file " + Arrays.equals(data, sftp.get("renamed").readAllBytes()));
        TreeSet<String> names = new TreeSet<>();
        for (Object entry : sftp.ls(".")) names.add(((ChannelSftp.LsEntry) entry).getFilename());
        names.removeAll(Set.of(".", ".."));
        System.out.println("names " + names);
        sftp.disconnect();

        int here = session.setPortForwardingL(0, "localhost", Integer.parseInt(args[4]));
        try (Socket socket = new Socket("127.0.0.1", here)) {
            socket.getOutputStream().write("echo".getBytes());
            System.out.println("forwarded " + new String(socket.getInputStream().readNBytes(4)));
        }
        session.disconnect();
    }
}
