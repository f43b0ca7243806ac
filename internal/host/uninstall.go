package host

import "os"

// Removed is what Uninstall did.
type Removed struct {
	ID       string `json:"id"`
	Version  string `json:"version"`
	DataKept string `json:"dataKept,omitempty"` // the extension's own folder, when there is one and it was kept
}

// Uninstall removes an extension and its answers; its own folder only with purge.
func (h *Host) Uninstall(id string, purge bool) (*Removed, error) {
	in, err := h.store.Get(id)
	if err != nil {
		return nil, err
	}
	if err := h.store.Remove(in, purge); err != nil {
		return nil, err
	}
	res := &Removed{ID: in.ID, Version: in.Version}
	_ = os.Remove(h.store.DataPath(in.ID)) // only when nothing is in it
	if _, err := os.Stat(h.store.DataPath(in.ID)); err == nil {
		res.DataKept = h.store.DataPath(in.ID)
	}
	return res, nil
}
