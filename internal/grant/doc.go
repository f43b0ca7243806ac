// Package grant is the permission model: what an extension asks for, what a person agreed to, and what differs.
//
// A [Grant] is a set of items, each of which has one word form for the command line and every display: "read:/home/ada/notes",
// "net:api.example.com", "run:git". [Parse] and [Item.String] are each other's inverse.
//
//	asked, err := grant.Ask(manifest, answers, machine) // what it asks for, with the reason and the risk of each item
//	yes, named := asked.Split()                         // what --yes agrees to, and what a person must name
//	g, err := grant.Resolve(grant.Of(items...), machine) // at the moment of agreeing: real paths, and which files they are
//	sealed, err := grant.Seal(key, grant.Record{...})    // kept so that a change is found
//	box, notes, err := grant.Sandbox(g, id, machine)     // at each start: what the operating system is told
//
// All but [Resolve], [Sandbox] and [Nested] is pure: those look at the file system and change nothing. Values are not changed after
// they are made; everything here is safe for concurrent use. docs/permissions.md explains the model to people.
package grant
