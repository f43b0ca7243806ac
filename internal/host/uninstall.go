package host

import (
	"os"

	"satchel/internal/store"
)

// Removed is what Uninstall did.
type Removed struct {
	ID       string `json:"id"`
	Version  string `json:"version"`            // "" when there was no record that could be read
	DataKept string `json:"dataKept,omitempty"` // the extension's own folder, when there is one and it was kept
}

// Removal says what Uninstall would remove. What is damaged, or was left half written, can be removed too.
func (h *Host) Removal(id string, purge bool) (*Removed, error) {
	full, err := h.store.Find(id, purge)
	if err != nil {
		return nil, err
	}
	res := &Removed{ID: full}
	if in, err := h.store.Get(full); err == nil {
		res.Version = in.Version
	}
	return res, nil
}

// Uninstall removes an extension and its answers; its own folder only with purge, and then also that of an extension
// that was removed before.
func (h *Host) Uninstall(id string, purge bool) (*Removed, error) {
	res, err := h.Removal(id, purge)
	if err != nil {
		return nil, err
	}
	if err := h.store.Remove(&store.Installation{ID: res.ID}, purge); err != nil {
		return nil, err
	}
	_ = os.Remove(h.store.DataPath(res.ID)) // only when nothing is in it
	if _, err := os.Stat(h.store.DataPath(res.ID)); err == nil {
		res.DataKept = h.store.DataPath(res.ID)
	}
	return res, nil
}
