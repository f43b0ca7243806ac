// Package manifest holds the manifest.json of a bundle: its types, a strict Validate for authors and a loose Parse for hosts.
package manifest
