package host

import (
	"maps"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"satchel/internal/answers"
	"satchel/internal/grant"
	"satchel/internal/launch"
	"satchel/internal/problem"
	"satchel/internal/store"
	"satchel/mcpb/manifest"
)

// contentOf is what the record of a grant is bound to: the content that was reviewed, or the folder that is linked.
func contentOf(in *store.Installation) string {
	if in.Link != "" {
		return "link:" + in.Link
	}
	return in.ContentDigest
}

// agreed gives what somebody agreed to for an installed extension. A record that is missing, was changed, or is of
// another content is refused.
func (h *Host) agreed(in *store.Installation) (grant.Record, error) {
	if len(in.Grant) == 0 {
		return grant.Record{}, problem.New(problem.Refused, "permissions/none", "nobody has agreed to what it may do").At(in.ID).From("docs/permissions.md").
			Try("look at what it asks for: %s; then agree: %s --grant WORD (contained: to nothing)", problem.Words("satchel", "permissions", in.ID), problem.Words("satchel", "permissions", in.ID))
	}
	key, err := h.store.Key()
	if err != nil {
		return grant.Record{}, err
	}
	return grant.Check(key, in.Grant, in.ID, contentOf(in))
}

// seal makes the record of what is agreed to now.
func (h *Host) seal(in *store.Installation, g grant.Grant, noSandbox bool) error {
	key, err := h.store.Key()
	if err != nil {
		return err
	}
	in.Grant, err = grant.Seal(key, grant.Record{
		Extension: in.ID, Digest: contentOf(in), Grant: g, NoSandbox: noSandbox, By: whoAmI(), At: time.Now(),
	})
	return err
}

// whoAmI is who agrees: the name of this process's user.
func whoAmI() string {
	if u, err := user.Current(); err == nil && u.Username != "" {
		return u.Username
	}
	return "uid " + strconv.Itoa(os.Getuid())
}

// settled gives answers with the real paths of files and folders: a server sees those, and not the links to them.
func settled(options manifest.Options, given answers.Values) answers.Values {
	out := maps.Clone(given)
	for _, o := range options {
		if o.Type != manifest.Directory && o.Type != manifest.File {
			continue
		}
		switch v := out[o.Key].(type) {
		case string:
			out[o.Key] = realPath(v)
		case []string:
			list := make([]string, len(v))
			for n, path := range v {
				list[n] = realPath(path)
			}
			out[o.Key] = list
		}
	}
	return out
}

func realPath(path string) string {
	if real, err := filepath.EvalSymlinks(path); err == nil && filepath.IsAbs(path) {
		return real
	}
	return path
}

// withheld takes the secrets out of answers that were not granted, and names their keys.
func withheld(options manifest.Options, given answers.Values, g grant.Grant) (left answers.Values, keys []string) {
	left = maps.Clone(given)
	granted := map[string]bool{}
	for _, key := range g.Secrets {
		granted[key] = true
	}
	for _, o := range options {
		if _, has := left[o.Key]; has && o.Sensitive && !granted[o.Key] {
			delete(left, o.Key)
			keys = append(keys, o.Key)
		}
	}
	return left, keys
}

// confined makes the plan of an extension held to what was agreed to. Without a sandbox it gets its secrets by the same
// rule. The notes say what of the files could not be looked at to the end.
func (h *Host) confined(ext launch.Extension, rec grant.Record) (plan *launch.Plan, notes []string, err error) {
	var kept []string
	ext.Answers, kept = withheld(ext.Manifest.UserConfig, settled(ext.Manifest.UserConfig, ext.Answers), rec.Grant)
	if plan, err = launch.Make(ext, h.machine); err != nil {
		return nil, nil, err
	}
	for _, o := range plan.Missing {
		for _, key := range kept {
			if o.Key == key {
				return nil, nil, problem.New(problem.Refused, "permissions/secret", "it needs the secret %q, which it was not granted", o.Title).At(ext.ID).
					From("docs/permissions.md").Try("%s", problem.Words("satchel", "permissions", ext.ID, "--grant", "secret:"+key))
			}
		}
	}
	if rec.NoSandbox {
		return plan, nil, nil
	}
	box, notes, err := grant.Sandbox(rec.Grant, ext.ID, h.grants())
	if err != nil {
		return nil, nil, err
	}
	box.Net.Told = true
	plan.Confine(box, rec.Grant.Env)
	if err := h.checkOwn(plan.Spec.Bundle); err != nil {
		return nil, nil, err
	}
	plan.Spec.Runtime = slices.DeleteFunc(plan.Spec.Runtime, func(dir string) bool { return grant.SecretIn(dir, h.grants()) != "" })
	return plan, notes, nil
}

// checkOwn refuses secrets in the folder with an extension's files.
func (h *Host) checkOwn(dir string) error {
	secret := grant.SecretIn(dir, h.grants())
	if secret == "" {
		return nil
	}
	return problem.New(problem.Refused, "permissions/own-secrets", "its own folder holds secrets, such as %s, and would be shown to it whole", secret).
		At(dir).From("docs/permissions.md").Try("put the extension into a folder of its own")
}
