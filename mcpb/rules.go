package mcpb

import (
	"fmt"

	"satchel/internal/problem"
)

// A Rule is one thing that a bundle must hold to.
type Rule struct {
	ID     string
	Why    string // the attack or the accident that it stops
	Source string // where it comes from
	Fix    string // what to do about it, when nothing more fitting is known
}

// appnote is the ZIP specification, PKWARE APPNOTE.TXT 6.3.
const appnote = "APPNOTE "

// Rules lists every rule about the archive.
func Rules() []Rule {
	return []Rule{
		{"bundle/not-zip", "The file is no ZIP archive, or was cut off.", appnote + "4.3.16", "download or build it again; a bundle is made by: satchel pack DIR"},
		{"bundle/malformed-signature", "The file ends like a signed bundle, but the signature block does not fit.", "MCPB signature block, as the reference CLI 2.1.2 writes it", "download it again; its author signs it again: satchel sign FILE"},
		{"bundle/ambiguous-end", "A second end record lets two readers see two different archives.", appnote + "4.3.16", "do not use it; its author packs it again: satchel pack DIR"},
		{"bundle/trailing-data", "Bytes behind the archive that are no signature block can be another file's.", appnote + "4.3.1", "download it again; its author packs it again without adding anything: satchel pack DIR"},
		{"bundle/split", "The archive says that it is spread over several disks.", appnote + "4.4.19", "its author packs it as one file: satchel pack DIR"},
		{"bundle/zip64", "The ZIP64 records contradict the plain ones.", appnote + "4.3.14", "download it again; its author packs it again: satchel pack DIR"},
		{"bundle/directory", "The central directory is not where, or not as large as, the end record says.", appnote + "4.3.12", "download it again; its author packs it again: satchel pack DIR"},
		{"bundle/count", "The end record counts other entries than there are: a reader that believes it loses files.", appnote + "4.4.22", "its author packs it with a tool that writes ZIP64: satchel pack DIR"},
		{"bundle/extra-field", "An extra field is malformed, or gives the entry another name or size.", appnote + "4.5", "its author packs it again: satchel pack DIR"},
		{"bundle/encrypted", "An encrypted entry cannot be reviewed.", appnote + "4.4.4", "its author packs it without a password: satchel pack DIR"},
		{"bundle/flags", "An entry uses a feature that readers do not agree on.", appnote + "4.4.4", "its author packs it again: satchel pack DIR"},
		{"bundle/method", "Only stored and deflated entries are read by every host.", appnote + "4.4.5", "its author packs it with deflate: satchel pack DIR"},
		{"bundle/entry-type", "A link, device or pipe would write or read outside the folder.", appnote + "4.4.15", "its author packs what the link points to: satchel pack --follow DIR"},
		{"bundle/empty-name", "An entry without a name, or with an empty or dot part in its name, is written somewhere unexpected.", appnote + "4.4.17", "do not use it; its author packs it again: satchel pack DIR"},
		{"bundle/path-traversal", "A name with .. leads out of the folder.", "CWE-22", "do not use it: a bundle with such a name is an attack, or was made by a broken tool"},
		{"bundle/absolute-name", "An absolute name or a drive letter leads out of the folder.", appnote + "4.4.17", "do not use it; its author packs the folder itself: satchel pack DIR"},
		{"bundle/backslash", "Windows takes a backslash as a separator, other systems do not.", appnote + "4.4.17", "its author packs it with slashes, as satchel pack does on Windows too"},
		{"bundle/control-character", "NUL, control and bidirectional characters cut or disguise a name.", "CWE-158, Unicode UTR #36", "do not use it: such names hide something; its author renames the file"},
		{"bundle/name-encoding", "A name that is not UTF-8 becomes another name on each system.", appnote + "4.4.4 bit 11", "its author renames the file, or packs it again: satchel pack DIR"},
		{"bundle/long-name", "File systems refuse long names, some only after others were written.", "POSIX NAME_MAX, PATH_MAX; Limits.NameBytes, Limits.ComponentBytes", "its author shortens the name, or packs fewer nested folders"},
		{"bundle/duplicate-name", "Two entries of one name: readers disagree on which counts.", "CWE-694", "do not use it; its author packs it again: satchel pack DIR"},
		{"bundle/name-collision", "Names that differ only in case or Unicode form are one file on some systems.", "Unicode UAX #15, case folding", "its author renames one of the two"},
		{"bundle/file-as-folder", "One entry is a file where another one needs a folder.", "POSIX ENOTDIR", "do not use it; its author packs it again: satchel pack DIR"},
		{"bundle/reserved-name", "Windows cannot hold this name, or opens a device by it.", "Microsoft: naming files, paths and namespaces", "its author renames the file; satchel pack warns of such names"},
		{"bundle/local-header", "The local header contradicts the central directory: readers disagree on the entry.", appnote + "4.3.7", "do not use it; its author packs it again: satchel pack DIR"},
		{"bundle/overlap", "Entries overlap: one part of the file is read twice, which makes bombs and disguises.", "CWE-409", "do not use it: no packing tool makes such an archive"},
		{"bundle/prepended-data", "Bytes before the first entry make the file two things at once.", appnote + "4.3.1", "do not use it; its author packs it again: satchel pack DIR"},
		{"bundle/gap", "Bytes between entries that belong to nothing hide content from review.", appnote + "4.3.1", "do not use it; its author packs it again: satchel pack DIR"},
		{"bundle/size", "The content is longer or shorter than declared.", appnote + "4.4.9", "download it again; its author packs it again: satchel pack DIR"},
		{"bundle/checksum", "The content does not have the declared CRC-32: the file is damaged.", appnote + "4.4.7", "download it again"},
		{"bundle/compressed-data", "The compressed data is damaged, or goes on behind its end.", "RFC 1951", "download it again"},
		{"bundle/no-files", "The archive holds no file.", "MCPB manifest specification", "its author packs the folder of the extension: satchel pack DIR"},
		{"bundle/limit-entries", "More entries than the limit.", "Limits.Entries", "leave out what the server does not need: satchel pack --list DIR shows what goes in"},
		{"bundle/limit-size", "Larger than the limit.", "Limits.TotalBytes, Limits.FileBytes", "leave out what the server does not need: satchel pack --list DIR shows what goes in"},
		{"bundle/limit-ratio", "Compressed far beyond what files are: a bomb.", "Limits.Ratio, CWE-409", "do not unpack it; if its author needs such a file, it can be made when the server starts"},
		{"bundle/no-manifest", "There is no manifest.json at the top of the archive.", "MCPB manifest specification", "its author adds one: satchel init DIR"},
	}
}

// refuse makes the problem for a broken rule; entry is "" when the whole archive is meant.
func refuse(id, entry, format string, args ...any) *problem.Problem {
	p := problem.New(problem.Invalid, id, format, args...)
	for _, r := range Rules() {
		if r.ID == id {
			p = p.From(r.Source).Try("%s", r.Fix)
		}
	}
	if entry != "" {
		p = p.At(fmt.Sprintf("entry %q", entry))
	}
	return p
}
