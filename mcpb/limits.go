package mcpb

import "satchel/internal/problem"

// Limits bound what a bundle may cost. A field that is 0 or less has the default of [DefaultLimits].
type Limits struct {
	Entries        int   // files and folders, with the folders that only a file's name mentions
	TotalBytes     int64 // of all files, unpacked
	FileBytes      int64 // of one file, unpacked
	Ratio          int64 // unpacked by packed size, of a file and of all; looked at only beyond RatioFloor
	RatioFloor     int64 // unpacked bytes: small files compress well and harm nobody
	NameBytes      int   // of a whole name, slashes included
	ComponentBytes int   // of one part of a name
	ManifestBytes  int64 // of manifest.json
}

// DefaultLimits let large real bundles through (one of 830 MB and 19,000 files is known) and stop bombs. Names are held
// to what macOS opens (PATH_MAX 1024) and every file system stores (NAME_MAX 255).
func DefaultLimits() Limits {
	return Limits{
		Entries: 250_000, TotalBytes: 8 << 30, FileBytes: 4 << 30, Ratio: 200, RatioFloor: 64 << 20,
		NameBytes: 1000, ComponentBytes: 255, ManifestBytes: 4 << 20,
	}
}

const (
	maxDirectory = 64 << 20 // bytes of the central directory that are held in memory
	maxSignature = 1 << 20  // bytes at the end of a file in which signature blocks are looked for
)

func (l Limits) orDefault() Limits {
	d := DefaultLimits()
	return Limits{
		Entries: positive(l.Entries, d.Entries), TotalBytes: positive(l.TotalBytes, d.TotalBytes),
		FileBytes: positive(l.FileBytes, d.FileBytes), Ratio: positive(l.Ratio, d.Ratio),
		RatioFloor: positive(l.RatioFloor, d.RatioFloor), NameBytes: positive(l.NameBytes, d.NameBytes),
		ComponentBytes: positive(l.ComponentBytes, d.ComponentBytes), ManifestBytes: positive(l.ManifestBytes, d.ManifestBytes),
	}
}

func positive[N int | int64](n, otherwise N) N {
	if n > 0 {
		return n
	}
	return otherwise
}

// check refuses entries whose declared sizes break the limits; what they really hold is held to the declared size.
func (l Limits) check(entries []entry) *problem.Problem {
	var total, packed int64
	for i := range entries {
		e := &entries[i]
		if e.size > l.FileBytes {
			return refuse("bundle/limit-size", e.name, "unpacks to %d bytes, the limit for a file is %d", e.size, l.FileBytes)
		}
		if e.size > l.RatioFloor && e.size/l.Ratio > e.packed {
			return refuse("bundle/limit-ratio", e.name, "unpacks from %d to %d bytes, more than %d times as much", e.packed, e.size, l.Ratio)
		}
		if e.size > l.TotalBytes-total {
			return refuse("bundle/limit-size", "", "unpacks to more than %d bytes", l.TotalBytes)
		}
		total, packed = total+e.size, packed+e.packed
	}
	if total > l.RatioFloor && total/l.Ratio > packed {
		return refuse("bundle/limit-ratio", "", "unpacks from %d to %d bytes, more than %d times as much", packed, total, l.Ratio)
	}
	return nil
}
