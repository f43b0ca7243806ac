package sandbox

import (
	"net"
	"os"
	"strconv"

	"satchel/internal/spec"
)

// A Command is a server to be started.
type Command struct {
	Sandbox spec.Sandbox
	Path    string   // of the program
	Argv    []string // what it is called by first
	Env     []string // what the manifest sets and what is passed through; the sandbox adds what describes its world. It may hold secrets
	Dir     string   // its own folder: where it starts, and may write
	Bundle  string   // the folder with its files, which it may read and run; empty: none
	Runtime []string // folders that its program belongs to, to read
	Stdin   *os.File
	Stdout  *os.File
	Stderr  *os.File

	// Events gets what the server does, from one goroutine, and nothing after [Process.Done]; while it does not return,
	// later events wait or are lost. Nil: nothing becomes known.
	Events func(Event)
	Watch  bool // with Events: files too, not only programs; each opening of one then takes some 25 to 75 us longer

	// Learn are folders to read beside the granted ones, the person's home as a rule, for a server that is started to find
	// out what it needs: without network, with all programs of the machine, and with nothing that stays. What it writes, also
	// to its own folder, is in memory and gone with it; where the kernel cannot do that, writing is refused. Secrets of
	// Sandbox.Protect are not there. It needs the mode namespaces. Events say what the grant covers, as ever.
	Learn []string

	noOverlay bool // the kernel has refused one
}

// An Accept is called with each listener that the server's world hands over: connections that the server makes to a door
// of its world (see [Door]) are accepted from it, outside. It must not block. A listener that other programs of the machine
// can reach too, as in all modes without a world of its own, has a method Password() string: who connects must know it.
type Accept func(d Door, l net.Listener)

// A Door is where a server can knock inside its world.
type Door int

// The doors of a world with network.
const (
	HTTPDoor  Door = 3128 // an HTTP proxy
	SOCKSDoor Door = 1080 // a SOCKS proxy
)

// SocketDoor is a granted Unix socket, also in a world without network. The address of its listener is the socket's path.
const SocketDoor Door = -1

// address is where a door is in a server's world.
func (d Door) address() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(int(d))) }
