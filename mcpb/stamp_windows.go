package mcpb

import (
	"os"
	"time"
)

// A stamp tells whether a file was written to: its size, and the time of its content.
type stamp struct {
	size    int64
	content time.Time
}

func stampOf(f *os.File) (stamp, error) {
	info, err := f.Stat()
	if err != nil {
		return stamp{}, err
	}
	return stamp{info.Size(), info.ModTime()}, nil
}
