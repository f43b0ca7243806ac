package mcpb

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"iter"
	"maps"
	"path"
	"slices"
	"strings"
	"sync/atomic"
)

// perTask bounds the files of one task, so that a large folder does not keep one worker busy at the end.
const perTask = 128

// A task is some files of one folder.
type extractTask struct {
	folder *sharedFolder
	files  []int // entries
}

// A sharedFolder is open as long as somebody uses it.
type sharedFolder struct {
	*outFolder
	name  string // "" for the top
	users atomic.Int32
}

func share(f *outFolder, name string) *sharedFolder {
	s := &sharedFolder{outFolder: f, name: name}
	s.users.Add(1)
	return s
}

func (s *sharedFolder) release() {
	if s.users.Add(-1) == 0 {
		_ = s.close() // nothing was written through it
	}
}

// makeFolders makes all folders from the top down, and hands out the files of each as soon as it is there. Only the
// folders on the way to the one being made are open, and those of tasks that have not ended. The error names the folder.
func (x *extraction) makeFolders(ctx context.Context, tasks chan<- extractTask) error {
	top, err := openTop(x.target.root)
	if err != nil {
		return x.failed("", err)
	}
	way := []*sharedFolder{share(top, "")}
	defer func() {
		for _, f := range way {
			f.release()
		}
	}()
	files := x.filesByFolder()
	for _, name := range topDown(maps.Keys(x.b.folders)) {
		if !hand(ctx, tasks, way[len(way)-1], files) {
			return ctx.Err()
		}
		parent, base := path.Split(name)
		for way[len(way)-1].name != strings.TrimSuffix(parent, "/") {
			way[len(way)-1].release()
			way = way[:len(way)-1]
		}
		f, err := x.folder(way[len(way)-1].outFolder, name, base)
		if err != nil {
			return err
		}
		way = append(way, share(f, name))
	}
	hand(ctx, tasks, way[len(way)-1], files)
	return ctx.Err()
}

// folder makes a folder, or enters the one that is there when that is allowed.
func (x *extraction) folder(parent *outFolder, name, base string) (*outFolder, error) {
	f, err := parent.mkdir(base)
	switch {
	case err == nil:
		x.target.folders = append(x.target.folders, name)
		return f, nil
	case !x.opts.Merge || !errors.Is(err, fs.ErrExist):
		return nil, x.failed(name, err)
	}
	if f, err = parent.enter(base); err != nil {
		return nil, x.inTheWay(name).Because(err)
	}
	return f, nil
}

// hand hands out the files of a folder; false when ctx has ended.
func hand(ctx context.Context, tasks chan<- extractTask, f *sharedFolder, files map[string][]int) bool {
	for part := range slices.Chunk(files[f.name], perTask) {
		f.users.Add(1)
		select {
		case tasks <- extractTask{f, part}:
		case <-ctx.Done():
			f.release()
			return false
		}
	}
	return true
}

// topDown sorts folders so that what is in a folder follows it directly: a slash comes before every other character.
func topDown(folders iter.Seq[string]) []string {
	return slices.SortedFunc(folders, func(a, b string) int {
		for i := range min(len(a), len(b)) {
			switch x, y := a[i], b[i]; {
			case x == y:
			case x == '/':
				return -1
			case y == '/':
				return 1
			default:
				return cmp.Compare(x, y)
			}
		}
		return cmp.Compare(len(a), len(b))
	})
}

// filesByFolder groups the entries that are files; the top is "".
func (x *extraction) filesByFolder() map[string][]int {
	files := map[string][]int{}
	for i := range x.b.entries {
		if e := &x.b.entries[i]; !e.dir {
			dir := e.name[:max(0, strings.LastIndexByte(e.name, '/'))]
			files[dir] = append(files[dir], i)
		}
	}
	return files
}
