// Package e2e holds the tests that run the real satchel with the programs of others: MCP clients, a server from npm,
// the reference implementation and foreign ZIP readers. There is nothing to import.
//
// Each test types commands as a person would, in a home of its own, with no network and no process left behind. Put a
// test here when it needs a program that is not ours; what satchel does alone is tested beside the package that does it.
// The programs come with `make deps`. Without them a test is skipped and says so; with CI=true it fails.
package e2e
