// Enters a job with golang.org/x/crypto/ssh and github.com/pkg/sftp, and prints what it saw as JSON.
// Arguments: the proxy's command, key, known_hosts, host, a port here that echoes, a folder of the job.
package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"math/rand"
	"net"
	"os"
	"os/exec"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

func must[T any](value T, err error) T {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	return value
}

func check(err error) { must(0, err) }

// The input and output of a command, as a connection.
type commandConn struct {
	io.ReadCloser
	io.WriteCloser
}

type address string

func (a address) Network() string                       { return "command" }
func (a address) String() string                        { return string(a) + ":22" }
func (c commandConn) Close() error                      { c.ReadCloser.Close(); return c.WriteCloser.Close() }
func (c commandConn) LocalAddr() net.Addr               { return address("here") }
func (c commandConn) RemoteAddr() net.Addr              { return address(os.Args[4]) }
func (c commandConn) SetDeadline(t time.Time) error      { return nil }
func (c commandConn) SetReadDeadline(t time.Time) error  { return nil }
func (c commandConn) SetWriteDeadline(t time.Time) error { return nil }

func connect(proxy, identity, hosts, host string) *ssh.Client {
	command := exec.Command("sh", "-c", "exec "+proxy)
	command.Stderr = os.Stderr
	conn := commandConn{must(command.StdoutPipe()), must(command.StdinPipe())}
	check(command.Start())
	config := &ssh.ClientConfig{
		User: "anybody",
		Auth: []ssh.AuthMethod{ssh.PublicKeys(must(ssh.ParsePrivateKey(must(os.ReadFile(identity)))))},
		// Read when the key is here: the proxy has written that of this session down by then.
		HostKeyCallback: func(name string, remote net.Addr, key ssh.PublicKey) error {
			known, err := knownhosts.New(hosts)
			if err != nil {
				return err
			}
			return known(name, remote, key)
		},
	}
	c, channels, requests := func() (ssh.Conn, <-chan ssh.NewChannel, <-chan *ssh.Request) {
		c, channels, requests, err := ssh.NewClientConn(conn, host+":22", config)
		check(err)
		return c, channels, requests
	}()
	return ssh.NewClient(c, channels, requests)
}

func main() {
	result := map[string]any{}
	client := connect(os.Args[1], os.Args[2], os.Args[3], os.Args[4])
	echoPort, folder := os.Args[5], os.Args[6]

	session := must(client.NewSession())
	var stdout, stderr bytes.Buffer
	session.Stdout, session.Stderr = &stdout, &stderr
	check(session.Setenv("MINE", "a b"))
	status := session.Run("echo $MINE; echo err >&2; exit 7").(*ssh.ExitError).ExitStatus()
	result["command"] = []any{stdout.String(), stderr.String(), status}
	result["signal"] = must(client.NewSession()).Run("kill -TERM $$").(*ssh.ExitError).Signal()

	data := make([]byte, 20_000_001)
	rand.Read(data)
	session = must(client.NewSession())
	session.Stdin = bytes.NewReader(data)
	result["same"] = sha256.Sum256(must(session.Output("cat"))) == sha256.Sum256(data)

	var group sync.WaitGroup
	var lock sync.Mutex
	statuses := 0
	for n := 1; n <= 20; n++ {
		group.Add(1)
		go func(n int) {
			defer group.Done()
			status := must(client.NewSession()).Run(fmt.Sprintf("sleep 0.1; exit %d", n)).(*ssh.ExitError).ExitStatus()
			lock.Lock()
			statuses += status
			lock.Unlock()
		}(n)
	}
	group.Wait()
	result["statuses of 20 at once"] = statuses

	session = must(client.NewSession())
	check(session.RequestPty("vt100", 30, 90, ssh.TerminalModes{ssh.ECHO: 0}))
	output := must(session.StdoutPipe())
	check(session.Start("stty size; echo $TERM; stty -a | grep -o -- '-echo '; trap 'stty size; exit 5' WINCH; echo ready; while :; do sleep 0.05; done"))
	seen := ""
	read := func(until string) {
		for buffer := make([]byte, 4096); !strings.Contains(seen, until); {
			n := must(output.Read(buffer))
			seen += string(buffer[:n])
		}
	}
	read("ready")
	check(session.WindowChange(40, 120))
	read("40 120")
	result["terminal"] = strings.Fields(seen)
	result["terminal status"] = session.Wait().(*ssh.ExitError).ExitStatus()

	files := must(sftp.NewClient(client))
	file := must(files.Create(folder + "/go"))
	must(file.ReadFrom(bytes.NewReader(data)))
	check(file.Close())
	check(files.PosixRename(folder+"/go", folder+"/renamed"))
	file = must(files.Open(folder + "/renamed"))
	hash := sha256.New()
	must(file.WriteTo(hash))
	sum := sha256.Sum256(data)
	result["file"] = bytes.Equal(hash.Sum(nil), sum[:])
	check(files.MkdirAll(folder + "/made/inner"))
	check(files.Symlink("renamed", folder+"/link"))
	names := []string{}
	for _, entry := range must(files.ReadDir(folder)) {
		names = append(names, entry.Name())
	}
	sort.Strings(names)
	result["names"] = names
	result["free"] = must(files.StatVFS(folder)).FreeSpace() > 0
	_, err := files.Stat(folder + "/missing")
	result["missing"] = os.IsNotExist(err)

	echo := func(conn net.Conn) string {
		fmt.Fprint(conn, "echo")
		buffer := make([]byte, 4)
		must(io.ReadFull(conn, buffer))
		conn.Close()
		return string(buffer)
	}
	result["forwarded"] = echo(must(client.Dial("tcp", "localhost:"+echoPort)))
	listener := must(client.Listen("tcp", "localhost:0"))
	go func() {
		conn := must(listener.Accept())
		must(io.Copy(conn, conn))
		conn.Close()
	}()
	result["forwarded back"] = echo(must(client.Dial("tcp", listener.Addr().String())))
	check(client.Close())
	check(json.NewEncoder(os.Stdout).Encode(result))
}
