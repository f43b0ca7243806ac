package host

import "satchel/internal/answers"

// Configure changes the answers of an extension: pairs are KEY=VALUE, unset are keys to forget. Nothing changes when one
// of them is refused.
func (h *Host) Configure(id string, pairs, unset []string) error {
	in, m, err := h.get(id)
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
	open, secret := answers.Split(m.UserConfig, all)
	return h.store.SetAnswers(in.ID, open, secret)
}
