// Package inside is what runs in a sandbox before its server: init, the first process of a world, and the shim that puts
// the walls up where there is no world. Both follow an [Order] that the host made; they decide nothing.
//
// It is apart from package sandbox, and imports little, because each start of a server pays for the start of its program:
// cmd/satchel-sandbox-init has nothing else in it.
package inside
