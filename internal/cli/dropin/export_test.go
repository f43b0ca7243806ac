package dropin

import "satchel/mcpb"

// Sorted sorts names as the list of pack does; those of three folders and more come last.
func Sorted(names []string) (sorted []string) {
	var files []mcpb.PackedFile
	for _, name := range names {
		files = append(files, mcpb.PackedFile{Name: name})
	}
	for _, l := range listing(files) {
		sorted = append(sorted, l.path)
	}
	return sorted
}
