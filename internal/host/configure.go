package host

import (
	"satchel/internal/answers"
	"satchel/internal/store"
)

// Configure changes the answers of an extension: pairs are KEY=VALUE, unset are keys to forget. Nothing changes when one
// of them is refused. Two processes that change different answers at once both get their way.
func (h *Host) Configure(id string, pairs, unset []string) error {
	found, err := h.store.Get(id)
	if err != nil {
		return err
	}
	return h.store.Update(found.ID, func(in *store.Installation) error {
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
		in.Answers, in.Secrets = answers.Split(m.UserConfig, all)
		return nil
	})
}
