package sandbox

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"satchel/internal/sandbox/probe"
	"satchel/internal/spec"
)

// A scene is what the probe attacks: files, servers and a sibling process with a secret, all of them there for who is
// not held.
type scene struct {
	dir     string
	setup   probe.Setup
	victim  *exec.Cmd
	gone    chan struct{} // closed when the victim has ended
	leash   *os.File      // the victim ends when this is closed
	closers []func() error
}

func newScene() (*scene, error) {
	dir, err := sceneFolder(os.TempDir())
	if err != nil {
		return nil, err
	}
	at := func(name string) string { return filepath.Join(dir, name) }
	s := &scene{dir: dir, setup: probe.Setup{
		Secret: "secret-" + rand.Text(), Outside: at("outside/secret"), Read: at("read"), Write: at("write"), Own: at("own"), Bundle: at("bundle"),
		Protected: at("read/private"), Late: at("read/late"), First: 1, Parent: os.Getpid(), Abstract: "satchel-probe-" + rand.Text(),
		Socket: at("write/socket"), Program: ungranted(runtime.GOOS),
	}}
	if err := errors.Join(s.files(), s.servers(), s.sibling()); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

// longestFolder is how long the path of a scene's folder may be: a socket's path has room for 104 bytes on some systems.
const longestFolder = 80

// sceneFolder makes the folder of a scene below temp, or where the path is too long for a socket, below /tmp.
func sceneFolder(temp string) (string, error) {
	dir, err := os.MkdirTemp(temp, "satchel-probe-")
	if err != nil {
		return "", err
	}
	real, err := realPath(dir)
	if err != nil || len(real) <= longestFolder || runtime.GOOS == "windows" || temp == "/tmp" {
		return real, err
	}
	if err := os.Remove(dir); err != nil {
		return "", err
	}
	return sceneFolder("/tmp")
}

// ungranted is a program that every machine of a system has. It ends when it has nothing to read.
func ungranted(system string) string {
	if system == "windows" {
		return `C:\Windows\System32\cmd.exe`
	}
	return "/bin/sh"
}

func (s *scene) close() error {
	var errs []error
	for _, c := range s.closers {
		errs = append(errs, c())
	}
	if s.victim != nil {
		s.leash.Close()
		_ = s.victim.Process.Kill() // an attack may have stopped it
		_ = s.victim.Wait()
	}
	return errors.Join(append(errs, os.RemoveAll(s.dir))...)
}

func (s *scene) files() error {
	var errs []error
	for _, dir := range []string{"outside", "read/private", "write/.git/hooks", "bundle", "own"} {
		errs = append(errs, os.MkdirAll(filepath.Join(s.dir, dir), 0o700))
	}
	for _, name := range []string{"outside/secret", "read/private/secret"} {
		errs = append(errs, os.WriteFile(filepath.Join(s.dir, name), []byte(s.setup.Secret), 0o600))
	}
	for _, name := range []string{"read/plain", "write/plain", "bundle/plain"} {
		errs = append(errs, os.WriteFile(filepath.Join(s.dir, name), []byte("plain"), 0o600))
	}
	return errors.Join(errs...)
}

// servers listen where a server without walls would find them.
func (s *scene) servers() error {
	var err error
	if s.setup.TCP4, err = s.listen("tcp4", "127.0.0.1:0"); err != nil {
		return err
	}
	// A machine need not have the others: then its probe has no ground for the lines that need them, and says so.
	s.setup.TCP6, _ = s.listen("tcp6", "[::1]:0")
	s.setup.UDP4, _ = s.datagrams("udp4", "127.0.0.1:0")
	s.setup.UDP6, _ = s.datagrams("udp6", "[::1]:0")
	if address := ownAddress(); address != "" {
		port, err := s.listen("tcp4", net.JoinHostPort(address, "0"))
		if err != nil {
			return err
		}
		s.setup.Address4 = net.JoinHostPort(address, strconv.Itoa(port))
	}
	if runtime.GOOS == "linux" {
		if _, err := s.listen("unix", "@"+s.setup.Abstract); err != nil {
			return err
		}
	}
	if _, err := s.listen("unix", s.setup.Socket); err != nil {
		s.setup.Socket = "" // an older Windows
	}
	return nil
}

// ownAddress gives an address of this machine that is no loopback.
func ownAddress() string {
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		return ""
	}
	for _, a := range addresses {
		if ip, ok := a.(*net.IPNet); ok && ip.IP.To4() != nil && !ip.IP.IsLoopback() {
			return ip.IP.String()
		}
	}
	return ""
}

// listen answers every connection with the secret.
func (s *scene) listen(network, address string) (port int, err error) {
	l, err := net.Listen(network, address)
	if err != nil {
		return 0, err
	}
	s.closers = append(s.closers, l.Close)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = c.Write([]byte(s.setup.Secret))
			c.Close()
		}
	}()
	if tcp, ok := l.Addr().(*net.TCPAddr); ok {
		return tcp.Port, nil
	}
	return 0, nil
}

func (s *scene) datagrams(network, address string) (port int, err error) {
	c, err := net.ListenPacket(network, address)
	if err != nil {
		return 0, err
	}
	s.closers = append(s.closers, c.Close)
	go func() {
		b := make([]byte, 512)
		for {
			n, from, err := c.ReadFrom(b)
			if err != nil {
				return
			}
			_, _ = c.WriteTo(s.answer(b[:n]), from)
		}
	}()
	return c.LocalAddr().(*net.UDPAddr).Port, nil
}

// answer is the secret, and to a question for a name that there is none (RFC 1035 section 4.1.1).
func (s *scene) answer(question []byte) []byte {
	if len(question) < 12 {
		return []byte(s.setup.Secret)
	}
	reply := bytes.Clone(question)
	reply[2] |= 0x80
	reply[3] = 0x83
	return reply
}

// sibling starts a process of the same user with the secret in it.
func (s *scene) sibling() error {
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	defer r.Close()
	s.leash = w
	self, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := &exec.Cmd{Path: self, Args: []string{probe.VictimName}, Env: []string{"SECRET=" + s.setup.Secret}, Stdin: r}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	s.victim = cmd
	said := bufio.NewReader(out)
	line, err := said.ReadString('\n')
	if err != nil {
		return err
	}
	s.gone = make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, said)
		close(s.gone)
	}()
	s.setup.Victim = cmd.Process.Pid
	s.setup.Address, err = strconv.ParseUint(strings.TrimSpace(line), 10, 64)
	return err
}

// alive is an error when the sibling is gone: what was refused then proves nothing.
func (s *scene) alive() error {
	select {
	case <-s.gone:
		return errors.New("the victim is gone, the probe proves nothing")
	default:
		return nil
	}
}

// do is what other programs of the user do at any time.
func (s *scene) do(a probe.Ask) error {
	p := s.setup.Protected
	at := func(name string) string { return filepath.Join(p, name) }
	switch a {
	case probe.ReplaceProtected:
		return errors.Join(os.WriteFile(at("new"), []byte(s.setup.Secret), 0o600), os.Rename(at("new"), at("secret")))
	case probe.RemakeProtected:
		return errors.Join(os.RemoveAll(p), os.Mkdir(p, 0o700), os.WriteFile(at("secret"), []byte(s.setup.Secret), 0o600))
	case probe.MakeLate:
		return errors.Join(os.MkdirAll(s.setup.Late, 0o700), os.WriteFile(filepath.Join(s.setup.Late, "secret"), []byte(s.setup.Secret), 0o600))
	}
	return fmt.Errorf("the probe asked for %q", a)
}

// network is a grant of a host that nobody asks for, and of the port that is open at another address of this machine.
func (s *scene) network() spec.Net {
	n := spec.Net{Hosts: []spec.Host{{Name: "host.test", Port: 443}}}
	if _, port, err := net.SplitHostPort(s.setup.Address4); err == nil {
		if number, err := strconv.Atoi(port); err == nil {
			n.Ports = []int{number}
		}
	}
	return n
}

// command is the probe as a server with the scene's grant.
func (s *scene) command(self string, stdin, stdout *os.File) Command {
	return Command{
		Sandbox: spec.Sandbox{
			Files: []spec.File{{Path: s.setup.Read}, {Path: s.setup.Write, Write: true}},
			Protect: []spec.Protected{
				{Path: s.setup.Protected, Secret: true}, {Path: s.setup.Late, Secret: true}, {Path: filepath.Join(s.setup.Write, ".git", "hooks")},
			},
			Net: spec.Net{Told: true},
		},
		Path: self, Argv: []string{probe.Name, probe.Name}, Env: []string{"PATH=" + pathInside}, Dir: s.setup.Own, Bundle: s.setup.Bundle,
		Stdin: stdin, Stdout: stdout, Stderr: os.Stderr,
	}
}
