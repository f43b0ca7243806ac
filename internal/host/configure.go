package host

import (
	"satchel/internal/answers"
	"satchel/internal/grant"
	"satchel/internal/problem"
	"satchel/internal/store"
)

// Configure changes the answers of an extension: pairs are KEY=VALUE, unset are keys to forget. Nothing changes when one
// of them is refused. Two processes that change different answers at once both get their way.
//
// What the extension may do follows the answers: a folder that is named is granted, one that is not named any more is not.
// It gives what it asks for beside that, which is granted by name only.
func (h *Host) Configure(id string, pairs, unset []string) (asks []grant.Wish, err error) {
	found, err := h.store.Get(id)
	if err != nil {
		return nil, err
	}
	err = h.store.Update(found.ID, func(in *store.Installation) error {
		m, err := manifestOf(in)
		if err != nil {
			return err
		}
		given, err := answers.Parse(m.UserConfig, pairs, h.machine.User.Home)
		if err != nil {
			return err
		}
		all := answers.Join(values(in), given)
		for _, key := range unset {
			if err := answers.Known(m.UserConfig, key); err != nil {
				return err
			}
			delete(all, key)
		}
		before, err := h.askedBy(in)
		if err != nil {
			return err
		}
		in.Answers, in.Secrets = answers.Split(m.UserConfig, all)
		asks, err = h.follow(in, before)
		return err
	})
	return asks, err
}

// follow makes the grant of an extension follow its new answers. One that does not count is left alone.
func (h *Host) follow(in *store.Installation, before grant.Asked) ([]grant.Wish, error) {
	rec, err := h.agreed(in)
	if problem.CodeOf(err) == problem.Refused {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	after, err := h.askedBy(in)
	if err != nil {
		return nil, err
	}
	machine := h.grants()
	machine.Dir = ""
	g, asks := follow(rec.Grant, before, after, machine)
	return asks, h.seal(in, g, rec.NoSandbox)
}
