package mcpb

import "satchel/internal/problem"

// Limits bound what a bundle may cost. A field that is 0 has the default of [DefaultLimits].
type Limits struct {
	Entries    int   // files and folders in the archive
	TotalBytes int64 // of all files, unpacked
	FileBytes  int64 // of one file, unpacked
	Ratio      int64 // unpacked by packed size, of a file and of all; looked at only beyond RatioFloor unpacked bytes
	RatioFloor int64 // bytes
}

// DefaultLimits let large real bundles through (one of 830 MB and 19,000 files is known) and stop bombs.
func DefaultLimits() Limits {
	return Limits{Entries: 250_000, TotalBytes: 8 << 30, FileBytes: 4 << 30, Ratio: 200, RatioFloor: 64 << 20}
}

const (
	maxDirectory = 128 << 20 // bytes of the central directory that are held in memory
	maxName      = 4096      // bytes of a whole name
	maxPart      = 255       // bytes of one part of a name
	maxSignature = 1 << 20   // bytes of a signature block
	maxManifest  = 4 << 20   // bytes of manifest.json
)

func (l Limits) orDefault() Limits {
	d := DefaultLimits()
	if l.Entries == 0 {
		l.Entries = d.Entries
	}
	if l.TotalBytes == 0 {
		l.TotalBytes = d.TotalBytes
	}
	if l.FileBytes == 0 {
		l.FileBytes = d.FileBytes
	}
	if l.Ratio == 0 {
		l.Ratio = d.Ratio
	}
	if l.RatioFloor == 0 {
		l.RatioFloor = d.RatioFloor
	}
	return l
}

// check refuses entries whose declared sizes break the limits; what they really hold is held to the declared size.
func (l Limits) check(entries []entry) *problem.Problem {
	var total, packed int64
	for _, e := range entries {
		if e.size > l.FileBytes {
			return refuse("bundle/limit-size", e.name, "unpacks to %d bytes, the limit for a file is %d", e.size, l.FileBytes)
		}
		if e.size > l.RatioFloor && e.size/l.Ratio > e.packed {
			return refuse("bundle/limit-ratio", e.name, "unpacks from %d to %d bytes, more than %d times as much", e.packed, e.size, l.Ratio)
		}
		total, packed = total+e.size, packed+e.packed
		if total > l.TotalBytes {
			return refuse("bundle/limit-size", "", "unpacks to more than %d bytes", l.TotalBytes)
		}
	}
	if total > l.RatioFloor && total/l.Ratio > packed {
		return refuse("bundle/limit-ratio", "", "unpacks from %d to %d bytes, more than %d times as much", packed, total, l.Ratio)
	}
	return nil
}
