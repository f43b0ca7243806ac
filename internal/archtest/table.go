package archtest

// floors says on which floor each package stands. Imports go downwards only; packages of one floor do not import each
// other but for the edges below. A package inside another one's internal folder belongs to that one.
var floors = map[string]int{
	"satchel/cmd/satchel":              5,
	"satchel/cmd/satchel-sandbox-init": 5,

	"satchel/internal/cli":        4,
	"satchel/internal/cli/dropin": 4,

	"satchel/internal/host": 3,

	"satchel/internal/activity":   2,
	"satchel/internal/answers":    2,
	"satchel/internal/bundlediff": 2,
	"satchel/internal/devloop":    2,
	"satchel/internal/grant":      2,
	"satchel/internal/egress":     2,
	"satchel/internal/launch":     2,
	"satchel/internal/learn":      2,
	"satchel/internal/prune":      2,
	"satchel/internal/lint":       2,
	"satchel/internal/sample":     2,
	"satchel/internal/signer":     2,
	"satchel/internal/sandbox":    2,
	"satchel/internal/scaffold":   2,
	"satchel/internal/store":      2,
	"satchel/internal/supervisor": 2,
	"satchel/internal/trust":      2,

	"satchel/internal/sandbox/inside":     2,
	"satchel/internal/sandbox/probe":      2,
	"satchel/internal/sandbox/restricted": 2,
	"satchel/internal/sandbox/seccomp":    2,
	"satchel/internal/sandbox/seatbelt":   2,
	"satchel/internal/sandbox/notify":     2,

	"satchel/internal/spec":  1,
	"satchel/mcpb":           1,
	"satchel/mcpb/expand":    1,
	"satchel/mcpb/manifest":  1,
	"satchel/mcpb/signature": 1,

	"satchel/internal/atomicfile": 0,
	"satchel/internal/filelock":   0,
	"satchel/internal/jsonedit":   0,
	"satchel/internal/hashio":     0,
	"satchel/internal/paths":      0,
	"satchel/internal/problem":    0,
	"satchel/internal/procgroup":  0,
	"satchel/internal/spell":      0,
	"satchel/internal/term":       0,
}

// edges are the imports inside one floor that are allowed, with the reason.
var edges = map[[2]string]string{
	{"satchel/internal/atomicfile", "satchel/internal/problem"}:             "every floor speaks the one vocabulary of errors",
	{"satchel/internal/paths", "satchel/internal/problem"}:                  "every floor speaks the one vocabulary of errors",
	{"satchel/internal/procgroup", "satchel/internal/problem"}:              "every floor speaks the one vocabulary of errors",
	{"satchel/internal/cli", "satchel/internal/cli/dropin"}:                 "the reference's command line is one of our commands",
	{"satchel/mcpb", "satchel/mcpb/manifest"}:                               "a bundle hands out its manifest",
	{"satchel/mcpb", "satchel/mcpb/signature"}:                              "a bundle ends with signature blocks, and is signed and verified",
	{"satchel/mcpb/expand", "satchel/mcpb/manifest"}:                        "expanding starts from a manifest",
	{"satchel/internal/launch", "satchel/internal/answers"}:                 "launch fills the answers in",
	{"satchel/internal/learn", "satchel/internal/grant"}:                    "what is learned is proposed as permissions",
	{"satchel/internal/learn", "satchel/internal/sandbox"}:                  "it is learned from what a sandbox tells",
	{"satchel/internal/devloop", "satchel/internal/supervisor"}:             "a relay starts servers",
	{"satchel/internal/lint", "satchel/internal/grant"}:                     "a rule judges declared permissions",
	{"satchel/internal/supervisor", "satchel/internal/sandbox"}:             "servers are started in their sandbox",
	{"satchel/internal/supervisor", "satchel/internal/egress"}:              "a proxy answers at the sandbox's doors",
	{"satchel/internal/sandbox", "satchel/internal/sandbox/inside"}:         "what runs inside follows the order made here",
	{"satchel/internal/sandbox/inside", "satchel/internal/sandbox/seccomp"}: "the order holds the filter",
	{"satchel/internal/sandbox", "satchel/internal/sandbox/probe"}:          "a sandbox is proved from inside",
	{"satchel/internal/sandbox", "satchel/internal/sandbox/seatbelt"}:       "macOS holds a server to generated rules",
	{"satchel/internal/sandbox", "satchel/internal/sandbox/restricted"}:     "Windows holds a server as a plan says",
	{"satchel/internal/sandbox", "satchel/internal/sandbox/seccomp"}:        "a sandbox has a filter of system calls",
	{"satchel/internal/sandbox", "satchel/internal/sandbox/notify"}:         "a launcher tells what its servers do",
}

// tools are commands for the people who work on the project: nothing imports them, and they may import everything.
var tools = map[string]string{
	"satchel/internal/archtest":      "this test",
	"satchel/internal/bench/refcli":  "make bench",
	"satchel/internal/bench/page":    "what both benches share",
	"satchel/internal/bench/start":   "make bench",
	"satchel/internal/deps":          "make deps",
	"satchel/internal/docs":          "make check: links and generated pages",
	"satchel/internal/e2e":           "tests with real clients and servers",
	"satchel/internal/e2e/hostile":   "the hostile extension of those tests",
	"satchel/internal/testsupport":   "what tests of several packages share",
	"satchel/mcpb/internal/ziptest":  "a byte-level ZIP writer for the attacks in tests",
	"satchel/internal/procgroup/try": "a program for procgroup's tests",
}

// modules are the direct dependencies, each with its reason. The budget is 25.
var modules = map[string]string{
	"charm.land/huh/v2":                         "the form of init: choices, going back, an accessible mode; MIT, 2026-03",
	"charm.land/bubbletea/v2":                   "huh is made of it; its own handler of signals has to be switched off; MIT, 2026-03",
	"github.com/BurntSushi/toml":                "reads pyproject.toml and Cargo.toml for init; MIT, 2025-12",
	"golang.org/x/net":                          "IDNA: the one ASCII form of a host's name; NO_PROXY; messages of name servers in tests",
	"golang.org/x/mod":                          "reads go.mod for init",
	"github.com/Masterminds/semver/v3":          "npm-style version ranges of compatibility.runtimes; MIT, 2026-04",
	"github.com/aquasecurity/go-pep440-version": "PEP 440 ranges of compatibility.runtimes.python; Apache-2.0, 2025-01",
	"github.com/google/jsonschema-go":           "the judge of our JSON Schemas in tests; the MCP SDK brings it; MIT, 2026-04",
	"github.com/godbus/dbus/v5":                 "a keychain on a session's bus, and who robs it, in tests; BSD, 2026-07",
	"github.com/fsnotify/fsnotify":              "satchel dev learns of changed files from the system; BSD, 2026-05",
	"github.com/klauspost/compress":             "deflate at a third of the standard library's cost; BSD, 2026-10",
	"github.com/modelcontextprotocol/go-sdk":    "the official MCP SDK: client of tools and call, server of the sample; Apache-2.0/MIT, 2026-09",
	"github.com/rogpeppe/go-internal":           "testscript, the form of our command-line tests, and diff, unified and never quadratic; BSD, 2026-07",
	"github.com/spf13/cobra":                    "commands, flags, help, completion; Apache-2.0, 2025-12",
	"golang.org/x/crypto":                       "cryptobyte: strict DER, read and written; scrypt of encrypted keys",
	"go.yaml.in/yaml/v3":                        "reads the CI files of contrib in their tests, strictly; Apache-2.0/MIT, 2025-06",
	"golang.org/x/sync":                         "groups of goroutines that fail together",
	"golang.org/x/sys":                          "system calls: locks, process groups, job objects",
	"golang.org/x/term":                         "is this a terminal; ask without echo",
	"software.sslmate.com/src/go-pkcs12":        "PKCS#12 files with chains and modern encryption; BSD, 2026-10",
	"golang.org/x/text":                         "Unicode normal forms, case folding, BCP 47",
}
