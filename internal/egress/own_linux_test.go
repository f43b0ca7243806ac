package egress

import (
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"satchel/internal/spec"
)

const ownPublic = "11.22.33.44" // nobody is asked: it is this machine's own, in a network of its own

// A service that listens on all addresses of a machine with a public one must not be reached by that address either.
func TestOwnPublicAddress(t *testing.T) {
	if os.Getenv("EGRESS_TEST_OWN") == "" {
		cmd := exec.Command("/proc/self/exe", "-test.run=^TestOwnPublicAddress$", "-test.v")
		cmd.Env = append(os.Environ(), "EGRESS_TEST_OWN=1")
		cmd.SysProcAttr = &syscall.SysProcAttr{
			Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNET,
			UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
			GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
		}
		out, err := cmd.CombinedOutput()
		if _, ran := err.(*exec.ExitError); err != nil && !ran {
			t.Skipf("no user and network namespaces here: %v", err)
		}
		if err != nil || !strings.Contains(string(out), "--- PASS") {
			t.Errorf("%v\n%s", err, out)
		}
		return
	}
	addOwnPublicAddress(t)
	l, err := net.Listen("tcp", ownPublic+":0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	port := portOf(t, l.Addr().String())
	for _, host := range []string{"api.test", ownPublic} {
		r := newRig(t, spec.Net{Any: true}, names{"api.test": always(ownPublic)})
		if answer := r.ask(get(host, port, "/")); !strings.HasPrefix(answer, "HTTP/1.1 403 ") {
			t.Errorf("%q", answer)
		}
		if a := r.refused("egress/address"); a.Grant != portGrant(port) || a.Address != l.Addr().String() {
			t.Errorf("%+v", a)
		}
	}
	n := spec.Net{Hosts: []spec.Host{{Name: "api.test", Port: port}, {Name: ownPublic, Port: port, Raw: true}}}
	r := newRig(t, n, names{"api.test": always(ownPublic)})
	if code, _ := r.socksRequest(byName(1, ownPublic, port)); code != 0 {
		t.Errorf("granted by its literal address: reply %d", code)
	}
}

// addOwnPublicAddress gives the loopback of this network the address, beside its usual one, and sets it up.
func addOwnPublicAddress(t *testing.T) {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	up, _ := unix.NewIfreq("lo")
	up.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	if err := unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, up); err != nil {
		t.Fatal(err)
	}
	var alias struct {
		name   [unix.IFNAMSIZ]byte
		family uint16
		port   uint16
		addr   [4]byte
		_      [16]byte
	}
	copy(alias.name[:], "lo:1")
	alias.family = unix.AF_INET
	copy(alias.addr[:], net.ParseIP(ownPublic).To4())
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.SIOCSIFADDR, uintptr(unsafe.Pointer(&alias))); errno != 0 {
		t.Fatal(errno)
	}
}
