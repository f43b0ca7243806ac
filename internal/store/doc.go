// Package store keeps the installed extensions on disk. Use it for everything that is installed: [Open] it, install with
// [Store.Begin] and [Staging.Commit], find with [Store.Get] and [Store.List], keep a version in use with [Store.Hold].
//
// Below the data folder (all folders 0700, what belongs to an extension read-only):
//
//	extensions/<namespace>/<name>/installation.json   the record; its rename is the moment of installing
//	extensions/<namespace>/<name>/secrets.json        the sensitive answers, 0600, until the keychain keeps them
//	extensions/<namespace>/<name>/<content digest>/   the files of a version, immutable
//	data/<namespace>/<name>/                          the extension's own folder, writable
//	staging/<random>/                                 what is being made ready, under a lock
//	locks/<namespace>/<name>/                         files that are locked and nothing else
//
// There is no daemon: every process opens the same store. Locks on files, which the system lets go of when a process
// dies, keep two changes of one extension apart, a version in use from being removed, and a staging folder in use from
// being swept. A kill at any moment leaves the old state or the new one; the next [Open] sweeps the rest.
package store
