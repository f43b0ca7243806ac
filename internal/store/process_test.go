package store

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"satchel/internal/paths"
	"satchel/internal/problem"
)

var tctx = context.Background()

func digestOf(s string) string { return fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(s))) }

// The environment of a test binary that plays another process.
const (
	envDo   = "STORE_DO"   // a key of deeds
	envHome = "STORE_HOME" // its home
	envKill = "STORE_KILL" // it kills itself before the step of this number
	envArg  = "STORE_ARG"
)

func TestMain(m *testing.M) {
	do, ok := deeds[os.Getenv(envDo)]
	if !ok {
		os.Exit(m.Run())
	}
	home := os.Getenv(envHome)
	s, err := Open(paths.Home{Data: home, Config: filepath.Join(home, "config"), Cache: filepath.Join(home, "cache")})
	if err == nil {
		s.step = killer(os.Getenv(envKill))
		err = do(s)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// killer kills the process, as kill -9 does, before a step.
func killer(number string) func(string) {
	steps := 0
	return func(string) {
		if fmt.Sprint(steps) == number {
			self, _ := os.FindProcess(os.Getpid())
			_ = self.Kill()
			select {}
		}
		steps++
	}
}

// deeds are what other processes do. Each begins with local/notes installed in version one, with its own folder.
var deeds = map[string]func(*Store) error{
	"install": func(s *Store) error {
		_, err := install(s, "local/notes", "two", map[string]any{"token": "secret of two"})
		return err
	},
	"repair": func(s *Store) error {
		_, err := install(s, "local/notes", "one", map[string]any{"token": "secret of one"})
		return err
	},
	"answers": func(s *Store) error {
		return setAnswers(s, "local/notes", map[string]any{"name": "new"}, map[string]any{"token": "new secret"})
	},
	"forget": func(s *Store) error { return setAnswers(s, "local/notes", nil, nil) },
	"remove": func(s *Store) error { return s.Remove(&Installation{ID: "local/notes"}, false) },
	"purge":  func(s *Store) error { return s.Remove(&Installation{ID: "local/notes"}, true) },
	"churn":  churn,
	"fill":   fill,
}

// churn changes things until it is killed.
func churn(s *Store) error {
	for i := 0; ; i++ {
		var err error
		switch rand.IntN(4) {
		case 0:
			err = s.Remove(&Installation{ID: "local/notes"}, false)
		case 1:
			answer := fmt.Sprint(i)
			err = setAnswers(s, "local/notes", map[string]any{"pair": answer}, map[string]any{"pair": answer})
			err = ignoreNotFound(err)
		default:
			_, err = install(s, "local/notes", fmt.Sprint(rand.IntN(3)), nil)
		}
		if err != nil {
			return err
		}
	}
}

// fill installs extensions that other processes install too, and some of its own.
func fill(s *Store) error {
	for i := range 12 {
		_, err1 := install(s, fmt.Sprintf("local/shared-%d", i), os.Getenv(envArg), nil)
		_, err2 := install(s, fmt.Sprintf("local/own-%s-%d", os.Getenv(envArg), i), "x", nil)
		if err := errors.Join(err1, err2); err != nil {
			return err
		}
	}
	return nil
}

func ignoreNotFound(err error) error {
	if problem.CodeOf(err) == problem.NotFound {
		return nil
	}
	return err
}

func process(do, home string, env ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(append(os.Environ(), envDo+"="+do, envHome+"="+home), env...)
	cmd.Stderr = os.Stderr
	return cmd
}

// state tells what is installed, as far as a deed may change it.
func state(t *testing.T, s *Store) string {
	t.Helper()
	in, err := s.Get("local/notes")
	if ignoreNotFound(err) != nil {
		t.Fatalf("broken: %v", err)
	}
	text := "nothing"
	if in != nil {
		dir, err := s.Dir(in)
		if err != nil {
			t.Fatal(err)
		}
		text = fmt.Sprintf("version %s, answers %v, secrets %v, intact %v", in.Version, in.Answers, in.Secrets, intact(dir, in.TreeDigest))
	}
	_, err = os.Stat(filepath.Join(s.DataPath("local/notes"), "kept"))
	return fmt.Sprintf("%s, own folder %v", text, err == nil)
}

func prepare(t *testing.T, home, deed string) {
	t.Helper()
	s := open(t, home)
	in := mustInstall(t, s, "local/notes", "one")
	dir, err := s.DataDir(in.ID)
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "kept"), nil, 0o600)
	}
	if deed == "repair" && err == nil {
		version, _ := s.Dir(in)
		main := filepath.Join(version, "server", "main.js")
		err = errors.Join(os.Chmod(main, 0o600), os.WriteFile(main, []byte("evil"), 0o600))
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestKillAtEachStep kills a process before each step of each change. What the next one finds is the old state or the
// new one, and nothing of the other.
func TestKillAtEachStep(t *testing.T) {
	for _, deed := range []string{"install", "repair", "answers", "forget", "remove", "purge"} {
		t.Run(deed, func(t *testing.T) {
			t.Parallel()
			var old, end string
			seen := map[string]int{}
			for kill := range 40 {
				home := t.TempDir()
				prepare(t, home, deed)
				old = state(t, open(t, home))
				err := process(deed, home, fmt.Sprintf("%s=%d", envKill, kill)).Run()
				s := open(t, home)
				now := state(t, s)
				seen[now]++
				checkTidy(t, s, kill)
				if err == nil {
					end = now
					break
				}
				if err := process(deed, home).Run(); err != nil {
					t.Errorf("killed before step %d, then again: %v", kill, err)
				}
			}
			if end == "" || end == old {
				t.Fatalf("it never came to its end: %s", end)
			}
			// A repair takes away what is damaged before it puts the new in place: between the two nothing could run anyway.
			delete(seen, strings.Replace(end, "intact true", "intact false", 1))
			delete(seen, old)
			delete(seen, end)
			if len(seen) > 0 {
				t.Errorf("neither the old state nor the new: %v", slices.Collect(maps.Keys(seen)))
			}
		})
	}
}

// checkTidy checks that an opened store holds what its records name and nothing else.
func checkTidy(t *testing.T, s *Store, kill int) {
	t.Helper()
	if left, _ := os.ReadDir(s.home.Staging()); len(left) > 0 {
		t.Errorf("kill %d: left in staging: %v", kill, left)
	}
	dir, _ := s.dir("local/notes")
	entries, _ := os.ReadDir(dir)
	rec, err := s.read("local/notes")
	if err != nil && len(entries) > 0 {
		t.Errorf("kill %d: nothing is installed, but there is %v", kill, entries)
	}
	if err != nil {
		return
	}
	hex, _ := hexDigest(rec.ContentDigest)
	for _, e := range entries {
		if !slices.Contains([]string{lockName, recordName, rec.SecretsFile, hex, hex + lockName}, e.Name()) {
			t.Errorf("kill %d: left behind: %s", kill, e.Name())
		}
	}
}

// TestKillAtRandom kills a process that changes things over and over.
func TestKillAtRandom(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	rounds := 60
	if testing.Short() {
		rounds = 10
	}
	for round := range rounds {
		cmd := process("churn", home)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		<-time.After(time.Duration(2+rand.IntN(40)) * time.Millisecond) // the moment of the kill is what varies
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		s := open(t, home)
		checkTidy(t, s, round)
		in, err := s.Get("notes")
		if ignoreNotFound(err) != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		if in == nil {
			continue
		}
		if in.Answers["pair"] != in.Secrets["pair"] {
			t.Errorf("round %d: answers and secrets of two times: %v, %v", round, in.Answers, in.Secrets)
		}
		if dir, err := s.Dir(in); err != nil || !intact(dir, in.TreeDigest) {
			t.Errorf("round %d: version %s is not intact: %v", round, in.Version, err)
		}
	}
}

// TestManyProcesses has eight processes install at once, some things the same.
func TestManyProcesses(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	var all []*exec.Cmd
	for i := range 8 {
		cmd := process("fill", home, fmt.Sprintf("%s=%d", envArg, i))
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		all = append(all, cmd)
	}
	for _, cmd := range all {
		if err := cmd.Wait(); err != nil {
			t.Errorf("a process failed: %v", err)
		}
	}
	s := open(t, home)
	list, err := s.List()
	if err != nil || len(list) != 12+8*12 {
		t.Fatalf("%d are installed, %v", len(list), err)
	}
	for _, in := range list {
		if dir, err := s.Dir(in); err != nil || !intact(dir, in.TreeDigest) {
			t.Errorf("%s is not intact: %v", in.ID, err)
		}
	}
	if left, _ := os.ReadDir(s.home.Staging()); len(left) > 0 {
		t.Errorf("left in staging: %v", left)
	}
}
